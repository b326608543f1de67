"""A dataset is examined again only when a file of it, a setting or the code of the checks has changed."""

import os

import pytest

from hyper.doctor.checked import faults_unless_checked
from hyper.doctor.plan import Plan


def plan_of(dataset, **settings):
    return Plan({"study": {"name": "own"}, "dataset": {"path": str(dataset)}} | settings, [])


@pytest.fixture
def record(dataset, tmp_path, monkeypatch):
    path = tmp_path / ".snakemake/hyper/own.checked"
    assert faults_unless_checked(plan_of(dataset), path) == []
    return path


def no_reading(monkeypatch):
    def refuse(*_):
        raise AssertionError("the dataset was read again")

    monkeypatch.setattr("hyper.doctor.plan.find_faults", refuse)


def test_an_unchanged_dataset_is_not_read_again(dataset, record, monkeypatch):
    no_reading(monkeypatch)
    assert faults_unless_checked(plan_of(dataset), record) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda dataset: (dataset / "sub-01/func/sub-01_task-hyper_run-02_events.tsv").write_text("onset\n"),
        lambda dataset: (dataset / "stimuli/images/0005.jpg").unlink(),
        lambda dataset: os.truncate(dataset / "sub-01/func/sub-01_task-hyper_run-01_bold.nii", 400),
        lambda dataset: (dataset / "sub-01/anat/sub-01_T1w.nii").write_bytes(b""),
        lambda dataset: (dataset / "stimuli/latents.npy").unlink(),
    ],
    ids=["events", "image", "bold", "anatomical", "latents"],
)
def test_a_change_is_found(dataset, record, change):
    change(dataset)
    assert faults_unless_checked(plan_of(dataset), record)
    assert faults_unless_checked(plan_of(dataset), record), "a fault must not count as examined"


def test_a_record_that_cannot_be_written_is_no_fault(dataset, tmp_path):
    (tmp_path / ".snakemake").write_text("no folder")
    assert faults_unless_checked(plan_of(dataset), tmp_path / ".snakemake/hyper/own.checked") == []


def test_another_setting_reads_it_again(dataset, record, monkeypatch):
    no_reading(monkeypatch)
    with pytest.raises(AssertionError, match="read again"):
        faults_unless_checked(plan_of(dataset, glm={"confounds": []}), record)


def test_a_missing_program_is_found_all_the_same(dataset, record, monkeypatch):
    monkeypatch.setattr("hyper.doctor.checked.find_engine_faults", lambda engines: ["spm is missing"])
    assert faults_unless_checked(plan_of(dataset), record) == ["spm is missing"]
