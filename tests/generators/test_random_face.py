import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from hyper.errors import GeneratorError
from hyper.generators import random_face as module
from hyper.generators.checkpoints.openvino import read_graph
from hyper.generators.load import load_generator
from hyper.generators.random_face import mean_style, random_face

STORED = Path(__file__).parents[1] / "data/generators/random_face_openvino.npz"


@pytest.fixture(scope="module")
def packaged():
    return Path(find_spec("random_face").origin).parent / "data"


@pytest.fixture(scope="module")
def network():
    return load_generator("random-face")


@pytest.fixture(scope="module")
def stored():
    with np.load(STORED) as file:
        return dict(file)


def latents():
    return torch.from_numpy(
        np.concatenate([np.random.RandomState(seed).standard_normal((1, 512)) for seed in range(4)])
    ).float()


def test_styles_equal_openvino(network, stored):
    assert np.abs(network.full_styles(latents()).numpy() - stored["w"]).max() < 1e-4


def test_images_equal_openvino(network, stored):
    images = network.activations_of_styles(0.7 * torch.from_numpy(stored["w"]), "image").numpy()
    assert images.shape == (4, 3, 1024, 1024)
    assert np.abs(images[:, :, stored["rows"], stored["columns"]] - stored["pixels"]).max() < 1e-4
    means = images.reshape(4, 3, 16, 64, 16, 64).mean((3, 5))
    assert np.abs(means - stored["area"]).max() < 1e-4
    assert 0.95 < np.abs(images).max() < 1.5


def test_layers_equal_openvino(network, stored):
    names = [f"L{number}" for number in range(1, 9)]
    shapes = {layer.name: layer.shape for layer in network.layers}
    channels = (512, 512, 512, 512, 512, 256, 128, 64)
    due = {name: (count, 4 * 2**i, 4 * 2**i) for i, (name, count) in enumerate(zip(names, channels, strict=True))}
    assert shapes == {"latent": (512,), "w": (512,), **due, "image": (3, 1024, 1024)}
    w = 0.7 * torch.from_numpy(stored["w"][:1])
    for place, name in enumerate(names):
        values = network.activations_of_styles(w, name)[0]
        assert values.shape == due[name]
        found = [float(values.mean()), float(values.std(correction=0)), *values.flatten()[:6].tolist()]
        assert np.abs(np.subtract(found, stored["layers"][0, place])).max() < 1e-4


def test_the_mean_style_is_the_same_each_time_and_that_of_many_draws(network):
    again = mean_style(network)
    assert torch.equal(again.float(), network.mean_style)
    styles = network.full_styles(torch.from_numpy(np.random.default_rng(5).standard_normal((2048, 512))))
    error = (styles.mean(0) - again) / styles.std(0)
    assert error.square().mean().sqrt() < 1.3 / 2048**0.5
    assert styles.mean(0).abs().mean() > 0.1  # it is not zero
    full = network.full_styles(latents()).double()
    assert (network.styles(latents()) - (again + 0.7 * (full - again))).abs().max() < 1e-5


def test_styles_make_the_same_images(network):
    by_style = load_generator("random-face-w")
    assert by_style.latent_dim == 512
    z = latents()[:1]
    assert torch.equal(by_style.activations(network.styles(z), "L3"), network.activations(z, "L3"))


def test_a_missing_package_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(GeneratorError, match=r"pip install --no-deps random-face==2021\.7\.21\.1"):
        load_generator("random-face")


@pytest.fixture
def copy(packaged, tmp_path):
    """The package's files: descriptions that can be edited, links to the weights."""
    for path in packaged.glob("*.xml"):
        (tmp_path / path.name).write_text(path.read_text())
        path = path.with_suffix(".bin")
        (tmp_path / path.name).symlink_to(path)
    return tmp_path


def edit(path, pattern, replacement):
    text, count = re.subn(pattern, replacement, path.read_text(), flags=re.DOTALL)
    assert count == 1
    path.write_text(text)


def refused(folder, fault):
    with pytest.raises(GeneratorError, match=fault) as caught:
        random_face(folder)
    assert "pip install --force-reinstall --no-deps random-face==2021.7.21.1" in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
@pytest.mark.parametrize("name", ["MappingNetwork", "SynthesisNetwork"])
def test_truncated_weights_are_refused(copy, name, share):
    path = copy / f"{name}.bin"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content[: int(share * len(content))])
    refused(copy, rf"{name}\.bin: it is truncated")


@pytest.mark.parametrize("content", ["", "<net", "<net/>", "hello", '<net version="11"></net>', "\0\1\2"])
def test_a_damaged_description_is_refused(copy, content):
    (copy / "MappingNetwork.xml").write_text(content)
    refused(copy, r"MappingNetwork\.xml: it is (truncated or no XML|no OpenVINO network)")


