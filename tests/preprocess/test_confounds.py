import numpy as np
import pytest
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.tables import read_table, write_table
from hyper.io.volumes import write_image, write_series
from hyper.preprocess import confounds as module
from hyper.preprocess.confound_names import FIXED, MOTION, expand_confounds, unknown_confound
from hyper.preprocess.confounds import confounds_table, describe_confounds, measure_run, tissue_masks
from hyper.preprocess.moments import Moments, signal_to_noise
from hyper.preprocess.motion import matrix_of, motion_table
from hyper.preprocess.template import load_template

VOLUMES, TR = 40, 1.5


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Autocorrelated noise on the template's tissues, each with a signal of its own; one voxel is constant."""
    folder, template, rng = tmp_path_factory.mktemp("run"), load_template(6.0), np.random.default_rng(0)
    noise = rng.normal(size=(VOLUMES, *template.brain.shape))
    noise[1:] += 0.6 * noise[:-1]
    signals = rng.normal(size=(VOLUMES, 2))
    base = 800 + 100 * template.gm
    data = base + 8 * noise + 12 * (signals[:, :1, None, None] * template.wm[None])
    data += 20 * signals[:, 1, None, None, None] * np.clip(template.brain - template.gm - template.wm, 0, 1)
    data = np.moveaxis(data * template.brain, 0, 3).astype(np.float32)
    data[tuple(np.argwhere(template.brain)[100])] = 700
    write_series(folder / "bold.nii.gz", [data], data.shape, template.affine, TR)
    write_image(folder / "mask.nii.gz", template.brain.astype(np.uint8), template.affine)
    return folder, data, template, signals


def test_dvars_by_the_book(run):
    """The arithmetic of nipype's compute_dvars, voxel by voxel."""
    folder, data, template, _ = run
    quality = measure_run(folder / "bold.nii.gz", folder / "mask.nii.gz")
    inside = data[template.brain].astype(float)
    scaled = inside / np.median(inside) * 1000
    scaled = scaled[scaled.std(1) > 0]
    quartiles = np.percentile(scaled, [25, 75], axis=1, method="lower")
    centred = scaled - scaled.mean(1, keepdims=True)
    lag = np.array([np.correlate(row[1:], row[:-1])[0] / np.correlate(row, row)[0] for row in centred])
    expected = (np.sqrt(2 * (1 - lag)) * (quartiles[1] - quartiles[0]) / 1.349).mean()
    nstd = np.sqrt((np.diff(scaled, axis=1) ** 2).mean(0))
    assert len(scaled) == template.brain.sum() - 1
    assert np.isnan(quality.signals["dvars"][0])
    assert np.allclose(quality.signals["dvars"][1:], nstd, rtol=1e-5)
    assert np.allclose(quality.signals["std_dvars"][1:], nstd / expected, rtol=1e-5)


def test_a_sample_of_voxels_is_near_enough(run, monkeypatch):
    """What a long run does: medians and quartiles of some voxels only."""
    folder = run[0]
    whole = measure_run(folder / "bold.nii.gz", folder / "mask.nii.gz").signals
    monkeypatch.setattr(module, "_SAMPLES", 1500 * VOLUMES)
    part = measure_run(folder / "bold.nii.gz", folder / "mask.nii.gz").signals
    assert not np.array_equal(part["dvars"][1:], whole["dvars"][1:])
    for name in ("dvars", "std_dvars"):
        assert np.abs(part[name][1:] / whole[name][1:] - 1).max() < 0.02
    assert np.array_equal(part["csf"], whole["csf"])


def test_tissues_follow_their_own_signal(run):
    folder, data, template, signals = run
    quality = measure_run(folder / "bold.nii.gz", folder / "mask.nii.gz")
    white, fluid = (quality.signals[name] for name in ("white_matter", "csf"))
    assert np.corrcoef(white, signals[:, 0])[0, 1] > 0.98
    assert np.corrcoef(fluid, signals[:, 1])[0, 1] > 0.95
    assert abs(np.corrcoef(white, signals[:, 1])[0, 1]) < 0.4
    assert np.allclose(quality.signals["global_signal"], data[template.brain].mean(0), rtol=1e-5)


def test_moments_and_carpet(run):
    folder, data, template, _ = run
    quality = measure_run(folder / "bold.nii.gz", folder / "mask.nii.gz")
    inside = data[template.brain].astype(float)
    time = np.linspace(-1, 1, VOLUMES)
    trend = np.vander(time, 3)
    residual = inside - (trend @ np.linalg.lstsq(trend, inside.T, rcond=None)[0]).T
    deviation = np.sqrt((residual**2).sum(1) / (VOLUMES - 3))
    assert np.allclose(quality.mean[template.brain], inside.mean(1), rtol=1e-6)
    expected = np.where(deviation > 1e-6, inside.mean(1) / np.maximum(deviation, 1e-6), 0)
    assert np.allclose(quality.signal_to_noise[template.brain], expected, rtol=1e-3, atol=1e-3)
    assert quality.carpet.shape == (len(quality.tissues), VOLUMES)
    assert list(dict.fromkeys(quality.tissues)) == list(module.CLASSES)
    assert abs(quality.carpet.mean()) < 1e-3


