import numpy as np
import pytest

from hyper.io.spaces import grid_points
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.splines import FWHM_PER_SIGMA, sample_spline, smooth_spline, spline_coefficients

SHAPE = (26, 28, 24)
AFFINE = matrix_of(np.array([4.0, -7, 2, 0.2, -0.1, 0.3])) @ np.diag([-2.0, 2, 2.5, 1])
WIDTH = 7.0


def blob(points, smoothing_mm=0.0):
    """An isotropic Gaussian after smoothing by another, in closed form."""
    centre = grid_points(SHAPE, AFFINE).mean(1, keepdims=True)
    variance = WIDTH**2 + (smoothing_mm / FWHM_PER_SIGMA) ** 2
    return 1000 * (WIDTH**2 / variance) ** 1.5 * np.exp(-((points - centre) ** 2).sum(0) / (2 * variance))


@pytest.fixture(scope="module")
def volume():
    return blob(grid_points(SHAPE, AFFINE)).reshape(SHAPE).astype(np.float32)


@pytest.fixture(scope="module")
def points():
    inner = np.random.default_rng(0).uniform(0.2, 0.8, (3, 500)) * (np.array(SHAPE)[:, None] - 1)
    return AFFINE[:3, :3] @ inner + AFFINE[:3, 3:]


@pytest.mark.parametrize("smoothing_mm", [0.0, 5.0, 10.0])
def test_values_are_those_of_the_smoothed_function(volume, points, smoothing_mm):
    spline = smooth_spline(volume, AFFINE, smoothing_mm)
    np.testing.assert_allclose(spline.sample(points), blob(points, smoothing_mm), atol=3)
    inside, values = spline.sample_inside(np.eye(4), points)
    assert inside.all()
    np.testing.assert_array_equal(values, spline.sample(points))


def test_nodes_are_thinned_out_with_the_smoothing(volume):
    sizes = [smooth_spline(volume, AFFINE, smoothing_mm).coefficients.size for smoothing_mm in (0.1, 5, 10, 20)]
    assert sizes[0] == volume.size
    assert sizes[1] > 3 * sizes[2] > 9 * sizes[3]


def test_coefficients_are_one_a_voxel(volume):
    coefficients = spline_coefficients(volume, AFFINE, 5.0)
    assert coefficients.shape == SHAPE
    voxels = np.random.default_rng(1).uniform(6, 16, (3, 200))
    world = AFFINE[:3, :3] @ voxels + AFFINE[:3, 3:]
    np.testing.assert_allclose(sample_spline(coefficients, voxels), blob(world, 5.0), atol=3)


def test_slices_that_do_not_count_are_bridged_or_left_out(volume, points):
    every_other = np.arange(SHAPE[2]) % 2 == 0
    lost = np.where(every_other, volume, 1e6)
    bridged = smooth_spline(lost, AFFINE, 10.0, slices=every_other)
    assert bridged.usable.all()
    np.testing.assert_allclose(bridged.sample(points), blob(points, 10.0), atol=15)
    lower = np.arange(SHAPE[2]) < 12
    half = smooth_spline(np.where(lower, volume, 1e6), AFFINE, 5.0, slices=lower)
    inside, values = half.sample_inside(np.eye(4), points)
    slices = (np.linalg.inv(AFFINE)[:3] @ np.vstack([points, np.ones(500)]))[2]
    assert inside[slices < 11].all()
    assert not inside[slices > 13].any()
    assert values.max() < 1000


def test_values_that_are_not_finite_count_as_zero(volume):
    holes = volume.copy()
    holes[:2], holes[-1, 0] = np.nan, np.inf
    zeros = volume.copy()
    zeros[:2], zeros[-1, 0] = 0, 0
    expected = smooth_spline(zeros, AFFINE, 5.0).coefficients
    np.testing.assert_array_equal(smooth_spline(holes, AFFINE, 5.0).coefficients, expected)
