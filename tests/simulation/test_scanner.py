import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from hyper.io.arrays import read_arrays
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.motion import matrix_of, parameters_of
from hyper.simulation.motion import draw_motion
from hyper.simulation.planting import Tuning
from hyper.simulation.run import simulate_run
from hyper.simulation.scanner import acquire, place_scanner

SILENT = {
    "tsnr": 1e9, "thermal": 0.0, "smooth": 0.0, "smoothness": 14.0, "autocorrelation": 0.0, "drift": 0.0,
    "drift_terms": 0,
}  # fmt: skip


def scan(phantom, settings, motion, noise, changes=None, **scanner):
    view = place_scanner({**settings["scanner"], **scanner}, phantom, 3, "01")
    if changes is None:
        changes = np.zeros((len(motion), len(phantom.voxels)), np.float32)
    rng = np.random.default_rng(5)
    return np.concatenate(list(acquire(phantom, view, motion, changes, noise, 1000.0, rng)), axis=3), view


def test_scanner_is_tilted_and_sees_the_whole_brain(phantom, settings):
    data, view = scan(phantom, settings, np.eye(4)[None], SILENT)
    assert np.allclose(np.linalg.norm(view.affine[:3, :3], axis=0), 8)
    assert abs(np.rad2deg(np.arcsin(view.affine[2, 1] / 8))) == pytest.approx(settings["scanner"]["tilt"])
    inside = data[data > 600]
    assert inside.size * 8**3 / 1e6 > 1.0
    assert 800 < np.median(inside) < 1200


def test_planted_motion_can_be_read_from_noise_free_volumes(phantom, settings):
    step = np.array([1.5, -1.0, 0.8, np.deg2rad(1.5), np.deg2rad(-1), np.deg2rad(2)])
    motion = matrix_of(np.array([[0.5, 0.2, 0, 0.01, 0, 0], step]))
    data, view = scan(phantom, settings, motion, SILENT, shape=[48, 56, 40], voxel=4.0, coil=0.0)
    planted = motion[1] @ np.linalg.inv(motion[0])
    points, inverse = grid_points(view.shape, view.affine), np.linalg.inv(view.affine)
    inner = (data[..., 0] > 300).ravel()

    def mismatch(matrix):
        seen = apply_affine(inverse @ matrix, points[:, inner])
        return np.abs(ndimage.map_coordinates(data[..., 1], seen, order=3) - data[..., 0].ravel()[inner]).mean()

    best = mismatch(planted)
    assert best < 0.2 * mismatch(np.eye(4))
    for axis in range(6):
        for sign in (-1, 1):
            nudge = np.zeros(6)
            nudge[axis] = sign * (0.3 if axis < 3 else np.deg2rad(0.3))
            assert mismatch(planted @ matrix_of(nudge)) > best


def test_motion_starts_at_its_start_and_stays_in_bounds(settings):
    for series in ("task-hyper_run-01", "task-hyper_run-02"):
        motion = draw_motion(settings["motion"], 300, 3, "01", series)
        relative = parameters_of(motion @ np.linalg.inv(motion[0]))
        assert np.allclose(relative[0], 0)
        assert 0.5 < np.abs(relative[:, :3]).max() <= 2 + 1e-9
        assert 0.5 < np.rad2deg(np.abs(relative[:, 3:]).max()) <= 2 + 1e-9
        assert np.abs(np.diff(relative[:, :3], axis=0)).max() > 10 * np.median(np.abs(np.diff(relative[:, :3], axis=0)))
        assert np.linalg.norm(motion[0][:3, 3]) > 0


def test_noise_has_its_level_and_its_memory(phantom, settings):
    noise = {**settings["noise"], "drift": 0.0}
    data, _ = scan(phantom, settings, np.tile(np.eye(4), (300, 1, 1)), noise, coil=0.0)
    mean = data.mean(axis=3)
    series = data[(mean > 950) & (mean < 1050)]
    tsnr = np.median(series.mean(axis=1) / series.std(axis=1))
    assert tsnr == pytest.approx(noise["tsnr"], rel=0.08)
    centred = series - series.mean(axis=1, keepdims=True)
    lag = (centred[:, 1:] * centred[:, :-1]).sum() / (centred**2).sum()
    assert lag == pytest.approx(noise["autocorrelation"], abs=0.04)


