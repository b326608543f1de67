"""A bad input stops `hyper doctor` and the workflow alike: one message, before any rule."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from tests.doctor.bad_inputs import IMAGE
from tests.doctor.bad_pictures import FEATURES, good_pictures, picture

ROOT = Path(__file__).resolve().parents[2]


def truncate(root):
    path = root / "sub-01/func/sub-01_task-hyper_run-02_bold.nii"
    path.write_bytes(path.read_bytes()[:-100])
    return "run-02_bold.nii: it is truncated"


def lose_events(root):
    (root / "sub-01/func/sub-01_task-hyper_run-03_events.tsv").unlink()
    return "run-03_events.tsv: the events file is missing"


def lose_latent(root):
    np.save(root / "stimuli/latents.npy", np.zeros((10, 128)))
    return "the stimulus '0011' has no latent"


def dangle(root):
    path = root / "sub-01/func/sub-01_task-hyper_run-01_bold.nii"
    path.unlink()
    path.symlink_to("../../.git/annex/objects/content")
    return "datalad get"


def leak(root):
    path = root / "stimuli/latents.npy"
    latents = np.load(path)
    latents[6] = latents[0]
    np.save(path, latents)
    return "rows 6 and 0 are equal"


def point_outside(root):
    path = root / "stimuli/images/0004.jpg"
    path.unlink()
    path.symlink_to("/etc/hostname")
    return "is a link that leaves the dataset"


def of_another_generator(root):
    np.save(root / "stimuli/latents.npy", np.random.default_rng(0).normal(size=(11, 60)))
    return "its latents have 60 values each where pggan-face takes 128"


BREAKS = [truncate, lose_events, lose_latent, dangle, leak, point_outside, of_another_generator]


@pytest.mark.parametrize("break_it", BREAKS)
def test_doctor_and_workflow_share_the_message(dataset, tmp_path, break_it):
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}))
    earlier = tmp_path / "results/own/glm/sub-01/made before.txt"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("precious")
    message = break_it(dataset)
    doctor = run(tmp_path, "-m", "hyper.cli.main", "doctor", "--configfile", config)
    workflow = run(
        tmp_path,
        "-m",
        "snakemake",
        "--snakefile",
        ROOT / "Snakefile",
        "--configfile",
        config,
        "--cores",
        "1",
        "--nocolor",
    )
    for output in (doctor, workflow):
        text = output.stdout + output.stderr
        assert output.returncode != 0
        assert text.count(message) == 1, text
        assert "Traceback" not in text
    assert [path for path in (tmp_path / "results").rglob("*") if path.is_file()] == [earlier]
    assert earlier.read_text() == "precious"


def test_pictures_and_voxels_stop_both_before_anything_runs(dataset, tmp_path):
    good_pictures(dataset)
    picture("CMYK").save(dataset / IMAGE)
    config = tmp_path / "own.yaml"
    study = {"study": {"name": "own"}, "dataset": {"path": str(dataset)}, "responses": {"voxels": 10**6}}
    config.write_text(yaml.safe_dump(study))
    options = ["--snakefile", ROOT / "Snakefile", "--configfile", config, "--cores", "1", "--nocolor"]
    commands = [["-m", "hyper.cli.main", "doctor", "--configfile", config], ["-m", "snakemake", *options]]
    messages = ["1000000 voxels are asked for where the template's brain has 235375", "its colours are CMYK"]
    for message in messages:
        for command in commands:
            output = run(tmp_path, *command)
            text = output.stdout + output.stderr
            assert output.returncode != 0
            assert text.count(message) == 1, text
            assert "Traceback" not in text
        config.write_text(yaml.safe_dump(study | {"responses": {"voxels": 4096}} | FEATURES))
    assert not (tmp_path / "results").exists()


def test_a_hostile_setting_is_no_command(dataset, tmp_path):
    config = tmp_path / "own.yaml"
    study = {"study": {"name": "own"}, "dataset": {"path": str(dataset), "task": "$(touch canary); touch canary '\""}}
    config.write_text(yaml.safe_dump(study))
    doctor = run(tmp_path, "-m", "hyper.cli.main", "doctor", "--configfile", config)
    options = ["--snakefile", ROOT / "Snakefile", "--configfile", config, "--cores", "1", "--nocolor"]
    for output in (doctor, run(tmp_path, "-m", "snakemake", *options)):
        assert output.returncode != 0
        assert "it holds no task" in output.stdout + output.stderr
    assert not (tmp_path / "canary").exists()


def test_doctor_finds_nothing_wrong_with_a_whole_dataset(dataset, tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}))
    output = run(tmp_path, "-m", "hyper.cli.main", "doctor", "--configfile", config)
    assert output.returncode == 0, output.stderr
    assert "own: 1 subjects, 3 runs" in output.stdout


def test_a_missing_program_stops_both_before_anything_runs(tmp_path):
    config = tmp_path / "own.yaml"
    study = {"study": {"name": "own", "simulated": True}, "preprocess": {"engine": "afni"}}
    config.write_text(yaml.safe_dump(study))
    doctor = run(tmp_path, "-m", "hyper.cli.main", "doctor", "--configfile", config)
    options = ["--snakefile", ROOT / "Snakefile", "--configfile", config, "--cores", "1", "--nocolor"]
    for output in (doctor, run(tmp_path, "-m", "snakemake", *options)):
        text = output.stdout + output.stderr
        assert output.returncode != 0
        assert text.count("3dvolreg is not on the PATH (needed for realign, align_run)") == 1, text
        assert "set preprocess.engine: hyper" in text
        assert "Traceback" not in text
    assert not (tmp_path / "results").exists()


def run(folder, *arguments):
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(
        command, cwd=folder, env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
