"""SIGKILL in the middle of every rule of the demo: running the same command again gives the bits of a calm run.

A job stands still as it has half written the file in the middle of its outputs (see standstill/). When nothing else
runs, Snakemake and all jobs that stand still are killed at once, and the same command goes on, until it ends.

That takes a quarter of an hour of processor time, so it is done on demand, with HYPER_KILL_EVERY_RULE=1; test_faults.py
kills three rules whenever the slow tests run.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tests.workflow.conftest import ROOT, Study, read_json, run_to_the_end
from tests.workflow.faked import FakedStudy, rules
from tests.workflow.given import write_study

pytestmark = pytest.mark.slow

HOOK = Path(__file__).parent / "standstill"
OF_THE_RUN = {"logs", "benchmarks"}  # folders that tell of the run, not of the study
ON_DEMAND = pytest.mark.skipif(
    "HYPER_KILL_EVERY_RULE" not in os.environ,
    reason="takes a quarter of an hour: set HYPER_KILL_EVERY_RULE=1; only the rules of test_faults.py are killed",
)
# as many jobs side by side as there are, each with the threads that it has on two cores
WIDE = ("--cores", "16", "--max-threads", "2")


def every_rule(folder):
    """The small study with what the demo has beside: maps of layers, features of faces, the VAE-GAN."""
    config = yaml.safe_load((Path(__file__).parent / "small.yaml").read_text())
    layers = {f"layer{n}": {"kind": "dense", "layer": f"L{n}", "latents": False, "epochs": 2} for n in (1, 2)}
    config["decoding"] = {"decoders": {"ridge": {"kind": "ridge"}, **layers}, "candidates": ["ridge"]}
    config["mapping"] = {"decoders": list(layers), "chunks": 2}
    config["baselines"] = {"vaegan": {"checkpoint": "vaegan-face"}, "trivial": ["trivial-zero"]}
    config["evaluation"] |= {"features": "dlib"}
    config["responses"] = {"voxels": 40}
    return written(folder, config)


def from_decoding(folder):
    """A study of two people that starts at decoding, one of its decoders in a space that they share."""
    folder.mkdir(parents=True)
    config = write_study(folder, ("01", "02"))
    decoders = {"ridge": {"kind": "ridge"}, "both": {"kind": "noise-aware", "subjects": "shared"}}
    config["decoding"] = {"decoders": decoders, "candidates": ["ridge"]}
    config["baselines"] = {"trivial": ["trivial-zero"]}
    config["evaluation"] = {"permutations": 50, "resamples": 100, "attributes": {"sefa": 2}}
    return written(folder, config)


def written(folder, config):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(config))
    return Study(folder, path)


def contents(study):
    """Content of every file of the study, by name; of the provenance all but where the configuration lies."""
    files = (path for path in study.results.rglob("*") if path.is_file())
    names = {path: path.relative_to(study.results) for path in files}
    found = {
        str(name): hashlib.sha256(path.read_bytes()).hexdigest()
        for path, name in names.items()
        if name.parts[0] not in OF_THE_RUN
    }
    return found | {"provenance.json": read_json(study.results / "provenance.json") | {"configfiles": None}}


def run_until_killed(study, spared):
    """Run until all jobs at work stand still, and kill them with Snakemake.

    Returns the rules that were killed; none when the run came to its end.
    """
    notes = study.folder / "notes"
    shutil.rmtree(notes, ignore_errors=True)
    notes.mkdir()
    words = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", study.folder]
    words += ["--configfile", study.config, "--nocolor", *WIDE]
    settings = {"PYTHONPATH": str(HOOK), "HYPER_STANDSTILL": str(notes), "HYPER_SPARED": " ".join(spared)}
    with open(study.folder / "output.txt", "w") as output:
        process = subprocess.Popen(
            list(map(str, words)), cwd=study.folder, env=os.environ | settings, stdout=output,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    still = 0
    while process.poll() is None and still < 3:
        time.sleep(0.3)
        still = still + 1 if all_stand_still(process.pid, notes) else 0
    if process.poll() is not None:
        assert process.returncode == 0, (study.folder / "output.txt").read_text()[-5000:]
        return set()
    jobs = [psutil.Process(int(note.suffix[1:])) for note in notes.iterdir()]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert not psutil.wait_procs(jobs, timeout=30)[1]
    return {note.stem for note in notes.iterdir()}


def all_stand_still(pid, notes):
    """Whether there is a job, and every process that works for Snakemake has left its note."""
    try:
        workers = [child.pid for child in psutil.Process(pid).children(recursive=True) if not child.children()]
    except psutil.NoSuchProcess:
        return False
    return bool(workers) and {note.suffix[1:] for note in notes.iterdir()} >= set(map(str, workers))


def kill_one_after_another(study):
    """Kill and run again until all is made; the rules in the order in which they were killed."""
    killed = []
    while struck := run_until_killed(study, killed):
        assert list(study.folder.rglob(".partial-*"))
        assert not struck & set(killed)
        killed += sorted(struck)
        print(f"killed at once: {', '.join(sorted(struck))}")
        # as `snakemake --unlock` does, which test_faults.py asks for
        shutil.rmtree(study.folder / ".snakemake/locks")
    return killed


@ON_DEMAND
@pytest.mark.parametrize("make", [from_decoding, every_rule])
def test_whichever_rule_is_killed_the_bits_are_the_same(tmp_path, make):
    calm = run_to_the_end(make(tmp_path / "calm"))
    study = make(tmp_path / "killed")
    killed = kill_one_after_another(study)
    assert set(killed) == rules_of(make(tmp_path / "planned"))
    assert not list(study.folder.rglob(".partial-*"))
    assert not list(study.results.rglob(".training*"))
    expected, found = contents(calm), contents(study)
    assert len(expected) > 50
    assert {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)} == set()
    assert study.planned() == {}


def rules_of(study):
    """The rules that run for a study."""
    return set(study.planned()) - {"all"}


def test_these_are_all_rules_of_the_demo(tmp_path):
    demo = FakedStudy(tmp_path, yaml.safe_load((ROOT / "config/demo.yaml").read_text())).plan()
    both = rules_of(every_rule(tmp_path / "every")) | rules_of(from_decoding(tmp_path / "decoding"))
    assert set(rules(demo)) <= both
