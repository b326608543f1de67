"""Images read off an inner layer by a linear map."""

import h5py
import numpy as np
import pytest
import torch

from hyper.cli.main import main
from hyper.errors import GeneratorError
from hyper.generators.checkpoints.own import write_own
from hyper.generators.cropped import Cropped
from hyper.generators.pggan import PGGAN
from hyper.generators.read_off import ReadOff, mean_over_pixels


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return PGGAN(5, (6, 6, 6))  # 16 x 16 pixels


def latents(count, seed=0):
    return np.random.default_rng(seed).standard_normal((count, 5)).astype(np.float32)


def test_the_last_layer_gives_the_image_itself(generator):
    exact = Cropped(generator, 4, (2, 4, 14, 16))
    read = ReadOff(exact, "L3", latents(40))
    z = torch.from_numpy(latents(6, 1))
    assert read.explained > 0.99999
    with torch.no_grad():
        assert torch.allclose(read.images(z), exact.images(z), atol=1e-3)


def test_what_an_inner_layer_explains_is_measured_on_images_not_fitted(generator):
    exact = Cropped(generator, 8)
    read = ReadOff(exact, "L2", latents(64))
    z = torch.from_numpy(latents(200, 1))
    with torch.no_grad():
        truth, made = exact.images(z), read.images(z)
    explained = 1 - float((truth - made).square().sum() / (truth - truth.mean(0)).square().sum())
    assert 0.2 < explained < 0.999
    assert read.explained == pytest.approx(explained, abs=0.1)


def test_a_layer_without_maps_is_refused(generator):
    for name in ("latent", "L7"):
        with pytest.raises(GeneratorError, match="Choose one of L1, L2, L3"):
            ReadOff(Cropped(generator, 4), name, latents(8))


def test_places_are_averaged_in_proportion_to_their_overlap():
    weights = mean_over_pixels(1, 6, 8, 4)
    assert weights.shape == (4, 8)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(weights[0], [0, 0.8, 0.2, 0, 0, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(weights[1], [0, 0, 0.6, 0.4, 0, 0, 0, 0], atol=1e-6)


def test_command_draws_by_it_and_says_so(generator, tmp_path):
    (tmp_path / "source").write_bytes(b"any")
    write_own(tmp_path / "small.safetensors", generator, tmp_path / "source", "test")
    command = ["draw", str(tmp_path / "small.safetensors"), "5"]
    assert main([*command, str(tmp_path / "full.h5"), "--size", "8"]) == 0
    assert main([*command, str(tmp_path / "read.h5"), "--size", "8", "--read-off", "L3", "--fit", "40"]) == 0
    with h5py.File(tmp_path / "full.h5") as full, h5py.File(tmp_path / "read.h5") as read:
        assert np.array_equal(full["latents"], read["latents"])
        assert np.abs(full["images"][()].astype(int) - read["images"]).max() <= 1
        assert (read.attrs["read_off"], read.attrs["fitted_to"]) == ("L3", 40)
        assert read.attrs["explained"] > 0.99999