def test_moments_need_every_volume():
    moments = Moments(5, 2)
    moments.add(np.ones((4, 2)))
    with pytest.raises(DataError, match="4 volumes where 5 are due"):
        moments.finish()


def test_signal_to_noise_of_a_constant_voxel_is_zero():
    assert signal_to_noise(np.array([100.0, 50]), np.array([0.0, 2])).tolist() == [0, 25]


@pytest.mark.parametrize("resolution", [2.0, 4.0])
def test_tissue_masks_are_inside_and_apart(resolution):
    template = load_template(resolution)
    masks = tissue_masks(np.array(template.brain), template.affine)
    assert not (masks["csf"] & masks["white_matter"]).any()
    assert template.wm[masks["white_matter"]].mean() > 0.9
    depth = ndimage.distance_transform_edt(template.brain, sampling=[resolution] * 3)
    assert depth[masks["csf"]].min() > 8
    points = np.argwhere(masks["csf"]) @ template.affine[:3, :3].T + template.affine[:3, 3]
    for side in (-1, 1):
        ventricle = np.linalg.norm(points - [side * 13, -15, 15], axis=1) < 20
        assert ventricle.sum() * resolution**3 > 600
    assert 4e3 < masks["csf"].sum() * resolution**3 < 2e4


@pytest.fixture
def motion():
    rng = np.random.default_rng(1)
    return motion_table(
        matrix_of(np.cumsum(rng.normal(size=(VOLUMES, 6)) * [0.1, 0.1, 0.1, 0.001, 0.001, 0.001], axis=0))
    )


def signals():
    rng = np.random.default_rng(2)
    return {name: rng.normal(size=VOLUMES) for name in ("csf", "white_matter", "global_signal", "dvars", "std_dvars")}


def test_table_has_fmriprep_names_and_values(motion):
    values = signals()
    table = confounds_table(motion, values, TR)
    assert set(FIXED) <= set(table.columns)
    # 40 volumes of 1.5 s: one cosine below 1/128 Hz at most twice the length, none more
    assert [name for name in table if name.startswith("cosine")] == []
    longer = confounds_table(motion, values, 10.0)
    assert [name for name in longer if name.startswith("cosine")] == [f"cosine{n:02d}" for n in range(6)]
    derivative = np.diff(motion["rot_y"])
    assert np.allclose(table["rot_y_derivative1"][1:], derivative)
    assert np.isnan(table["rot_y_derivative1"][0])
    assert np.allclose(table["rot_y_derivative1_power2"][1:], derivative**2)
    assert np.allclose(table["csf_power2"], values["csf"] ** 2)
    described = describe_confounds(table, 1 / 128, 50.0)
    assert list(described) == list(table.columns)
    assert described["trans_x_derivative1_power2"]["Units"] == "mm^2"
    assert described["std_dvars"]["Description"].startswith("DVARS divided")


def test_motion_is_kept_to_the_letter(motion, tmp_path):
    write_table(tmp_path / "motion.tsv", motion)
    table = confounds_table(read_table(tmp_path / "motion.tsv", dtype=str), signals(), TR)
    write_table(tmp_path / "confounds.tsv", table)
    before, after = read_table(tmp_path / "motion.tsv"), read_table(tmp_path / "confounds.tsv")
    for name in (*MOTION, "framewise_displacement"):
        assert np.array_equal(before[name], after[name], equal_nan=True)


def test_lengths_must_agree(motion):
    with pytest.raises(DataError, match="40 values for 39 volumes"):
        confounds_table(motion[:-1], signals(), TR)


def test_another_grid_is_refused(run, tmp_path):
    write_image(tmp_path / "mask.nii.gz", np.ones((3, 3, 3), np.uint8), np.eye(4))
    with pytest.raises(DataError, match="Run mask_bold again"):
        measure_run(run[0] / "bold.nii.gz", tmp_path / "mask.nii.gz")


def test_groups_and_typing_errors():
    columns = [*FIXED, "cosine00", "cosine01"]
    assert expand_confounds(["motion"], columns) == list(MOTION)
    assert expand_confounds(["cosine", "csf", "csf"], columns) == ["cosine00", "cosine01", "csf"]
    assert len(expand_confounds(["motion24"], columns)) == 24
    assert unknown_confound("cosine07") is None
    assert unknown_confound("whitematter") == "there is no confound 'whitematter', did you mean 'white_matter'?"
    assert unknown_confound("zzzz") == "there is no confound 'zzzz'"
