from importlib.util import find_spec

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from scipy import signal

from hyper.encoding.features import (
    features_of_file,
    features_of_images,
    features_of_latents,
    halve,
    write_features,
)
from hyper.encoding.names import feature
from hyper.encoding.simple import GRID, ORIENTATIONS, gabor_features, pixel_features
from hyper.encoding.stimuli import Stimuli, gather_stimuli, images_of_folder, images_of_generator
from hyper.errors import DataError
from hyper.generators.load import load_generator
from hyper.io.arrays import read_arrays, write_arrays
from hyper.networks.vgg import CONVS, WIDTHS, load_vgg16

CPU = torch.device("cpu")


@pytest.fixture
def faces():
    rng = np.random.default_rng(2)
    return rng.integers(0, 256, (3, 40, 40, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """VGG16 of torchvision's layout with random weights."""
    path, rng, inside = tmp_path_factory.mktemp("vgg") / "vgg16.pth", torch.Generator().manual_seed(0), 3
    places, tensors = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28), {}
    widths = [width for width, count in zip(WIDTHS, CONVS, strict=True) for _ in range(count)]
    for place, width in zip(places, widths, strict=True):
        tensors[f"features.{place}.weight"] = torch.randn((width, inside, 3, 3), generator=rng) / (3 * inside**0.5)
        tensors[f"features.{place}.bias"] = torch.zeros(width)
        inside = width
    torch.save(tensors, path)
    return path


def test_down_sampling_is_the_published_convolution():
    maps = np.random.default_rng(0).standard_normal((2, 3, 12, 12)).astype(np.float32)
    x, y = np.meshgrid(np.linspace(-1, 1, 2), np.linspace(-1, 1, 2))
    gaussian = np.exp(-(np.sqrt(x * x + y * y) ** 2) / 2)
    due = [[signal.convolve(channel, gaussian, mode="same")[::2, ::2] for channel in image] for image in maps]
    np.testing.assert_allclose(halve(torch.from_numpy(maps)).numpy(), due, rtol=1e-5, atol=1e-6)


def test_vgg_layers_have_the_published_sizes_and_preparation(vgg, faces):
    sizes = {1: 64 * 56 * 56, 2: 128 * 28 * 28, 3: 256 * 28 * 28, 5: 512 * 7 * 7}
    found = {
        layer: np.concatenate(list(features_of_images(feature(f"vgg16-objects-{layer}"), [faces[:1]], vgg, CPU)))
        for layer in sizes
    }
    assert {layer: values.shape[1] for layer, values in found.items()} == sizes
    looker = load_vgg16(vgg)
    large = np.asarray(Image.fromarray(faces[0]).resize((224, 224), Image.Resampling.BILINEAR))[None]
    due = looker.activations(large, ["pool1", "pool3"])
    np.testing.assert_array_equal(found[3], due["pool3"].reshape(1, -1))
    np.testing.assert_array_equal(found[1], halve(torch.from_numpy(due["pool1"])).numpy().reshape(1, -1))


def test_gabor_features_know_orientation_and_scale():
    place = np.arange(64)
    for cycles, scale in ((16, 0), (8, 1), (4, 2)):
        wave = np.rint(127 + 100 * np.sin(2 * np.pi * cycles * place / 64)).astype(np.uint8)
        upright = np.repeat(np.tile(wave, (64, 1))[..., None], 3, axis=2)
        found = gabor_features(np.stack([upright, upright.transpose(1, 0, 2)]))
        energy = found.reshape(2, 3, ORIENTATIONS, GRID, GRID).mean(axis=(3, 4))
        assert [np.unravel_index(each.argmax(), each.shape) for each in energy] == [
            (scale, 0),
            (scale, ORIENTATIONS // 2),
        ]


def test_pixel_features_are_luminance(faces):
    flat = np.full((1, 50, 50, 3), (0, 255, 0), np.uint8)
    assert pixel_features(faces).shape == (3, 1024)
    np.testing.assert_allclose(pixel_features(flat), 0.7154, atol=1e-6)


@pytest.mark.skipif(not find_spec("dlib"), reason="dlib-bin is not installed")
def test_dlib_features_need_no_file(faces):
    found = next(features_of_images(feature("dlib"), [faces], None, CPU))
    assert found.shape == (3, 128)
    assert np.isfinite(found).all()


def test_latents_and_layers_of_the_generator():
    generator = load_generator("pggan-face")
    latents = np.random.default_rng(0).standard_normal((3, 128))
    np.testing.assert_allclose(next(features_of_latents(feature("z"), latents, generator)), latents, rtol=1e-6)
    layer = generator.layers[1]
    found = np.concatenate(list(features_of_latents(feature(f"generator-{layer.name}"), latents, generator)))
    assert found.shape == (3, np.prod(layer.shape))
    with pytest.raises(DataError, match="no styles w"):
        next(features_of_latents(feature("w"), latents, generator))


class Mapped(torch.nn.Module):
    """A network whose latents are styles."""

    normal_latents = False


def test_styles_are_w_and_never_z():
    latents = np.ones((2, 4))
    np.testing.assert_array_equal(next(features_of_latents(feature("w"), latents, Mapped())), latents)
    with pytest.raises(DataError, match="z cannot be had"):
        next(features_of_latents(feature("z"), latents, Mapped()))


def test_names_and_what_they_need():
    assert feature("vgg16-faces-5").weights == "vgg16_faces"
    assert feature("clip").weights == "clip"
    assert feature("mine", {"mine": "x.h5"}).source == "file"
    for name in ("vgg16-faces-6", "vgg16", "mine"):
        with pytest.raises(DataError, match="there is no feature"):
            feature(name)
    with pytest.raises(DataError, match=r"encoding.weights.clip: clip needs a file"):
        next(features_of_images(feature("clip"), [], None, CPU))


def test_features_are_written_with_named_dimensions_and_read_as_a_file(tmp_path):
    stimuli = Stimuli(["a", "b", "c"], np.zeros((3, 2)))
    values = np.arange(15, dtype=np.float32).reshape(3, 5)
    path = tmp_path / "features.h5"
    assert write_features(path, iter([values[:2], values[2:]]), stimuli, feature="mine") == (3, 5)
    with h5py.File(path) as file:
        assert [dim.label for dim in file["features"].dims] == ["stimulus", "feature"]
    np.testing.assert_array_equal(read_arrays(path, ["features"])[0]["features"], values)
    other = Stimuli(["c", "a"], np.zeros((2, 2)))
    np.testing.assert_array_equal(np.concatenate(list(features_of_file(path, other))), values[[2, 0]])
    with pytest.raises(DataError, match="stimulus d is not in it"):
        list(features_of_file(path, Stimuli(["d"], np.zeros((1, 2)))))
    values[1, 0] = np.nan
    with pytest.raises(DataError, match="feature of stimulus b is not finite"):
        write_features(tmp_path / "other.h5", iter([values]), stimuli)
    assert not (tmp_path / "other.h5").exists()


def test_stimuli_of_all_subjects_once_each(tmp_path):
    def responses(name, train, test):
        rows = {
            key: (np.array(names), ("stimulus",)) for key, names in (("train_stimuli", train), ("test_stimuli", test))
        }
        latents = {
            f"{part}_latents": (np.array([[float(ord(each)), 1] for each in names]), ("stimulus", "latent"))
            for part, names in (("train", train), ("test", test))
        }
        write_arrays(tmp_path / name, rows | latents)
        return tmp_path / name

    found = gather_stimuli([responses("1.h5", ["c", "a", "c"], ["b"]), responses("2.h5", ["d"], ["b"])])
    assert found.names == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(found.latents[:, 0], [97, 98, 99, 100])
    np.testing.assert_array_equal(found.rows(["d", "a", "a"]), [3, 0, 0])


def test_images_are_found_by_name(tmp_path, faces):
    for name, face in zip("abc", faces, strict=True):
        (tmp_path / name).mkdir()
        Image.fromarray(face).save(tmp_path / name / f"{name}.png")
    np.testing.assert_array_equal(next(images_of_folder(tmp_path, ["c", "a"])), faces[[2, 0]])
    with pytest.raises(DataError, match="no image of stimulus d"):
        next(images_of_folder(tmp_path, ["d"]))
    Image.fromarray(faces[0][:20]).save(tmp_path / "e.png")
    with pytest.raises(DataError, match="40 x 20 pixels where others are 40 x 40"):
        list(images_of_folder(tmp_path, ["a", "e"]))
    (tmp_path / "f.png").write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read as a picture"):
        list(images_of_folder(tmp_path, ["f"]))


def test_images_are_made_where_there_are_none():
    generator = load_generator("pggan-face")
    latents = np.random.default_rng(0).standard_normal((2, 128))
    made = np.concatenate(list(images_of_generator(generator, latents)))
    assert made.shape == (2, 64, 64, 3)
    assert made.dtype == np.uint8
