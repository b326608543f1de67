"""No test trial reaches what decoders learn from; and where one does, the run stops before a decoder is fitted."""

import shutil

import nibabel as nib
import numpy as np
import pytest

from hyper.io.arrays import read_arrays
from tests.workflow.conftest import Study, read_json

LEARNED = (
    "responses/sub-01/sub-01_desc-active_mask.nii.gz",
    "responses/sub-01/sub-01_desc-selection_statmap.nii.gz",
    "responses/sub-01/sub-01_desc-selection_trials.tsv",
    "decoding/sub-01/published/decoder.safetensors",
    "decoding/sub-01/ridge/decoder.safetensors",
)


@pytest.fixture
def own_study(small_study, tmp_path_factory) -> Study:
    """A copy of the finished small study that a test may spoil."""
    # as deep as the original: the shipped generator is an input by its relative path
    folder = tmp_path_factory.mktemp("own study")
    shutil.copytree(small_study.folder, folder, symlinks=True, dirs_exist_ok=True)
    return Study(folder, folder / small_study.config.name)


def test_the_audit_of_the_small_study(small_study):
    audit = read_json(small_study.results / "responses/sub-01/sub-01_audit.json")
    assert audit["passed"]
    assert {check["name"] for check in audit["checks"]} >= {
        "selection_trials",
        "mask",
        "training",
        "scaling",
        "stimuli",
    }
    assert not list(small_study.results.rglob("*unaudited*"))
    page = (small_study.results / "report/index.html").read_text()
    assert "The leakage audit passed" in page


def test_corrupted_test_runs_leave_mask_scaling_and_decoders_bit_identical(own_study):
    results = own_study.results
    before = {name: (results / name).read_bytes() for name in LEARNED}
    arrays = read_arrays(results / "responses/sub-01/sub-01_responses.h5")[0]
    # run 01 is the only test run (tests/workflow/small.yaml)
    path = next((results / "preprocess/sub-01/func").glob("*run-01*desc-preproc_bold.nii.gz"))
    image = nib.load(path)
    bold = np.asarray(image.dataobj, np.float32)
    noise = np.random.default_rng(0).permuted(bold, axis=3) * np.random.default_rng(1).uniform(0.5, 2, bold.shape)
    header = image.header.copy()
    header.set_data_dtype(np.float32)
    header.set_slope_inter(1, 0)
    nib.save(nib.Nifti1Image(noise.astype(np.float32), image.affine, header), path)
    done = own_study.snakemake("--", *(f"results/small/{name}" for name in LEARNED))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    after = read_arrays(results / "responses/sub-01/sub-01_responses.h5")[0]
    assert not np.allclose(after["test"], arrays["test"])
    for name in ("train", "mean", "std", "ijk", "train_latents"):
        assert np.array_equal(after[name], arrays[name]), name
    for name in LEARNED:
        assert (results / name).read_bytes() == before[name], name


def test_a_failed_audit_stops_the_run(own_study):
    results = own_study.results
    mask = results / "responses/sub-01/sub-01_desc-active_mask.nii.gz"
    image = nib.load(mask)
    active = np.array(image.dataobj)
    active[tuple(np.argwhere(active)[0])] = 0
    nib.save(nib.Nifti1Image(active, image.affine, image.header), mask)
    planned = own_study.planned()
    assert {"assemble_responses", "audit_responses", "fit_decoder"} <= set(planned)
    assert "select_voxels" not in planned
    done = own_study.snakemake()
    text = done.stdout + done.stderr
    assert done.returncode != 0
    assert "the leakage audit failed" in text
    assert "Traceback" not in (results / "logs/audit_responses/sub-01.log").read_text()
    assert not (results / "responses/sub-01/sub-01_responses.h5").exists()
    assert not (results / "responses/sub-01/sub-01_audit.json").exists()
    assert "rule fit_decoder" not in text.split("Job stats")[-1]


def test_a_broken_region_stops_before_the_first_rule(own_study):
    region = own_study.folder / "roi.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros((4, 4, 4), np.uint8), np.eye(4)), region)
    done = own_study.snakemake("-n", "--config", "responses={region: roi.nii.gz}")
    assert done.returncode != 0
    assert "roi.nii.gz: it is empty" in done.stdout + done.stderr
