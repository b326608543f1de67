#!/usr/bin/env bash
# Snakemake runs this in the new environment. Only the weights of this package are used, and none of what it depends on.
set -euo pipefail
python -m pip install --no-deps random-face==2021.7.21.1
