"""What is told from the content of an input, at the size of a run as the scanner writes it."""

import os
import subprocess
import sys

import pytest
import yaml

from .conftest import ROOT

SIZE = 2 * 1024**3
SNAKEFILE = """
from hyper.doctor.planning import plan_with_memory

plan_with_memory()
rule all:
    input: "a.txt", "b.txt"
rule look:
    input: "run.nii"
    output: "a.txt", "b.txt"
    shell: "head -c 4 {input} | tee a.txt > b.txt"
"""


def snakemake(folder, *options):
    limit = yaml.safe_load((ROOT / "profiles/default/config.yaml").read_text())["max-checksum-file-size"]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--max-checksum-file-size", limit, *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def finished(tmp_path):
    """A workflow that ran on an input of 2 GB, a hole in the file."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    with open(tmp_path / "run.nii", "wb") as file:
        file.truncate(SIZE)
    snakemake(tmp_path)
    return tmp_path


def test_a_touched_run_is_no_change_and_one_changed_byte_is(finished):
    file, later = finished / "run.nii", (finished / "a.txt").stat().st_mtime + 100
    os.utime(file, (later, later))
    assert "Nothing to be done" in snakemake(finished, "-n")
    with open(file, "r+b") as handle:
        handle.seek(SIZE // 2)
        handle.write(b"\1")
    os.utime(file, (later, later))
    assert "Updated input files: run.nii" in snakemake(finished, "-n")
