import gzip
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from hyper.dataset.checks import find_faults
from hyper.dataset.layout import find_runs
from hyper.dataset.trials import Reading


def faults_of(root, via="T1w"):
    return [
        str(fault)
        for fault in find_faults(
            find_runs(root), Reading(latents=root / "stimuli/latents.npy", stimuli=root / "stimuli"), via
        )
    ]


@pytest.fixture
def bold(dataset):
    return dataset / "sub-01/func/sub-01_task-hyper_run-02_bold.nii"


def test_a_whole_dataset_has_no_fault(dataset):
    assert faults_of(dataset) == []


def test_truncated(dataset, bold):
    bold.write_bytes(bold.read_bytes()[:-100])
    (fault,) = faults_of(dataset)
    assert "run-02_bold.nii: it is truncated" in fault
    assert fault.endswith("Fetch it again.")


def test_truncated_gzip(dataset, bold):
    packed = gzip.compress(bold.read_bytes())
    bold.unlink()
    Path(f"{bold}.gz").write_bytes(packed[:-2000])
    (fault,) = faults_of(dataset)
    assert "run-02_bold.nii.gz: it is truncated" in fault


def test_dangling_link(dataset, bold):
    bold.unlink()
    bold.symlink_to("../../.git/annex/objects/xx/content")
    (fault,) = faults_of(dataset)
    assert "link to content that was not fetched" in fault
    assert f"datalad get {bold}" in fault


def test_missing_events(dataset, bold):
    events = Path(str(bold).replace("bold.nii", "events.tsv"))
    events.unlink()
    (fault,) = faults_of(dataset)
    assert f"{events}: the events file is missing" in fault


def test_every_fault_is_listed(dataset, bold):
    bold.write_bytes(b"")
    (dataset / "sub-01/func/sub-01_task-hyper_run-03_events.tsv").unlink()
    shutil.rmtree(dataset / "sub-01/anat")
    found = faults_of(dataset)
    assert len(found) == 3
    assert "the file is empty" in found[0]


def test_a_missing_t1w_is_no_fault_where_bold_may_go_straight_to_the_template(dataset):
    shutil.rmtree(dataset / "sub-01/anat")
    assert [len(faults_of(dataset, via)) for via in ("T1w", "auto", "bold")] == [1, 0, 0]


@pytest.mark.parametrize(
    ("data", "affine", "message"),
    [
        (np.zeros((4, 5, 3), np.int16), np.eye(4), "series of volumes"),
        (np.zeros((4, 5, 3, 1), np.int16), np.eye(4), "series of volumes"),
        (np.zeros((4, 5, 3, 60), np.complex64), np.eye(4), "complex64"),
    ],
)
def test_what_is_no_series_is_refused(dataset, bold, data, affine, message):
    nib.save(nib.Nifti1Image(data, affine), bold)
    (fault,) = faults_of(dataset)
    assert message in fault


def test_not_a_nifti_file(dataset, bold):
    bold.write_bytes(b"not an image" * 100)
    (fault,) = faults_of(dataset)
    assert "cannot be read as NIfTI" in fault
