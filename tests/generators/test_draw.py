import h5py
import numpy as np
import pytest
import torch

from hyper.cli.main import main
from hyper.errors import GeneratorError
from hyper.generators import draw
from hyper.generators.draw import draw_images
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.pggan import PGGAN
from hyper.generators.styles import StyleGenerator
from tests.generators.checkpoint_cases import DATA


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return PGGAN(5, (6, 4, 4))  # 16 x 16 pixels


def read(path):
    with h5py.File(path) as file:
        return file["images"][()], file["latents"][()], dict(file.attrs)


def test_images_are_those_of_the_latents_cropped_and_averaged(generator, tmp_path):
    draw_images("small", generator, 7, tmp_path / "a.h5", 4, (3, 5, 11, 13), seed=3, batch=2)
    images, latents, attributes = read(tmp_path / "a.h5")
    assert images.shape == (7, 4, 4, 3)
    assert (images.dtype, latents.dtype, latents.shape) == (np.uint8, np.float32, (7, 5))
    with torch.no_grad():
        full = generator.images(torch.from_numpy(latents)).numpy()
    means = full[:, :, 5:13, 3:11].reshape(7, 3, 4, 2, 4, 2).mean((3, 5)).transpose(0, 2, 3, 1)
    exact = np.clip(127.5 * means + 127.5, 0, 255)
    assert np.abs(images - exact).max() <= 0.5 + 1e-3
    assert images.std() > 1
    assert attributes["generator"] == "small"
    assert attributes["seed"] == 3
    assert attributes["crop"].tolist() == [3, 5, 11, 13]
    assert attributes["version"]
    with h5py.File(tmp_path / "a.h5") as file:
        assert [dim.label for dim in file["images"].dims] == ["image", "row", "column", "colour"]
        assert [dim.label for dim in file["latents"].dims] == ["image", "latent"]


def test_the_first_images_depend_on_the_seed_alone(generator, tmp_path, monkeypatch):
    draw_images("small", generator, 9, tmp_path / "a.h5", 8, seed=1)
    monkeypatch.setattr(draw, "_CHUNK", 2)
    draw_images("small", generator, 5, tmp_path / "b.h5", 8, seed=1, batch=1)
    draw_images("small", generator, 5, tmp_path / "c.h5", 8, seed=2)
    (many, z, attributes), (few, z_few, _), (_, z_other, _) = (read(tmp_path / f"{name}.h5") for name in "abc")
    assert np.array_equal(z[:5], z_few)
    assert np.abs(many[:5].astype(int) - few).max() <= 1
    assert np.abs(z_few - z_other).max() > 0.1
    assert attributes["crop"].tolist() == [0, 0, 16, 16]


def test_latents_are_normal(generator, tmp_path):
    draw_images("small", generator, 2000, tmp_path / "a.h5", 1)
    _, latents, _ = read(tmp_path / "a.h5")
    assert np.abs(latents.mean(0)).max() < 0.1
    assert np.abs(np.cov(latents.T) - np.eye(5)).max() < 0.15


@pytest.mark.parametrize(
    ("count", "size", "crop", "fault"),
    [
        (0, 4, None, "0 images of 4 pixels"),
        (2, 0, None, "2 images of 0 pixels"),
        (2, 4, (0, 0, 16, 17), "no square within the image of 16 x 16"),
        (2, 4, (-1, 0, 3, 4), "no square within"),
        (2, 4, (0, 0, 8, 12), "no square within"),
        (2, 4, (8, 8, 0, 0), "no square within"),
        (2, 4, (0, 0, 6, 6), "6 pixels cannot be averaged to 4"),
        (2, 32, None, "16 pixels cannot be averaged to 32"),
    ],
)
def test_what_cannot_be_drawn_is_refused(generator, tmp_path, count, size, crop, fault):
    with pytest.raises(GeneratorError, match=fault):
        draw_images("small", generator, count, tmp_path / "a.h5", size, crop)
    assert list(tmp_path.iterdir()) == []


def test_styles_are_not_drawn(tmp_path):
    with pytest.raises(GeneratorError, match="random-face instead of random-face-w"):
        draw_images("random-face-w", StyleGenerator(MobileStyleGAN(4, (4, 4))), 1, tmp_path / "a.h5", 4)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_draw_leaves_nothing(generator, tmp_path, monkeypatch):
    monkeypatch.setattr(draw, "rounded_uint8", lambda block: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        draw_images("small", generator, 3, tmp_path / "a.h5", 4)
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path, capsys):
    checkpoint = tmp_path / "pggan.safetensors"
    assert main(["convert", "generator", str(DATA / "karras_small32_fused_nosrc_p4.pkl"), str(checkpoint)]) == 0
    out = tmp_path / "new/faces.h5"
    command = ["draw", str(checkpoint), "3", str(out), "--size", "8", "--crop", "8,4,24,20", "--device", "cpu"]
    assert main(command) == 0
    assert "3 images of 8 x 8 pixels" in capsys.readouterr().out
    images, latents, attributes = read(out)
    assert images.shape == (3, 8, 8, 3)
    assert latents.shape == (3, 16)
    assert attributes["generator"] == "pggan.safetensors"
    assert len(attributes["generator_sha256"]) == 64
    assert attributes["crop"].tolist() == [8, 4, 24, 20]
    assert main(["draw", str(tmp_path / "none"), "3", str(out)]) == 1
    with pytest.raises(SystemExit):
        main(["draw", "dcgan-face", "3", str(out), "--crop", "1,2,3"])
    assert "is not four numbers" in capsys.readouterr().err
