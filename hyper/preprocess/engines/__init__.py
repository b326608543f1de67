"""Preprocessing steps by the programs of others (SPM, FSL, AFNI, ANTs): same inputs, same outputs as our own."""
