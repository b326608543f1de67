"""How many cores there are changes no bit of a result."""

import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Study, run_to_the_end
from .test_small_study import hashes_that_differ

SCRIPTS = Path(__file__).resolve().parents[2] / "workflow/scripts"
LOOK = """
import json
from types import SimpleNamespace
snakemake = SimpleNamespace(threads=4)
import _rule, numpy, torch
from threadpoolctl import threadpool_info
print(json.dumps([torch.get_num_threads(), *(library["num_threads"] for library in threadpool_info())]))
"""


def test_libraries_keep_to_one_thread_however_many_a_rule_has():
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(SCRIPTS), "OMP_NUM_THREADS": "4"}
    done = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=True)
    threads = [int(number) for number in done.stdout.strip("[]\n").split(",")]
    assert len(threads) > 1
    assert set(threads) == {1}


@pytest.mark.slow
def test_one_core_and_two_give_the_same_bytes(small_study, tmp_path):
    config = tmp_path / "small.yaml"
    config.write_text(small_study.config.read_text())
    alone = run_to_the_end(Study(tmp_path, config), "--cores", "1")
    assert hashes_that_differ(small_study, alone) == set()
