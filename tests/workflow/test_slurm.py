"""`snakemake --profile slurm` on a real one-node Slurm, with accounting and GPUs that are only names.

The study starts at decoding, from simulated responses: one subject's are not usable, and one rule gets too little
memory at first.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import pytest
import yaml

from tests.workflow.conftest import ROOT
from tests.workflow.given import write_study

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).parent / "slurm/start_slurm.sh"
FIGURE = "results/slurm/report/figures/sub-{}_faces.png"
MADE_ROOM, MORE_MEMORY = "03_published", "2400M"
LITTLE_MEMORY = "fit_decoder:mem_mb=60 * 40 ** (attempt - 1)"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """The variables of a running Slurm; it is stopped at the end."""
    if os.geteuid() != 0:
        pytest.skip("a Slurm of one's own needs root: the Slurm profile is NOT tested")
    if not (shutil.which("slurmctld") or shutil.which("apt-get")):
        pytest.skip("neither Slurm nor apt-get is here: the Slurm profile is NOT tested")
    home = tmp_path_factory.mktemp("slurm")
    environment = os.environ | {"SLURM_TEST_HOME": str(home), "SLURM_TEST_PORT": str(27000 + os.getpid() % 5000)}
    started = subprocess.run(
        [SCRIPT, "start", "--accounting"], env=environment, capture_output=True, text=True, timeout=600
    )
    try:
        if started.returncode == 3:
            pytest.skip(f"Slurm cannot be installed: the Slurm profile is NOT tested ({started.stderr.strip()[-200:]})")
        assert started.returncode == 0, started.stdout + started.stderr
        yield os.environ | {"SLURM_CONF": str(home / "slurm.conf"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    finally:
        subprocess.run([SCRIPT, "stop"], env=environment, check=True, timeout=120)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study on a cluster")
    config = write_study(folder, ("01", "02", "03"))
    with h5py.File(
        folder / "02.h5", "r+"
    ) as file:  # its shape is right, so that nothing shows before the rule reads it
        del file["train_series"]
    config["study"] = {"name": "slurm", "seed": 7}
    config["decoding"] = {"decoders": {"published": {"kind": "dense", "epochs": 20}}}
    (folder / "slurm.yaml").write_text(yaml.safe_dump(config))
    (folder / "site.yaml").write_text("account: test\npartitions: {cpu: {max_runtime: 2880}, gpu: {max_gpu: 2}}\n")
    return folder


def make_room(slurm, process, name):
    """Take the processors from a running job as pre-emption does: Slurm kills it and puts it back into the queue."""
    end = time.monotonic() + 400
    while process.poll() is None and time.monotonic() < end:
        running = subprocess.run(
            ["squeue", "-h", "-t", "R", "-o", "%i|%k|%m"], env=slurm, capture_output=True, text=True
        )
        for number, comment, memory in (line.split("|") for line in running.stdout.splitlines()):
            if name in comment and memory == MORE_MEMORY:
                time.sleep(1)
                subprocess.run(["scontrol", "requeue", number], env=slurm, check=True)
                return
        time.sleep(0.2)


@pytest.fixture(scope="module")
def run(slurm, study):
    """What Snakemake said, and Slurm's own record of its jobs."""
    command = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--directory", study, "--nocolor"]
    command += ["--configfile", study / "slurm.yaml", "--slurm-init-seconds-before-status-checks", "1"]
    command += ["--retries", "1", "--latency-wait", "10", "--set-resources", LITTLE_MEMORY]
    command += ["--", *(FIGURE.format(name) for name in ("01", "02", "03"))]
    environment = slurm | {"HYPER_SITE": str(study / "site.yaml")}
    with (study / "said.txt").open("w") as said:
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, env=environment, stdout=said, stderr=subprocess.STDOUT
        )
        make_room(slurm, process, MADE_ROOM)
        code = process.wait(timeout=600)
    done = subprocess.CompletedProcess(command, code, (study / "said.txt").read_text())
    fields = ["JobID", "State", "ReqMem", "AllocTRES", "Partition", "Account", "ExitCode", "TimelimitRaw"]
    table = subprocess.run(
        ["sacct", "-X", "-n", "-P", "--format", ",".join(fields)], env=slurm, capture_output=True, text=True, check=True
    ).stdout
    print(",".join(fields), table, sep="\n")
    jobs = [dict(zip(fields, line.split("|"), strict=True)) for line in table.splitlines()]
    logs = {path.stem: path for path in (study / ".snakemake/slurm_logs").rglob("*.log")}
    for job in jobs:
        job["log"] = logs[job["JobID"]]
    return done, jobs


def of_rule(jobs, name):
    return [job for job in jobs if name in str(job["log"])]


def test_other_subjects_are_finished(run, study):
    done, _ = run
    assert done.returncode == 1
    made = [name for name in ("01", "02", "03") if (study / FIGURE.format(name)).exists()]
    assert made == ["01", "03"], done.stdout


def test_rules_with_networks_hold_a_gpu(run):
    _, jobs = run
    assert len(of_rule(jobs, "rule_fit_decoder")) == 6
    assert len(of_rule(jobs, "group_faces")) == 2
    for job in jobs:
        assert "gres/gpu=1" in job["AllocTRES"], job
        assert (job["Partition"], job["Account"]) == ("gpu", "test")


def test_a_job_killed_for_memory_is_retried_with_more(run):
    _, jobs = run
    attempts = {}
    for job in of_rule(jobs, "rule_fit_decoder"):
        attempts.setdefault(job["log"].parent.name, []).append((job["ReqMem"], job["State"], job["ExitCode"]))
    assert attempts.keys() == {"01_published", "02_published", "03_published"}
    for name, ((little, state, code), (more, last, _)) in attempts.items():
        assert (little, more) == ("60M", MORE_MEMORY)
        assert state == "OUT_OF_MEMORY" or (state, code) == ("FAILED", "0:9")  # the latter without cgroups
        assert last == ("FAILED" if name.startswith("02") else "COMPLETED")


def test_a_job_that_had_to_make_room_runs_again(run, slurm, study):
    _, jobs = run
    last = of_rule(jobs, "rule_fit_decoder")
    number = next(job["JobID"] for job in last if MADE_ROOM in str(job["log"]) and job["ReqMem"] == MORE_MEMORY)
    table = subprocess.run(
        ["sacct", "-X", "-n", "-P", "-D", "-j", number, "--format", "State"], env=slurm, capture_output=True, text=True
    ).stdout.split()
    assert table == ["REQUEUED", "COMPLETED"]
    assert (study / FIGURE.format("03")).exists()


def test_logs_are_where_they_are_promised(run, study):
    done, jobs = run
    for job in jobs:
        assert job["log"].stat().st_size > 0
    log = study / "results/slurm/logs/fit_decoder/sub-02_published.log"
    assert "02.h5" in log.read_text()
    assert "logs/fit_decoder/sub-02_published.log" in done.stdout
