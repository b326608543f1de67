"""Decoding windows of time, and the animation of it."""

import numpy as np
import pytest
from PIL import Image

from hyper.decoding.animation import write_animation, write_frames
from hyper.decoding.over_time import decode_windows, region_masks, window_at
from hyper.decoding.registry import make_decoder
from hyper.errors import DataError
from hyper.io.arrays import read_arrays


def draw(windows=3, trials=80, channels=12, latents=4, seed=0):
    rng = np.random.default_rng(seed)
    z, new = rng.normal(size=(trials, latents)), rng.normal(size=(20, latents))
    weights = rng.normal(size=(windows, latents, channels))
    train = z @ weights + 0.1 * rng.normal(size=(windows, trials, channels))
    return train, z, new @ weights, new


def test_each_window_has_its_own_decoder_and_its_own_code():
    train, latents, test, true = draw()
    every = list(decode_windows(lambda number: make_decoder("ols", seed=0), train, latents, test))
    assert [row.shape for row in every] == [(3, 20, 4)] * 3
    for number, row in enumerate(every):
        alone = make_decoder("ols", seed=0).fit(train[number], latents)
        for other in range(3):
            assert np.array_equal(row[other], alone.decode(test[other]))
        errors = np.square(row - true).mean(axis=(1, 2))
        assert errors.argmin() == number
        assert errors[number] < 0.05


def test_windows_must_fit():
    train, latents, test, _ = draw()
    with pytest.raises(DataError, match="Average both over the same windows"):
        list(decode_windows(lambda number: make_decoder("ols", seed=0), train, latents, test[:2]))


def test_masks_of_regions():
    masks = region_masks(np.array(["V1", "V1", "IT"]))
    assert {name: mask.tolist() for name, mask in masks.items()} == {
        "all": [True, True, True], "V1": [True, True, False], "IT": [False, False, True],
    }  # fmt: skip
    assert list(region_masks(np.array(["V1", "V1"]))) == ["all"]


def test_the_window_of_one_decoder():
    assert window_at(np.array([-100.0, -75.0, -50.0]), -75) == 1
    with pytest.raises(DataError, match="no window starts at 10 ms.*-100, -75"):
        window_at(np.array([-100.0, -75.0]), 10)


def test_the_animation_has_a_frame_per_window(tmp_path):
    rng = np.random.default_rng(0)
    stimuli = rng.integers(0, 255, (2, 16, 16, 3), np.uint8)
    made = {name: np.full((3, 2, 16, 16, 3), 60 + 60 * place, np.uint8) for place, name in enumerate(("all", "V1"))}
    made["V1"][2] = 250
    starts, ends = np.array([-100.0, -50.0, 0.0]), np.array([0.0, 50.0, 100.0])
    write_animation(tmp_path / "a.gif", stimuli, made, starts, ends, 400)
    with Image.open(tmp_path / "a.gif") as animation:
        assert animation.n_frames == 3
        frames = []
        for number in range(3):
            animation.seek(number)
            assert animation.info["duration"] == 400
            frames.append(np.asarray(animation.convert("RGB")).astype(int))
    assert np.abs(frames[0][176, 100] - 60).max() < 12  # the middle of the first picture of the row of all channels
    assert np.abs(frames[0][292, 100] - 120).max() < 12
    assert np.abs(frames[2][292, 100] - 250).max() < 12
    assert (frames[0][60, 100] > 250).all()  # nothing is seen before the onset
    assert np.abs(frames[1][20:100, 60:140] - 255).max() > 100
    write_frames(tmp_path / "a.h5", stimuli, made, np.array(["a", "b"]), starts, ends)
    assert np.array_equal(read_arrays(tmp_path / "a.h5", ["reconstruction/V1"])[0]["reconstruction/V1"], made["V1"])
