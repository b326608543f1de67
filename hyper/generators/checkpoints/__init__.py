"""Checkpoints of PGGAN in the formats that users hold, one module each."""
