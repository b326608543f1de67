"""How many cores there are changes no bit of a result (a whole study on one: `test_small_study.py`)."""

import subprocess
import sys
from pathlib import Path

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
