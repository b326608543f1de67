"""Figures, the page and the provenance of a study."""
