"""Training of a PGGAN by progressive growing."""