def test_entities_are_refused(copy):
    text = '<!DOCTYPE net [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><net version="10">&b;</net>'
    (copy / "MappingNetwork.xml").write_text(text)
    refused(copy, "it holds declarations")


@pytest.mark.parametrize("name", ["MappingNetwork.bin", "SynthesisNetwork.xml"])
def test_a_missing_file_is_refused(copy, name):
    (copy / name).unlink()
    refused(copy, f"{name}: the file does not exist")


def test_networks_in_each_others_place_are_refused(copy):
    (copy / "MappingNetwork.xml").rename(copy / "other.xml")
    (copy / "SynthesisNetwork.xml").rename(copy / "MappingNetwork.xml")
    (copy / "other.xml").rename(copy / "SynthesisNetwork.xml")
    (copy / "MappingNetwork.bin").rename(copy / "other.bin")
    (copy / "SynthesisNetwork.bin").rename(copy / "MappingNetwork.bin")
    (copy / "other.bin").rename(copy / "SynthesisNetwork.bin")
    refused(copy, r"MappingNetwork\.xml: it has 23 layers where 8 are due")


@pytest.mark.parametrize(
    ("pattern", "replacement", "fault"),
    [
        ('name="m.layers.3.conv1.bias" type', 'name="bias" type', r"'m\.layers\.3\.conv1\.bias' is missing"),
        ('name="m.layers.6.conv2.bias" type', 'name="bias" type', r"'m\.layers\.5\.to_img.* is missing"),
        ('name="m.input.input" type', 'name="m.conv1.bias" type', r"'m\.input\.input' is missing"),
        ('shape="32, 1, 1, 3, 3" offset', 'shape="32, 1, 1, 3, 4" offset', "has 1152 bytes at"),
        ('shape="512, 512, 3, 3" offset', 'shape="512, 3, 512, 3" offset', "start.kernel have the shape"),
        ('shape="128, 512" offset="328360"', 'shape="512, 128" offset="328360"', "have the shape"),
        ('(offset="328360" size=")262144', r"\g<1>262140", "bytes at 328360"),
        ('offset="328360" size', 'offset="-4" size', "bytes at -4"),
        ('offset="328360" size', 'offset="999999999" size', r"bin: it is truncated"),
        ('shape="64, 64, 1, 1" offset="[0-9]+"', 'shape="64, 64, 1, 1" offset="0"', "not that of version"),
        ('<layer id="939"', '<layer id="938"', "do not hang together"),
        ('<layer id="873" name="([^"]*)" type="PReLU"', r'<layer id="873" name="\1" type="ReLU"', "one PReLU"),
        ('element_type="f32" shape="3, 1, 1, 1, 2" offset="32025416"',
         'element_type="f32" shape="3, 1, 1, 1, 2" offset="0"', "is not Haar's"),
    ],
)  # fmt: skip
def test_a_changed_description_is_refused(copy, pattern, replacement, fault):
    edit(copy / "SynthesisNetwork.xml", pattern, replacement)
    refused(copy, fault)


def test_an_extra_constant_is_refused(copy):
    extra = (
        '<layer id="5000" name="more" type="Const" version="opset1">'
        '<data element_type="f32" shape="8" offset="0" size="32"/></layer></layers>'
    )
    edit(copy / "MappingNetwork.xml", "</layers>", extra)
    refused(copy, r"1 constants too many \(more\)")


def test_weights_that_are_not_finite_are_refused(copy):
    path = copy / "MappingNetwork.bin"
    content = bytearray(path.read_bytes())
    content[28:32] = np.float32(np.nan).tobytes()
    path.unlink()
    path.write_bytes(content)
    refused(copy, "not finite")


def test_one_changed_weight_is_noticed(copy):
    path = copy / "MappingNetwork.bin"
    content = bytearray(path.read_bytes())
    content[28] ^= 1
    path.unlink()
    path.write_bytes(content)
    refused(copy, r"MappingNetwork\.bin: its content is not that of version 2021\.7\.21\.1")


def test_the_graph_says_what_feeds_what(packaged):
    graph = read_graph(packaged / "MappingNetwork.xml")
    products = graph.of_kind("MatMul")
    assert len(products) == 8
    assert graph.input(products[0], "Const").value.shape == (512, 512)
    assert graph.input(products[0], "Multiply").name == "Mul_7"
    with pytest.raises(GeneratorError, match="does not take one Add"):
        graph.input(products[0], "Add")
    with pytest.raises(GeneratorError, match="is not followed by one PReLU"):
        graph.user(products[0], "PReLU")
