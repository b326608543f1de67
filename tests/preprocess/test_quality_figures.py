"""Figures of quality control: what is drawn, how it is written, and what must not be seen."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import image as png
from PIL import Image

from hyper.io.arrays import write_arrays
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import write_series
from hyper.preprocess.figures.carpet import plot_carpet
from hyper.preprocess.figures.quality import Quality, average, plot_brain_mask, plot_quality
from hyper.preprocess.figures.registration import RegistrationViews, plot_flicker, plot_registration
from hyper.preprocess.figures.style import CONTOUR, cuts_through
from hyper.preprocess.moments import measure_native
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.template import load_template


@pytest.fixture
def views(head, bold_grid):
    template, fine = load_template(4.0), load_template(2.0)
    boldref = head.run(bold_grid, np.eye(4)[None])[..., 0]
    points = grid_points(template.brain.shape, template.affine).T.reshape(*template.brain.shape, 3)
    return RegistrationViews(
        template.t1, points, fine.t1, np.array(fine.brain), fine.affine, boldref, bold_grid[1], np.eye(4)
    )


def test_the_two_of_a_flicker_take_turns(views, tmp_path):
    files = [tmp_path / "bold.png", tmp_path / "t1w.png"]
    plot_flicker(*files, views, load_template(4.0))
    first = [path.read_bytes() for path in files]
    plot_flicker(*files, views, load_template(4.0))
    assert first == [path.read_bytes() for path in files]
    for path in files:
        with Image.open(path) as picture:
            assert picture.n_frames == 2
            assert picture.info["loop"] == 0
            frames = []
            for number in range(2):
                picture.seek(number)
                frames.append(np.asarray(picture.convert("L"), float))
        assert frames[0].shape == frames[1].shape
        assert np.abs(frames[0] - frames[1]).mean() > (1 if path.name == "bold.png" else 0.1)
        assert min(frame.std() for frame in frames) > 30


def test_aligned_volumes_stay_and_shifted_ones_jump(views, tmp_path):
    """The outline of the head moves between the frames only where the pose is wrong."""
    aligned = edge_agreement(views, tmp_path)
    pose = matrix_of(np.array([0, 12.0, 0, 0, 0, 0.1]))
    shifted = edge_agreement(RegistrationViews(**(vars(views) | {"pose": pose})), tmp_path)
    assert aligned > shifted + 0.05


def edge_agreement(views, folder):
    plot_flicker(folder / "a.png", folder / "b.png", views, load_template(4.0))
    with Image.open(folder / "a.png") as picture:
        frames = []
        for number in range(2):
            picture.seek(number)
            frames.append(np.asarray(picture.convert("L")) > 60)
    return (frames[0] & frames[1]).sum() / (frames[0] | frames[1]).sum()


def test_nothing_outside_the_brain_is_drawn_of_a_registration(views, tmp_path):
    """A bright block where the face would be, in T1w and BOLD, changes no pixel."""
    template = load_template(4.0)
    plot_registration(tmp_path / "plain.png", views, template, "x", 3, tmp_path / "plain.svg")
    plot_flicker(tmp_path / "a.png", tmp_path / "b.png", views, template)
    world = grid_points(views.boldref.shape, views.boldref_affine)
    nose = (np.linalg.norm(world - np.array([[0], [74], [-58]]), axis=0) < 9).reshape(views.boldref.shape)
    assert nose.sum() > 20
    other = RegistrationViews(**(vars(views) | {"boldref": np.where(nose, 5000, views.boldref).astype(np.float32)}))
    plot_registration(tmp_path / "nose.png", other, template, "x", 3)
    plot_flicker(tmp_path / "c.png", tmp_path / "d.png", other, template)
    for one, two in (("plain", "nose"), ("a", "c"), ("b", "d")):
        assert (tmp_path / f"{one}.png").read_bytes() == (tmp_path / f"{two}.png").read_bytes()
    assert "<svg" in (tmp_path / "plain.svg").read_text()[:600]


@pytest.fixture
def carpet():
    rng = np.random.default_rng(0)
    signals = rng.normal(size=(60, 200)) * 0.3
    signals[:, 120:] += 2
    tissues = np.repeat(np.array(["grey matter", "white matter", "cerebrospinal fluid"], object), [30, 20, 10])
    confounds = pd.DataFrame(
        {
            "framewise_displacement": [np.nan, *rng.uniform(0, 0.2, 199)],
            "std_dvars": [np.nan, *rng.uniform(0.9, 1.1, 199)],
            "global_signal": rng.normal(1000, 1, 200),
        }
    )
    return signals, tissues, confounds


def test_carpet_shows_a_jump_of_all_voxels(carpet, tmp_path):
    plot_carpet(tmp_path / "carpet.png", *carpet, "Signals", 0.5, tmp_path / "carpet.svg")
    picture = png.imread(tmp_path / "carpet.png")[..., :3].mean(-1)
    height, width = picture.shape
    body = picture[int(0.5 * height) : int(0.85 * height)]
    assert (
        body[:, int(0.75 * width) : int(0.95 * width)].mean()
        > body[:, int(0.2 * width) : int(0.5 * width)].mean() + 0.2
    )
    first = (tmp_path / "carpet.png").read_bytes()
    plot_carpet(tmp_path / "carpet.png", *carpet, "Signals", 0.5, tmp_path / "again.svg")
    assert first == (tmp_path / "carpet.png").read_bytes()
    assert (tmp_path / "carpet.svg").read_bytes() == (tmp_path / "again.svg").read_bytes()


def test_quality_says_the_medians(tmp_path):
    template = load_template(4.0)
    brain = np.array(template.brain)
    before, after = (Quality(1000 * template.t1, np.where(brain, level, 0.0)) for level in (41.0, 53.5))
    plot_quality(tmp_path / "q.png", before, after, brain, template.affine, "Signal", 3, tmp_path / "q.svg")
    picture = png.imread(tmp_path / "q.png")[..., :3]
    red = np.array([int(CONTOUR[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    assert (np.abs(picture - red).max(-1) < 0.05).sum() > 200


def test_average_of_runs(tmp_path):
    for number in (1, 3):
        value = np.full((2, 2, 2), float(number))
        dims = ("x", "y", "z")
        write_arrays(tmp_path / f"{number}.h5", {"mean": (value, dims), "signal_to_noise": (10 * value, dims)})
    found = average([tmp_path / "1.h5", tmp_path / "3.h5"])
    assert (found.mean == 2).all()
    assert (found.signal_to_noise == 20).all()


def test_brain_mask_is_outlined_on_the_head(tmp_path):
    fine = load_template(2.0)
    brain = np.array(fine.brain)
    plot_brain_mask(tmp_path / "b.png", fine.t1 + 0.2, brain, fine.affine, "Brain", 3, tmp_path / "b.svg")
    picture = png.imread(tmp_path / "b.png")[..., :3]
    red = np.array([int(CONTOUR[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    assert (np.abs(picture - red).max(-1) < 0.05).sum() > 500


def test_cuts_lie_in_the_brain():
    brain = np.zeros((30, 40, 50), bool)
    brain[5:25, 10:30, 20:40] = True
    cuts = cuts_through(brain, 5, 2, 2)
    assert [axis for axis, _ in cuts] == [2] * 5 + [1] * 2 + [0] * 2
    assert all(np.take(brain, index, axis).any() for axis, index in cuts)


def test_a_raw_run_is_measured_at_points_of_another_space(tmp_path):
    rng, affine = np.random.default_rng(0), np.diag([3.0, 3, 3, 1])
    data = (500 + 100 * np.indices((10, 11, 12)).sum(0))[..., None] + rng.normal(0, 5, (10, 11, 12, 80))
    write_series(tmp_path / "bold.nii.gz", [data.astype(np.float32)], data.shape, affine, 1.5)
    shift = matrix_of(np.array([3.0, 0, 6, 0, 0, 0]))
    voxels = np.array([[2.0, 3, 4], [5, 5, 5], [40, 0, 0]])
    points = apply_affine(np.linalg.inv(shift) @ affine, voxels.T).T.reshape(3, 1, 1, 3)
    mean, ratio = measure_native(tmp_path / "bold.nii.gz", shift, points)
    assert np.allclose(mean.ravel(), [1400, 2000, 0], atol=3)
    assert np.allclose(ratio.ravel()[:2], [1400 / 5, 2000 / 5], rtol=0.3)
