import h5py
import numpy as np
import pytest
from PIL import Image

from hyper.decoding.latents import rescale_latents, write_latents
from hyper.decoding.pictures import write_images, write_pngs
from hyper.io.arrays import read_arrays


@pytest.mark.parametrize(("how", "length"), [("unit", 1.0), ("prior", 3.0)])
def test_rescaling_keeps_the_direction(how, length):
    latents = np.random.default_rng(0).normal(size=(4, 9)) * 0.01
    latents[2] = 0
    scaled = rescale_latents(latents, how)
    assert np.allclose(np.linalg.norm(scaled, axis=1), [length, length, 0, length])
    assert np.allclose(scaled * np.linalg.norm(latents, axis=1, keepdims=True), latents * length)
    assert np.array_equal(rescale_latents(latents, "none"), latents)


def test_files(tmp_path):
    names = np.array(["0001", "0002"])
    write_latents(tmp_path / "latents.h5", np.ones((2, 3)), np.zeros((2, 3)), names, np.array([6, 7]), subject="01")
    arrays, attributes = read_arrays(tmp_path / "latents.h5")
    assert attributes == {"subject": "01"}
    assert arrays["stimuli"].tolist() == ["0001", "0002"]
    assert arrays["repeats"].tolist() == [6, 7]
    images = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), dtype=np.uint8)
    write_images(tmp_path / "images.h5", images, images[::-1], names)
    with h5py.File(tmp_path / "images.h5") as file:
        assert file["reconstruction"].dtype == np.uint8
        assert [dim.label for dim in file["reconstruction"].dims] == ["stimulus", "row", "column", "rgb"]
    write_pngs(tmp_path / "images", images, names)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "images/0002.png")), images[1])
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["0001.png", "0002.png"]
