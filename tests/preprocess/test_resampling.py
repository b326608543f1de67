import tracemalloc

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import iterate_volumes, write_series
from hyper.preprocess.interpolation import interpolate
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.resampling import bold_mask, resample_run, template_grid
from hyper.preprocess.template import load_template


@pytest.fixture(scope="module")
def template():
    return load_template(4.0)


@pytest.fixture(scope="module")
def identity_map(template):
    return grid_points(template.brain.shape, template.affine).T.reshape(*template.brain.shape, 3).astype(np.float32)


@pytest.fixture(scope="module")
def run(template):
    smooth = [ndimage.gaussian_filter(v, 1.5) for v in np.random.default_rng(0).normal(size=(3, *template.brain.shape))]
    return (1000 + 400 * np.stack(smooth, axis=3)).astype(np.float32)


def read(path):
    return np.concatenate(list(iterate_volumes(path)), axis=3)


def still(volumes):
    return np.repeat(np.eye(4)[None], volumes, 0)


def test_no_motion_and_no_warp_give_the_input_back(tmp_path, template, identity_map, run):
    write_series(tmp_path / "in.nii.gz", [run], run.shape, template.affine, 1.5)
    grid = template_grid(identity_map, template.affine)
    mean = resample_run(tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", grid, still(3), 1.5, dtype="float32")
    out = read(tmp_path / "out.nii.gz")
    np.testing.assert_allclose(out[template.brain], run[template.brain], rtol=1e-4)
    assert (out[~template.brain] == 0).all()
    np.testing.assert_allclose(mean[template.brain], run[template.brain].mean(1), rtol=1e-4)
    image = nib.load(tmp_path / "out.nii.gz")
    assert image.header.get_zooms()[3] == 1.5
    np.testing.assert_allclose(image.affine, template.affine)


@pytest.mark.parametrize(("interpolation", "order"), [("linear", 1), ("cubic", 3)])
def test_composed_transforms_equal_a_direct_computation(
    tmp_path, template, identity_map, run, interpolation, order, random_motion
):
    to_t1w = matrix_of(np.array([3, -2, 1, 0.05, 0.02, -0.03])) @ np.diag([1.03, 0.97, 1.01, 1])
    to_reference = matrix_of(np.array([-4, 1, 2, 0.01, -0.04, 0.02]))
    to_boldref = matrix_of(np.array([1, 1, -1, 0.02, 0.0, 0.01]))
    motion = random_motion(3, seed=0)
    affine = template.affine @ np.diag([-1, 1, 1, 1])
    affine[0, 3] = -template.affine[0, 3]
    write_series(tmp_path / "in.nii.gz", [run], run.shape, affine, 2.0)
    world = apply_affine(to_t1w, identity_map.reshape(-1, 3).T.astype(float))
    grid = template_grid(world.T.reshape(identity_map.shape), template.affine).moved(to_boldref @ to_reference)
    path = tmp_path / "out.nii.gz"
    options = {"interpolation": interpolation, "dtype": "float32"}
    resample_run(tmp_path / "in.nii.gz", path, grid, motion, 2.0, **options, threads=2)
    out, random = read(path), np.random.default_rng(1)
    for voxel in random.choice(np.argwhere(ndimage.binary_erosion(template.brain, iterations=6)), 10):
        for volume in range(3):
            point = np.append(template.affine[:3, :3] @ voxel + template.affine[:3, 3], 1)
            place = np.linalg.inv(affine) @ motion[volume] @ to_boldref @ to_reference @ to_t1w @ point
            direct = ndimage.map_coordinates(
                run[..., volume].astype(float), place[:3, None], order=order, mode="mirror"
            )
            assert out[(*voxel, volume)] == pytest.approx(direct[0], rel=1e-4)


def test_lanczos_is_a_windowed_sinc_along_each_axis():
    volume = np.random.default_rng(0).uniform(size=(12, 11, 10)).astype(np.float32)
    place = np.array([[5.3], [4.75], [5.1]])

    def weights(at, size):
        away = at - np.arange(size)
        values = np.where(np.abs(away) < 3, np.sinc(away) * np.sinc(away / 3), 0)
        return values / values.sum()

    x, y, z = (weights(at, size) for at, size in zip(place[:, 0], volume.shape, strict=True))
    expected = np.einsum("ijk,i,j,k", volume.astype(float), x, y, z)
    values, inside = interpolate(volume, np.eye(4), place, "lanczos")
    assert inside.all()
    assert values[0] == pytest.approx(expected, rel=1e-5)
    grid = grid_points(volume.shape, np.eye(4))
    np.testing.assert_allclose(interpolate(volume, np.eye(4), grid, "lanczos")[0], volume.ravel(), atol=1e-5)


@pytest.mark.parametrize("interpolation", ["cubic", "lanczos"])
def test_overshoot_below_zero_is_clipped_where_the_input_has_none(interpolation):
    edge = np.zeros((14, 14, 14), np.float32)
    edge[7:] = 1000
    beside = grid_points((13, 1, 1), np.eye(4)) + np.array([[0.4], [7], [7]])
    values, _ = interpolate(edge, np.eye(4), beside, interpolation)
    below, _ = interpolate(edge - 1, np.eye(4), beside, interpolation)
    assert values.min() == 0
    assert below.min() < -5
    assert values.max() > 1000


def test_only_the_part_that_is_looked_at_matters():
    """The prefilter works on a part of the volume; what lies further away changes nothing worth mentioning."""
    volume = np.random.default_rng(0).uniform(500, 1000, size=(60, 60, 60)).astype(np.float32)
    points = np.random.default_rng(1).uniform(25, 35, size=(3, 500))
    exact = ndimage.map_coordinates(volume.astype(float), points, order=3, mode="mirror")
    np.testing.assert_allclose(interpolate(volume, np.eye(4), points)[0], exact, rtol=2e-6)


def test_same_bytes_with_one_thread_and_two(tmp_path, template, identity_map, run, random_motion):
    write_series(tmp_path / "in.nii.gz", [run], run.shape, template.affine, 1.5)
    grid = template_grid(identity_map, template.affine)
    motion = random_motion(3, seed=0)
    for threads in (1, 2):
        resample_run(tmp_path / "in.nii.gz", tmp_path / f"{threads}.nii.gz", grid, motion, 1.5, threads=threads)
    assert (tmp_path / "1.nii.gz").read_bytes() == (tmp_path / "2.nii.gz").read_bytes()


def test_smoothing_has_the_width_asked_for_and_keeps_the_edge(tmp_path, template, identity_map):
    flat = np.full((*template.brain.shape, 2), 700.0, np.float32)
    point = flat.copy()
    centre = np.array(template.brain.shape) // 2
    point[(*centre, slice(None))] += 1000
    grid = template_grid(identity_map, template.affine)
    for name, values in (("flat", flat), ("point", point)):
        write_series(tmp_path / f"{name}.nii.gz", [values], values.shape, template.affine, 1.5)
        options = {"smoothing_mm": 12.0, "dtype": "float32"}
        resample_run(tmp_path / f"{name}.nii.gz", tmp_path / f"s{name}.nii.gz", grid, still(2), 1.5, **options)
    smooth = read(tmp_path / "sflat.nii.gz")
    np.testing.assert_allclose(smooth[template.brain], 700, rtol=1e-4)
    assert (smooth[~template.brain] == 0).all()
    bump = (read(tmp_path / "spoint.nii.gz") - smooth)[..., 0]
    profile = bump[:, centre[1], centre[2]]
    assert bump.sum() == pytest.approx(1000, rel=0.02)
    half = np.interp(6.0 / 4.0, np.arange(6), profile[centre[0] : centre[0] + 6])
    assert half == pytest.approx(profile[centre[0]] / 2, rel=0.06)


def test_memory_does_not_grow_with_the_run(tmp_path, template, identity_map, run):
    grid, peaks = template_grid(identity_map, template.affine), []
    for repeats in (20, 60):
        volumes = 3 * repeats
        path = tmp_path / f"{volumes}.nii.gz"
        write_series(path, [run] * repeats, (*run.shape[:3], volumes), template.affine, 1.5, np.int16)
        tracemalloc.start()
        resample_run(path, tmp_path / "out.nii.gz", grid, still(volumes), 1.5, threads=2)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 60 * run[..., 0].nbytes * 4


def test_outside_the_field_of_view_is_zero_and_not_in_the_mask(tmp_path, template, identity_map, run):
    cut = run[:, :, 16:]
    affine = template.affine.copy()
    affine[:3, 3] += affine[:3, 2] * 16
    write_series(tmp_path / "in.nii.gz", [cut], cut.shape, affine, 1.5)
    motion = still(3)
    motion[2, 2, 3] = -8.0
    grid = template_grid(identity_map, template.affine, margin_mm=4.0)
    mean = resample_run(tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", grid, motion, 1.5)
    out = read(tmp_path / "out.nii.gz")
    assert (out[:, :, :16] == 0).all()
    assert (out[:, :, 17][template.brain[:, :, 17]][:, :2] > 0).all()
    assert (out[:, :, 17][..., 2] == 0).all()
    assert (mean[:, :, 17] == 0).all()
    mask = bold_mask([mean, run.mean(3)], template.brain)
    assert not mask[:, :, :18].any()
    assert np.array_equal(mask[:, :, 19:], template.brain[:, :, 19:])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 60.0])
