import numpy as np
import pytest

from hyper.errors import DatasetError
from hyper.io.volumes import iterate_volumes, write_image, write_series
from hyper.preprocess.align_run import align_run
from hyper.preprocess.motion import framewise_displacement, matrix_of, parameters_of
from hyper.preprocess.realign import realign_run


def displacement_error(found, true):
    """Absolute errors of framewise displacement, mm."""
    return np.abs(framewise_displacement(parameters_of(found)) - framewise_displacement(parameters_of(true)))[1:]


def write_run(path, run, affine):
    write_series(path, [run], run.shape, affine, 1.5, np.int16)
    return path


@pytest.fixture(scope="module")
def moved(head, bold_grid, tmp_path_factory, random_motion):
    poses = random_motion(30, seed=1)
    run = head.run(bold_grid, poses)
    return write_run(tmp_path_factory.mktemp("run") / "bold.nii.gz", run, bold_grid[1]), poses


def test_large_motion_at_4_mm_is_found(moved):
    path, poses = moved
    result = realign_run(path)
    errors = displacement_error(result.matrices, poses)
    assert displacement_error(np.repeat(np.eye(4)[None], 30, 0), poses).mean() > 0.5
    assert errors.mean() < 0.03
    assert errors.max() < 0.12
    relative = result.matrices @ np.linalg.inv(result.matrices[0])
    np.testing.assert_allclose(relative[:, :3, 3], poses[:, :3, 3], atol=0.15)


def test_mean_is_that_of_realigned_volumes(head, bold_grid, moved):
    path, _ = moved
    rest = head.run(bold_grid, np.eye(4)[None], snr=1e6)[..., 0]
    unmoved = np.concatenate(list(iterate_volumes(path)), axis=3).mean(3)
    errors = [np.sqrt(np.mean((mean - rest)[5:-5, 5:-5, 5:-5] ** 2)) for mean in (realign_run(path).boldref, unmoved)]
    assert errors[0] < 0.6 * errors[1]


def test_result_is_the_same_twice_and_with_threads(moved):
    path, _ = moved
    once, again = realign_run(path, seed=3), realign_run(path, seed=3, threads=3)
    assert np.array_equal(once.matrices, again.matrices)
    assert np.array_equal(once.boldref, again.boldref)
    assert np.array_equal(once.misfit, again.misfit)
    assert not np.array_equal(once.matrices, realign_run(path, seed=4).matrices)


@pytest.mark.parametrize("kind", ["LAS", "oblique"])
def test_other_orientations(head, bold_grid, tmp_path, kind, random_motion):
    shape, affine = bold_grid
    affine = affine.copy()
    if kind == "LAS":
        affine[0] *= -1
    else:
        affine = matrix_of(np.array([0, 0, 0, 0.25, -0.1, 0.15])) @ affine
    poses = random_motion(6, seed=2)
    path = write_run(tmp_path / "bold.nii.gz", head.run((shape, affine), poses), affine)
    assert displacement_error(realign_run(path).matrices, poses).mean() < 0.05


def test_two_volumes_and_nan(head, bold_grid, tmp_path, random_motion):
    poses = random_motion(2, seed=4, mm=1, degrees=1)
    run = head.run(bold_grid, poses)
    run[:2] = np.nan
    path = tmp_path / "bold.nii"
    write_series(path, [run], run.shape, bold_grid[1], 1.5, np.float32)
    result = realign_run(path)
    assert np.isfinite(result.boldref).all()
    assert displacement_error(result.matrices, poses).mean() < 0.05


@pytest.mark.parametrize("shape", [(20, 20, 20), (20, 20, 20, 1)])
def test_single_volume_is_refused(tmp_path, shape):
    write_image(tmp_path / "bold.nii.gz", np.ones(shape, np.float32), np.eye(4))
    with pytest.raises(DatasetError, match="at least two volumes"):
        realign_run(tmp_path / "bold.nii.gz")


def test_constant_run_is_refused(tmp_path):
    write_image(tmp_path / "bold.nii.gz", np.ones((20, 20, 20, 3), np.float32), np.diag([3, 3, 3, 1.0]))
    with pytest.raises(DatasetError, match="volume 1 of 3 is constant"):
        realign_run(tmp_path / "bold.nii.gz")


def test_align_run_finds_a_move_between_runs_on_another_grid(head, bold_grid):
    between = matrix_of(np.array([14, -9, 11, 0.08, -0.06, 0.1]))
    shape, affine = bold_grid
    reference = head.run(bold_grid, np.eye(4)[None])[..., 0]
    other = between @ affine @ np.diag([-1, 1, 1, 1])
    other[:3, 3] += 2 * affine[0, 0] * 24 * (between @ affine)[:3, 0] / np.linalg.norm((between @ affine)[:3, 0])
    moved = head.run((shape, other), between[None], seed=1)[..., 0]
    found = align_run(reference, affine, moved, other)
    points = np.random.default_rng(0).uniform(-60, 60, (3, 200))
    apart = (found - between)[:3, :3] @ points + (found - between)[:3, 3:]
    assert np.linalg.norm(apart, axis=0).mean() < 0.15


def test_align_run_of_the_reference_itself_is_the_identity(head, bold_grid):
    reference = head.run(bold_grid, np.eye(4)[None])[..., 0]
    assert np.array_equal(align_run(reference, bold_grid[1], reference.copy(), bold_grid[1]), np.eye(4))
