import logging

import nibabel as nib
import numpy as np
import pytest

from hyper.errors import DataError, HyperError
from hyper.io.volumes import write_image
from hyper.responses.region import find_region_faults, read_region
from hyper.responses.selection import best_voxels
from tests.responses.small_study import AFFINE, SHAPE, make_study


def test_mean_z_is_the_mean_over_training_maps(study):
    selection = study.select()
    training = np.concatenate([run.read(study.brain)[0] for run in study.runs[2:]])
    assert np.allclose(selection.score[study.brain], training.mean(axis=0), atol=1e-6)
    assert (selection.score[~study.brain] == 0).all()
    assert (selection.mask & study.planted).sum() >= 16  # of 18 planted voxels
    assert selection.facts["training_trials"] == len(selection.trials) == 48
    assert set(selection.trials["series"]) == {"run-3", "run-4", "run-5"}


def test_encoding_finds_voxels_that_are_tuned_but_not_active(study):
    for run in study.runs[2:]:
        image = nib.load(run.maps)
        maps = np.array(image.dataobj)
        maps[study.planted] -= 3.0  # less active than the rest of the brain
        write_image(run.maps, maps, AFFINE)
    count = int(study.planted.sum())
    assert (study.select("mean_z", count).mask & study.planted).sum() == 0
    assert (study.select("encoding", count).mask & study.planted).sum() >= count - 2


def test_encoding_scores_are_correlations_of_runs_left_out(study):
    score = study.select("encoding").score[study.brain]
    planted = study.planted[study.brain]
    assert np.abs(score).max() <= 1
    assert np.median(score[planted]) > 0.7
    assert abs(np.median(score[~planted])) < 0.2


def test_reliability_needs_repeated_training_stimuli(study):
    with pytest.raises(DataError, match="0 of 48 were; repeats of test stimuli must not choose voxels"):
        study.select("reliability")


def test_reliability_finds_planted_voxels(tmp_path):
    names = [f"{number:04d}" for number in range(7, 19)]
    study = make_study(tmp_path / "repeated", training={"run-3": names, "run-4": names, "run-5": names})
    count = int(study.planted.sum())
    selection = study.select("reliability", count)
    assert (selection.mask & study.planted).sum() >= count - 2


def test_encoding_needs_several_runs(tmp_path):
    study = make_study(tmp_path / "one", training={"run-3": [f"{number:04d}" for number in range(7, 39)]})
    with pytest.raises(DataError, match="leaves whole training runs out, and there are 1"):
        study.select("encoding")


def test_ties_are_broken_by_place_and_said(study, caplog):
    cut = best_voxels(np.array([1.0, 3, 2, 2, 0, np.nan, 2]), 2)
    assert cut.chosen.tolist() == [1, 2]
    assert (cut.tied, cut.tied_taken, cut.lowest, cut.highest) == (3, 1, 2.0, 3.0)
    for run in study.runs[2:]:
        image = nib.load(run.maps)
        maps = np.array(image.dataobj)
        maps[study.brain] = maps[study.brain][0]  # all voxels alike
        write_image(run.maps, maps, AFFINE)
    with caplog.at_level(logging.INFO):
        selection = study.select(count=7)
    first = np.flatnonzero(study.brain)[:7]
    assert np.array_equal(np.flatnonzero(selection.mask), first)
    assert "150 voxels tie at the cut: the first 7 in the order of the volume were taken" in caplog.text
    assert selection.facts["tied_taken"] == 7


def test_too_few_voxels_name_the_number_to_set(study):
    with pytest.raises(DataError, match=r"151 voxels are asked for but only 150 .* Set responses.voxels to 150"):
        study.select(count=151)


def test_voxels_that_never_vary_or_are_not_finite_are_not_chosen(study):
    for run in study.runs[2:]:
        maps = np.array(nib.load(run.maps).dataobj)
        maps[2, 1, 1] = 50.0
        maps[2, 1, 2, 0] = np.nan
        write_image(run.maps, maps, AFFINE)
    selection = study.select()
    assert not selection.mask[2, 1, 1]
    assert not selection.mask[2, 1, 2]
    assert selection.facts["unusable_voxels"] == 2
    assert selection.facts["candidates"] == 148
    with pytest.raises(DataError, match="only 148 can be used"):
        study.select(count=149)


def write_region(path, values, affine=AFFINE):
    nib.save(nib.Nifti1Image(np.asarray(values), affine), path)
    return path


def test_a_region_on_a_finer_grid_is_resampled_by_nearest_neighbour(study, tmp_path):
    fine = np.zeros((12, 12, 12), np.uint8)
    fine[4:8, 2:8, 2:8] = 1
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -1  # voxel (2i, 2j, 2k) and its neighbour share the coarse voxel (i, j, k)
    region = read_region(write_region(tmp_path / "roi.nii.gz", fine, affine), study.brain, AFFINE)
    expected = np.zeros(SHAPE, bool)
    for index in np.ndindex(SHAPE):
        place = np.rint((4.0 * np.array(index) + 1) / 2).astype(int)
        expected[index] = (place < 12).all() and fine[tuple(np.minimum(place, 11))] == 1
    assert expected.any()
    assert np.array_equal(region, expected & study.brain)
    study.region = region
    selection = study.select(count=8)
    assert not (selection.mask & ~region).any()
    assert selection.facts["region_voxels"] == region.sum()
    with pytest.raises(DataError, match=f"only {region.sum()} can be used within the region"):
        study.select(count=int(region.sum()) + 1)


@pytest.mark.parametrize(
    ("values", "affine", "message"),
    [
        (np.zeros(SHAPE, np.uint8), AFFINE, "it is empty"),
        (np.arange(216.0).reshape(SHAPE), AFFINE, "holds 215 values beside 0"),
        (np.ones((*SHAPE, 2), np.uint8), AFFINE, "4 dimensions"),
        (np.ones(SHAPE, np.uint8), np.diag([4.0, 4, 0, 1]), "affine cannot be inverted"),
        (np.ones(SHAPE, np.complex64), AFFINE, "type complex64"),
    ],
)
def test_what_is_no_mask_is_named_before_anything_runs(tmp_path, values, affine, message):
    path = tmp_path / "roi.nii"
    image = nib.Nifti1Image(values, AFFINE)
    image.set_sform(affine, 1)
    nib.save(image, path)
    faults = find_region_faults([[path], []])
    assert len(faults) == 1
    assert message in str(faults[0])
    assert str(path) in str(faults[0])


def test_a_missing_or_broken_region_is_named(tmp_path):
    assert "does not exist" in str(find_region_faults([[tmp_path / "no.nii"]])[0])
    path = write_region(tmp_path / "short.nii", np.ones(SHAPE, np.uint8))
    path.write_bytes(path.read_bytes()[:-50])
    assert isinstance(find_region_faults([[path]])[0], HyperError)


def test_a_region_elsewhere_is_refused(study, tmp_path):
    far = AFFINE.copy()
    far[:3, 3] = 500
    path = write_region(tmp_path / "far.nii", np.ones(SHAPE, np.uint8), far)
    with pytest.raises(DataError, match="does not meet the brain"):
        read_region(path, study.brain, AFFINE)


def test_nan_outside_a_region_is_outside(study, tmp_path):
    values = np.full(SHAPE, np.nan, np.float32)
    values[3] = 1
    region = read_region(write_region(tmp_path / "nan.nii", values), study.brain, AFFINE)
    assert np.array_equal(region, (values == 1) & study.brain)