def test_int16_is_scaled_to_the_data(tmp_path, template, identity_map, run, scale):
    grid = template_grid(identity_map, template.affine)
    values = (run * scale).astype(np.float32)
    write_series(tmp_path / "in.nii.gz", [values], run.shape, template.affine, 1.5)
    resample_run(tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", grid, still(3), 1.5, dtype="int16")
    resample_run(tmp_path / "in.nii.gz", tmp_path / "exact.nii.gz", grid, still(3), 1.5, dtype="float32")
    assert nib.load(tmp_path / "out.nii.gz").get_data_dtype() == np.int16
    exact = read(tmp_path / "exact.nii.gz")
    step = 4 * np.abs(exact).max() / 32767
    assert np.abs(read(tmp_path / "out.nii.gz") - exact).max() <= 0.51 * step


def test_contradictions_are_refused(tmp_path, template, identity_map, run):
    write_series(tmp_path / "in.nii.gz", [run], run.shape, template.affine, 1.5)
    grid = template_grid(identity_map, template.affine)
    with pytest.raises(DataError, match="3 volumes but 2 poses"):
        resample_run(tmp_path / "in.nii.gz", tmp_path / "out.nii.gz", grid, still(2), 1.5)
    with pytest.raises(DataError, match="grid"):
        template_grid(identity_map[1:], template.affine)
    with pytest.raises(DataError, match="field of view"):
        bold_mask([np.zeros(template.brain.shape)], template.brain)


def test_mask_leaves_out_weak_signal(template):
    mean = np.where(template.brain, 100.0, 0.0)
    weak = tuple(np.argwhere(template.brain)[500])
    mean[weak] = 10.0
    assert bold_mask([mean], template.brain).sum() == template.brain.sum()
    assert not bold_mask([mean], template.brain, least_signal=0.2)[weak]
