"""Reconstruct from fMRI the faces a person saw: the library beneath the workflow."""
