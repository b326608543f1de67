"""Figures of preprocessing, for the eye that judges it."""