def test_smooth_noise_is_shared_by_neighbours(phantom, settings):
    def neighbours(smooth):
        noise = {**settings["noise"], "drift": 0.0, "smooth": smooth, "thermal": 0.0, "smoothness": 40.0}
        data, _ = scan(phantom, settings, np.tile(np.eye(4), (80, 1, 1)), noise)
        both = (data[:-1].mean(axis=3) > 700) & (data[1:].mean(axis=3) > 700)
        a, b = data[:-1][both], data[1:][both]
        a, b = (part - part.mean(axis=1, keepdims=True) for part in (a, b))
        return (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())

    assert neighbours(1.0) > 0.85
    assert neighbours(0.0) < 0.35


def test_drift_is_slow(phantom, settings):
    noise = {**SILENT, "drift": 1.0, "drift_terms": 3}
    data, _ = scan(phantom, settings, np.tile(np.eye(4), (120, 1, 1)), noise)
    series = data[data.mean(axis=3) > 800]
    relative = series / series.mean(axis=1, keepdims=True) - 1
    assert 0.005 < relative.std() < 0.02
    assert np.abs(np.diff(relative, axis=1)).mean() < 0.1 * relative.std()


def test_planted_voxels_change_by_what_truth_says(phantom, settings):
    """A scanner whose voxels are the head's own grid sees exactly the planted percentages."""
    nodes = phantom.nodes.mean[None]
    changes = np.concatenate([0 * nodes, nodes]).astype(np.float32)
    motion = np.tile(np.eye(4), (2, 1, 1))
    view = place_scanner(settings["scanner"], phantom, 3, "01")
    ijk = np.array(np.unravel_index(phantom.voxels, phantom.epi.shape))
    at_nodes = type(view)(
        (len(phantom.voxels), 1, 1), np.eye(4), np.arange(len(phantom.voxels)),
        apply_affine(phantom.affine, ijk.astype(float)), np.ones(len(phantom.voxels), np.float32),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    (data,) = acquire(phantom, at_nodes, motion, changes, SILENT, 1000.0, rng)
    percent = 100 * (data[:, 0, 0, 1] / data[:, 0, 0, 0] - 1)
    assert np.allclose(percent, phantom.planted.mean, atol=0.02)


def test_files_of_a_run(study):
    for series in ("task-hyper_run-01", "task-hyper_run-02"):
        image = nib.load(study.path(series, "bold.nii.gz"))
        assert image.get_data_dtype() == np.int16
        assert image.shape[:3] == (24, 28, 20)
        assert image.header.get_zooms()[3] == 1.5
        truth, attributes = read_arrays(study.path(series, "truth.h5"))
        assert truth["motion"].shape == (image.shape[3], 4, 4)
        assert truth["responses"].shape[0] == len(truth["onsets"]) == len(truth["stimuli"])
        assert attributes["noise_tsnr"] == 60
    assert nib.load(study.path("task-hyper_run-01", "bold.nii.gz")).shape != image.shape


def test_a_run_repeats_bit_for_bit_and_differs_from_others(study, phantom, settings, latents, tmp_path):
    def make(subject, series):
        outputs = [tmp_path / f"{subject}_{series}_{name}" for name in ("bold.nii.gz", "events.tsv", "truth.h5")]
        simulate_run(phantom, latents, settings, 3, subject, series, *outputs)
        return outputs

    same = make("01", "task-hyper_run-02")
    assert same[0].read_bytes() == study.path("task-hyper_run-02", "bold.nii.gz").read_bytes()
    assert same[1].read_bytes() == study.path("task-hyper_run-02", "events.tsv").read_bytes()
    other = make("02", "task-hyper_run-02")
    assert other[1].read_bytes() != same[1].read_bytes()
    first, second = (read_arrays(path)[0]["motion"] for path in (same[2], other[2]))
    assert not np.allclose(first[:50], second[:50])


def test_tuning_of_a_trial_reaches_the_image(study, phantom, settings):
    """Responses ten times as large are visible in the planted voxels and nowhere else."""
    assert isinstance(phantom.nodes, Tuning)
    changes = np.zeros((2, len(phantom.voxels)), np.float32)
    changes[1] = 10.0
    data, view = scan(phantom, settings, np.tile(np.eye(4), (2, 1, 1)), SILENT, changes)
    change = np.divide(data[..., 1] - data[..., 0], data[..., 0], where=data[..., 0] > 300, out=np.zeros(view.shape))
    assert change.max() > 0.04
    front = grid_points(view.shape, view.affine)[1].reshape(view.shape) > 0
    assert np.abs(change[front]).max() < 1e-4
