"""A tree with the names, counts, sizes and quirks of OpenNeuro ds004280; every number in it is made up here."""

import json
import resource
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml

from hyper.dataset.annex import content_size, is_unfetched, unfetched_fault
from hyper.dataset.checks import find_faults
from hyper.dataset.layout import find_runs
from hyper.dataset.trials import Reading, read_trials
from hyper.doctor.plan import Plan

CONFIG = Path(__file__).resolve().parents[2] / "config/ds004280.yaml"
GRID, TR = (104, 104, 66), 1.5
VOLUMES = {"01": 1461, "02": 1459, "03": 1460, **{f"{n:02d}": 1476 for n in range(4, 9)}, "09": 1474}
BOLD_BYTES = 2 * 104 * 104 * 66
T1W = (320, 320, 448)


def link(path: Path, size: int) -> None:
    """What `datalad install` leaves."""
    key = f"SHA256E-s{size}--{'0123456789abcdef' * 4}{path.suffix}"
    up = "../" * (len(path.relative_to(path.parents[2]).parts) - 1)
    path.symlink_to(f"{up}.git/annex/objects/xW/9k/{key}/{key}")


def sparse(path: Path, shape: tuple[int, ...], zooms: tuple[float, ...]) -> int:
    """A NIfTI file of its true length whose voxels take no room on disk; returns the length."""
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape(shape)
    header.set_zooms(zooms)
    header.set_xyzt_units("mm", "sec")
    header.set_sform(np.diag([*zooms[:3], 1]), 1)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    length = 352 + 2 * int(np.prod(shape, dtype=np.int64))
    with open(path, "wb") as stream:
        stream.write(header.binaryblock + b"\0" * 4)
        stream.truncate(length)
    if path.stat().st_blocks * 512 > 1 << 24:
        path.unlink()
        pytest.skip("this file system has no sparse files: the published sizes NOT tested")
    return length


def write_events(path: Path, stimuli: np.ndarray, steps: tuple[float, ...], rng: np.random.Generator) -> None:
    onsets = 12.0 + np.concatenate([[0], np.cumsum(rng.permutation(np.resize(steps, len(stimuli) - 1)))])
    rows = [
        (onset, duration, f"images/{stimulus:04d}.jpg")
        for onset, stimulus in zip(onsets, stimuli, strict=True)
        for duration in (float(rng.choice([2166, 2167])), 2167.0, 1500.0)
    ]
    pd.DataFrame(rows, columns=["onset", "duration", "stim_file"]).to_csv(path, sep="\t", index=False)


def write_metadata(root: Path) -> None:
    """Everything that git itself holds: events, sidecar, description."""
    (root / "dataset_description.json").write_text(json.dumps({"Name": "hyper", "BIDSVersion": "1.9.4"}))
    (root / "participants.tsv").write_text("participant_id\tsex\tage\nsub-01\tn/a\tn/a\nsub-02\tn/a\tn/a\n")
    (root / "task-hyper_bold.json").write_text('{"RepetitionTime": 1.5, "TaskName": "hyper task"}')
    for subject in ("01", "02"):
        rng = np.random.default_rng(int(subject))
        for folder in ("anat", "func"):
            (root / f"sub-{subject}" / folder).mkdir(parents=True)
        faces = rng.permutation(np.arange(37, 1087)).reshape(6, 175)
        for run in range(1, 10):
            if run <= 3:
                repeats = np.repeat(np.arange(12 * run - 11, 12 * run + 1), 13)
                extra = rng.choice(np.arange(12 * run - 11, 12 * run + 1), 11, replace=False)
                shown, steps = np.concatenate([repeats, extra, np.zeros(13, int)]), (10.5, 12.0, 13.5)
            else:
                shown, steps = np.concatenate([faces[run - 4], np.zeros(33, int)]), (9.0, 10.5, 12.0)
            path = root / f"sub-{subject}/func/sub-{subject}_task-hyper_run-{run:02d}_events.tsv"
            write_events(path, rng.permutation(shown), steps, rng)
    (root / "stimuli/images").mkdir(parents=True)


def contents(root: Path):
    """Path, shape and voxel sizes of every image that git-annex would hold."""
    for subject in ("01", "02"):
        yield root / f"sub-{subject}/anat/sub-{subject}_T1w.nii", T1W, (0.8, 0.8, 0.8)
        for run, volumes in VOLUMES.items():
            path = root / f"sub-{subject}/func/sub-{subject}_task-hyper_run-{run}_bold.nii"
            yield path, (*GRID, volumes), (2.0, 2.0, 2.0, TR)


@pytest.fixture
def clone(tmp_path):
    """A DataLad clone before anything was fetched."""
    root = tmp_path / "ds004280"
    root.mkdir()
    write_metadata(root)
    for path, shape, _ in contents(root):
        link(path, 352 + 2 * int(np.prod(shape, dtype=np.int64)))
    link(root / "stimuli/latents.npy", 1086 * 512 * 8 + 80)
    for number in range(1087):
        link(root / f"stimuli/images/{number:04d}.jpg", 31141)
    return root


