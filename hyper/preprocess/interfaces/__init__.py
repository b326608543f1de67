"""nipype interfaces of the preprocessing steps; other engines take the same inputs and give the same outputs."""
