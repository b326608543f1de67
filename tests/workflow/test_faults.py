"""What goes wrong outside: killed runs, locks, full disks, bare machines. A run of the same command mends it."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import yaml

from hyper.io.atomic import atomic_path, partial_folder, remove_partial
from tests.workflow.conftest import ROOT, Study

DATASET = "results/small/dataset"
FACES = f"{DATASET}/stimuli/latents.npy"
ANATOMY = f"{DATASET}/sub-01/anat/sub-01_T1w.nii.gz"
RUN = f"{DATASET}/sub-01/func/sub-01_task-hyper_run-1_bold.nii.gz"


def study_in(folder):
    folder.mkdir(exist_ok=True)
    config = folder / "small.yaml"
    config.write_text((ROOT / "tests/workflow/small.yaml").read_text())
    return Study(folder, config)


def command(study, *arguments):
    words = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", study.folder]
    return [*map(str, [*words, "--configfile", study.config, "--cores", "2", "--nocolor", *arguments])]


def start(study, *arguments):
    """A run in the background, the leader of its own group of processes."""
    return subprocess.Popen(
        command(study, *arguments), cwd=study.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip


def wait_for(happened, process, seconds=300):
    """Wait until something is so, or the process ends."""
    end = time.monotonic() + seconds
    while not happened() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def hashes(study):
    """Content of every output, by name; compressed volumes and HDF5 among them carry no time of writing."""
    files = (path for path in (study.folder / DATASET).rglob("*") if path.is_file() and path.suffix != ".json")
    return {
        str(path.relative_to(study.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.name != ".snakemake_timestamp"
    }


def partial(study):
    return list(study.folder.rglob(".partial-*"))


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path):
    begun = [tmp_path / ".partial-ab12_xyz-map.nii.gz", tmp_path / ".partial-ab12_xyz-other-map.nii.gz"]
    for path in (*begun, tmp_path / "map.nii.gz"):
        path.touch()
    folder = partial_folder(tmp_path / "map.nii.gz")  # as a node of nipype has it
    (folder / "node").mkdir()
    (folder / "node/report.rst").touch()
    remove_partial([tmp_path / "map.nii.gz", tmp_path / "no folder" / "map.nii.gz"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [begun[1].name, "map.nii.gz"]
    with atomic_path(tmp_path / "map.nii.gz") as temporary:
        remove_partial([tmp_path / "map.nii.gz"])
        assert not temporary.exists()
        temporary.touch()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    study = study_in(tmp_path_factory.mktemp("undisturbed"))
    done = study.snakemake(RUN, ANATOMY)
    assert done.returncode == 0, done.stderr
    return study


@pytest.mark.slow
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize("rule", ["simulate_stimuli", "simulate_anatomy", "simulate_run"])
def test_a_killed_run_goes_on_to_the_same_bits(undisturbed, tmp_path, rule, kind):
    study = study_in(tmp_path / "killed study")
    log = study.folder / "results/small/logs" / rule
    process = start(study, RUN, ANATOMY)
    wait_for(lambda: log.exists() or log.with_suffix(".log").exists(), process)
    assert process.poll() is None, process.stdout.read()
    os.killpg(process.pid, kind)
    process.communicate(timeout=300)
    if kind == signal.SIGKILL:
        stale = study.snakemake(RUN, ANATOMY)
        assert stale.returncode != 0
        assert "--unlock" in stale.stdout + stale.stderr
        study.snakemake("--unlock")
    done = study.snakemake(RUN, ANATOMY)
    assert done.returncode == 0, done.stderr
    assert hashes(study) == hashes(undisturbed)
    assert not partial(study)


@pytest.mark.slow
def test_a_second_run_at_once_is_refused(tmp_path):
    study = study_in(tmp_path / "twice")
    process = start(study, FACES)
    try:
        wait_for(lambda: list((study.folder / ".snakemake").glob("locks/*")), process)
        os.killpg(process.pid, signal.SIGSTOP)  # however fast it is
        second = study.snakemake(FACES)
    finally:
        os.killpg(process.pid, signal.SIGCONT)
        process.communicate(timeout=300)
    assert process.returncode == 0
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout + second.stderr


@pytest.fixture
def mounted(tmp_path):
    """Mount a small disk on a folder; the machine must allow it."""
    folders = []

    def mount(folder, options):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no disk can be mounted here ({done.stderr.strip()}): full and read-only disks NOT tested")
        folders.append(folder)

    yield mount
    for folder in folders:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "mend"), [("16k", "Make room"), ("340k", "Free some space")])
def test_a_full_disk_is_named_and_nothing_half_written_stays(tmp_path, mounted, size, mend):
    """Full before the first rule, and in the middle of it."""
    study = study_in(tmp_path / "full")
    study.config.write_text(study.config.read_text().replace("size: 64", "size: 500"))
    mounted(study.folder / "results", f"size={size}")
    done = study.snakemake(FACES)
    assert done.returncode != 0
    assert "No space left on device" in done.stdout + done.stderr
    assert mend in done.stdout + done.stderr
    assert not partial(study)
    assert not (study.folder / FACES).exists()


@pytest.mark.slow
def test_a_read_only_folder_is_named(tmp_path, mounted):
    study = study_in(tmp_path / "locked")
    mounted(study.folder / "results", "size=1m,ro")
    done = study.snakemake(FACES)
    assert done.returncode != 0
    assert "Read-only file system" in done.stdout + done.stderr
    assert "results/small" in done.stdout + done.stderr


@pytest.mark.slow
def test_a_bare_machine_is_enough(undisturbed, tmp_path):
    """No network, no HOME, no UTF-8, and a space in the path."""
    study = study_in(tmp_path / "a bare study")
    words = command(study, FACES)
    if shutil.which("unshare") and subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0:
        words = ["unshare", "-n", *words]
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run(words, cwd=study.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    made = hashes(study)
    assert made
    assert made.items() <= hashes(undisturbed).items()


@pytest.mark.slow
def test_one_broken_subject_does_not_stop_the_other(tmp_path):
    study = study_in(tmp_path / "broken")
    config = yaml.safe_load(study.config.read_text())
    config["simulation"]["subjects"] = 2
    study.config.write_text(yaml.safe_dump(config))
    anatomies = [ANATOMY, ANATOMY.replace("sub-01", "sub-02")]
    blocked = study.folder / f"{DATASET}/sourcedata/truth/sub-01_phantom.h5"
    blocked.mkdir(parents=True)  # where a file is to be
    (blocked / "in the way").touch()
    done = study.snakemake(*anatomies)
    assert done.returncode != 0
    assert not (study.folder / anatomies[0]).exists()
    assert (study.folder / anatomies[1]).exists()
