"""Runs as scanners and heads make them: damaged volumes, drift, a brain that is cut, empty volumes."""

import tracemalloc

import numpy as np
import pytest

from hyper.errors import DatasetError
from hyper.io.volumes import write_series
from hyper.preprocess.motion import framewise_displacement, motion_table, parameters_of
from hyper.preprocess.outliers import hopeless_fits, poor_fits, sound_slices
from hyper.preprocess.realign import realign_run
from hyper.preprocess.rigid import Fit

VOLUMES = 24
LOST_HALF, LOST_EVERY_OTHER, BRIGHT, SPIKE, NOISE = 5, 9, 13, 17, 21
DAMAGED = [LOST_HALF, LOST_EVERY_OTHER, BRIGHT, SPIKE, NOISE]


def write_run(path, run, affine, dtype=np.int16):
    write_series(path, [run], run.shape, affine, 1.5, dtype)
    return path


def pose_errors(found, true):
    """Power's sum of what is left of each pose relative to the others', mm."""
    left = np.linalg.inv(found @ np.linalg.inv(found[0])) @ true @ np.linalg.inv(true[0])
    rest = parameters_of(left) * [1, 1, 1, 50, 50, 50]
    return np.abs(rest - np.median(rest, axis=0)).sum(1)


@pytest.fixture(scope="module")
def sound(head, bold_grid, random_motion):
    poses = random_motion(VOLUMES, seed=7, mm=1.5, degrees=1.5)
    return head.run(bold_grid, poses), poses


@pytest.fixture(scope="module")
def realigned(sound, bold_grid, tmp_path_factory):
    """The run, and the same with five volumes damaged."""
    folder, run = tmp_path_factory.mktemp("damage"), sound[0]
    spoilt = run.copy()
    spoilt[:, :, 20:, LOST_HALF] *= 0.02
    spoilt[:, :, 1::2, LOST_EVERY_OTHER] *= 0.02
    spoilt[15:25, 20:30, 15:25, BRIGHT] *= 4
    stripes = np.sin(2 * np.pi * (0.21 * np.arange(48)[:, None] + 0.13 * np.arange(52)))
    spoilt[..., SPIKE] += 150 * stripes[:, :, None]
    spoilt[..., NOISE] = 1000 * np.random.default_rng(3).uniform(size=run.shape[:3])
    return [
        realign_run(write_run(folder / f"{name}.nii.gz", values, bold_grid[1]))
        for name, values in (("sound", run), ("spoilt", spoilt))
    ]


def test_damaged_volumes_and_no_others_are_marked(realigned):
    sound, spoilt = realigned
    assert np.flatnonzero(spoilt.outliers).tolist() == DAMAGED
    assert not sound.outliers.any()
    table = motion_table(spoilt.matrices, 50.0, spoilt.misfit, spoilt.outliers)
    assert np.flatnonzero(table["outlier"]).tolist() == DAMAGED
    assert table["misfit"].drop(DAMAGED).max() < 0.1


def test_damaged_volumes_leave_the_others_as_they_were(realigned, sound):
    others = np.delete(np.arange(VOLUMES), DAMAGED)
    clean, spoilt = (result.matrices[others] for result in realigned)
    moved = parameters_of(spoilt) - parameters_of(clean)
    moved -= np.median(moved, axis=0)
    assert (np.abs(moved) * [1, 1, 1, 50, 50, 50]).sum(1).max() < 0.02
    assert pose_errors(spoilt, sound[1][others]).mean() < 0.03


def test_poses_of_damaged_volumes_stay_sane(realigned, sound):
    errors = pose_errors(realigned[1].matrices, sound[1])
    assert errors[[LOST_HALF, BRIGHT]].max() < 0.1
    assert errors[[LOST_EVERY_OTHER, SPIKE]].max() < 0.5
    # nothing can be known of noise: it is put between its neighbours
    parameters = parameters_of(realigned[1].matrices)
    np.testing.assert_allclose(parameters[NOISE], parameters[[NOISE - 1, NOISE + 1]].mean(0), atol=1e-9)


