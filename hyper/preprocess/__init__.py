"""BOLD to realigned, normalised BOLD: motion, transforms, masks, one interpolation."""
