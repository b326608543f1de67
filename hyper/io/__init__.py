"""Files: atomic writes, NIfTI, tables, HDF5."""