@pytest.fixture
def whole(tmp_path):
    """The same after `datalad get`."""
    root = tmp_path / "ds004280"
    root.mkdir()
    write_metadata(root)
    for path, shape, zooms in contents(root):
        sparse(path, shape, zooms)
    np.save(root / "stimuli/latents.npy", np.random.default_rng(0).normal(size=(1086, 512)))
    for number in range(1087):
        (root / f"stimuli/images/{number:04d}.jpg").write_bytes(b"jpeg")
    return root


def plan_of(root: Path) -> Plan:
    config = yaml.safe_load(CONFIG.read_text())
    config["dataset"]["path"] = str(root)
    config["generators"] = {"generator": "random-face"}  # of as many latents, and at hand
    return Plan(config, [CONFIG])


def test_a_fresh_clone_gives_the_files_and_one_command(clone):
    (fault,) = plan_of(clone).faults()
    assert "1108 files are links to content that was not fetched (38.0 GB)" in str(fault)
    for name in ("sub-02_task-hyper_run-09_bold.nii", "sub-01_T1w.nii", "latents.npy", "1087 files from 0000.jpg to"):
        assert name in str(fault)
    command = fault.mend.removeprefix("Run: datalad get ").split()
    assert set(command) == {
        f"{clone}/{name}"
        for name in (
            "sub-01/func",
            "sub-02/func",
            "sub-01/anat/sub-01_T1w.nii",
            "sub-02/anat/sub-02_T1w.nii",
            "stimuli/latents.npy",
            "stimuli/images",
        )
    }


def test_a_folder_is_not_fetched_whole_for_some_of_its_files(clone):
    runs = find_runs(clone, subjects=["01"])[:2]
    fault = unfetched_fault(clone, [run.bold for run in runs])
    assert fault.mend == f"Run: datalad get {runs[0].bold} {runs[1].bold}"


def test_the_rest_is_checked_as_ever_while_files_are_missing(clone):
    events = clone / "sub-01/func/sub-01_task-hyper_run-05_events.tsv"
    events.unlink()
    bold = clone / "sub-02/func/sub-02_task-hyper_run-05_bold.nii"
    bold.unlink()
    bold.write_bytes(b"")
    faults = [str(fault) for fault in plan_of(clone).faults()]
    assert len(faults) == 3
    assert f"{events}: the events file is missing" in faults[1]
    assert f"{bold}: the file is empty" in faults[2]


def test_the_text_that_stands_for_a_link_is_recognised(clone, tmp_path):
    path = clone / "sub-01/func/sub-01_task-hyper_run-01_bold.nii"
    key = Path(path.readlink()).name
    path.unlink()
    path.write_text(f"/annex/objects/{key}\n")
    assert is_unfetched(path)
    assert content_size(path) == 352 + BOLD_BYTES * 1461
    assert path in [run.bold for run in find_runs(clone)]
    assert str(path) in str(unfetched_fault(clone, [path]))
    (tmp_path / "plain.txt").write_text("no pointer")
    assert not is_unfetched(tmp_path / "plain.txt")
    assert not is_unfetched(tmp_path / "nothing")


def test_the_published_study_at_its_true_size(whole):
    plan = plan_of(whole)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert plan.faults() == []
    assert plan.subjects == ["01", "02"]
    for subject in plan.subjects:
        runs = [run for (owner, _), run in plan.runs.items() if owner == subject]
        trials = read_trials(runs, Reading.of(plan.section("dataset"), plan.dataset))
        assert trials.counts() == {"train": 1050, "test": 501, "null": 237}
        assert set(trials.repetition_times.values()) == {1.5}
        table = trials.table
        train, test = table[table["split"] == "train"], table[table["split"] == "test"]
        assert train["stimulus"].is_unique
        assert test["stimulus"].nunique() == 36
        assert table["latent_row"].min() == 0
        assert table["latent_row"].max() == 1085
        assert (table["latent_row"].dropna() == table["stimulus"][table["split"] != "null"].astype(int) - 1).all()
        assert table["duration"].between(2.16, 2.17).all()
        assert list(table["series"].value_counts(sort=False)) == [180] * 3 + [208] * 6
        assert any("3 rows" in note for note in trials.readings)
        assert any("milliseconds" in note for note in trials.readings)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 500, f"{grown:.0f} MiB for a look at headers and tables"


def test_a_short_run_is_noticed_at_its_true_size(whole):
    path = whole / "sub-02/func/sub-02_task-hyper_run-07_bold.nii"
    with open(path, "r+b") as stream:
        stream.truncate(path.stat().st_size - BOLD_BYTES)
    (fault,) = find_faults(find_runs(whole), Reading.of(plan_of(whole).section("dataset"), whole))
    assert "run-07_bold.nii: it is truncated" in str(fault)