def test_mean_is_without_damaged_volumes(realigned):
    clean, spoilt = (result.boldref for result in realigned)
    assert np.sqrt(np.mean((clean - spoilt) ** 2)) < 0.01 * clean[clean > 500].mean()


def test_first_volume_may_be_the_damaged_one(sound, bold_grid, tmp_path):
    run, poses = sound
    run = run[..., :12].copy()
    run[:, :, 20:, 0] = 0
    result = realign_run(write_run(tmp_path / "bold.nii.gz", run, bold_grid[1]))
    assert np.flatnonzero(result.outliers).tolist() == [0]
    assert pose_errors(result.matrices[1:], poses[1:12]).mean() < 0.03
    assert result.boldref[20:28, 22:30, 25:30].mean() > 500


def test_intensity_drift_is_not_motion(sound, bold_grid, tmp_path):
    run, poses = sound
    drift = np.linspace(1, 0.7, VOLUMES) * (1 + 0.1 * np.sin(np.arange(VOLUMES)))
    result = realign_run(write_run(tmp_path / "bold.nii.gz", run * drift, bold_grid[1]))
    assert not result.outliers.any()
    assert pose_errors(result.matrices, poses).mean() < 0.03


def test_brain_cut_by_the_field_of_view(head, bold_grid, tmp_path, random_motion):
    (x, y, _), affine = bold_grid
    affine = affine.copy()
    affine[2, 3] += 40
    grid = ((x, y - 10, 16), affine)
    poses = random_motion(12, seed=8)
    run = head.run(grid, poses)
    assert (run[:, :, [0, -1]] > 500).mean() > 0.2
    result = realign_run(write_run(tmp_path / "bold.nii.gz", run, affine))
    assert not result.outliers.any()
    assert pose_errors(result.matrices, poses).mean() < 0.06
    assert pose_errors(np.repeat(np.eye(4)[None], 12, 0), poses).mean() > 1


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan])
def test_volume_without_content_is_refused_before_anything_is_fitted(sound, bold_grid, tmp_path, value):
    run = sound[0][..., :4].copy()
    run[..., 2] = value
    path = write_run(tmp_path / "bold.nii", run, bold_grid[1], np.float32)
    with pytest.raises(DatasetError, match=r"bold\.nii: volume 3 of 4 is constant .* cut that volume out"):
        realign_run(path)


def test_memory_does_not_grow_with_the_run(sound, bold_grid, tmp_path):
    run = sound[0][12:36, 13:39, 10:30, :20]
    peaks = []
    for repeats in (2, 8):
        path = write_run(tmp_path / f"{repeats}.nii.gz", np.concatenate([run] * repeats, axis=3), bold_grid[1])
        tracemalloc.start()
        realign_run(path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 0.9 * 4 * run.size * 8


def test_slices_at_the_edge_of_the_head_are_not_judged_by_themselves():
    typical = np.array([5.0, 20, 60, 100, 110, 100, 80, 30, 5])
    moved = np.array([2.0, 6, 40, 85, 108, 105, 90, 75, 14])
    assert sound_slices(moved, typical).all()
    lost = np.where(np.arange(9) < 3, 0.1 * typical, typical)
    assert sound_slices(lost, typical).tolist() == [False] * 3 + [True] * 6
    assert sound_slices(np.zeros(9), typical).all()


def test_poor_fits_stand_out_from_the_run():
    misfits = np.array([0.03, 0.035, 0.04, 0.03, 0.2, 0.9, np.inf, np.nan])
    assert poor_fits(misfits[:5]).tolist() == [False] * 4 + [True]
    assert poor_fits(misfits[[0, 1, 2, 3, 5, 6, 7]]).tolist() == [False] * 4 + [True] * 3
    fits = [Fit(np.eye(4), 2.0, bulk) for bulk in (0.1, 0.6, np.inf, np.nan)]
    assert hopeless_fits(fits).tolist() == [False, True, True, True]


def test_displacement_next_to_a_bridged_volume_is_finite(realigned):
    displacement = framewise_displacement(parameters_of(realigned[1].matrices))[1:]
    assert np.isfinite(displacement).all()
    assert displacement.max() < 20
