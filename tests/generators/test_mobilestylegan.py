import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators import slabs
from hyper.generators.base import Generator, check_normal_latents
from hyper.generators.batches import generate, images_uint8
from hyper.generators.mobilestylegan import Block, MobileStyleGAN, ModulatedConv, Start
from hyper.generators.styles import StyleGenerator

LATENT, CHANNELS = 6, (8, 12, 4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    network = MobileStyleGAN(LATENT, CHANNELS)
    for parameter in network.parameters():
        parameter.data.normal_(std=0.5)
    return network


@pytest.fixture
def z():
    return torch.from_numpy(np.random.default_rng(1).normal(size=(3, LATENT))).float()


def haar(x):
    """Inverse wavelet transform by transposed convolutions, rows then columns, as the original does it."""
    c = x.shape[1] // 4
    low, (lh, hl, hh) = x[:, :c], x[:, c:].unflatten(1, (c, 3)).unbind(2)
    g0, g1 = (torch.tensor([1.0, sign]) / 2**0.5 for sign in (1, -1))

    def up(values, taps, axis):
        kernel = taps.view(1, 1, 2, 1) if axis == 2 else taps.view(1, 1, 1, 2)
        stride = (2, 1) if axis == 2 else (1, 2)
        return functional.conv_transpose2d(values, kernel.expand(c, 1, *kernel.shape[2:]), stride=stride, groups=c)

    first, second = up(low, g0, 2) + up(lh, g1, 2), up(hl, g0, 2) + up(hh, g1, 2)
    return up(first, g0, 3) + up(second, g1, 3)


def literal(network, z):
    """Every step of the original in its order, channels first, styles multiplied onto activations."""

    def scaled(x, module):
        return x * module.modulation(w)[:, :, None, None]

    w = z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()
    for layer in network.mapping:
        w = functional.leaky_relu(layer(w), 0.2) * 2**0.5
    w = network.mean_style + 0.7 * (w - network.mean_style)
    start = network.start
    x = functional.conv2d(scaled(start.constant[None], start), start.kernel, padding=1)
    x = functional.leaky_relu(x + start.noise + start.bias[:, None, None], 0.2)
    found = {"latent": z, "w": w, "L1": x}
    for number, block in enumerate(network.blocks, 2):
        x = haar(scaled(x, block))
        for conv in (block.conv1, block.conv2):
            x = functional.conv2d(scaled(x, conv), conv.depthwise, padding=1, groups=x.shape[1])
            x = functional.conv2d(x, conv.pointwise[:, :, None, None])
            x = functional.leaky_relu(x + conv.noise + conv.bias[:, None, None], 0.2)
        found[f"L{number}"] = x
    to_image = network.to_image
    x = functional.conv2d(scaled(x, to_image), to_image.pointwise[:, :, None, None], to_image.bias)
    return found | {"image": haar(x)}


@pytest.mark.parametrize("size", [2**20, 1])
def test_every_layer_equals_the_literal_network(network, z, monkeypatch, size):
    monkeypatch.setattr(slabs, "SIZE", size)  # of one byte: as many slabs as there can be
    due = literal(network, z)
    assert [layer.name for layer in network.layers] == list(due)
    for layer in network.layers:
        found = network.activations(z, layer.name)
        assert found.shape == (3, *layer.shape)
        assert (found - due[layer.name]).abs().max() < 1e-4 * due[layer.name].abs().max()
    assert torch.equal(network.images(z), network.activations(z, "image"))
    assert network.resolution == 32


def test_slabs_change_nothing(network, z, monkeypatch):
    whole = network.images(z[:1])
    monkeypatch.setattr(slabs, "SIZE", 1)
    assert (network.images(z[:1]) - whole).abs().max() <= 1e-6 * whole.abs().max()


def test_images_do_not_depend_on_the_batch(network, z):
    alone = torch.cat([network.images(z[i : i + 1]) for i in range(3)])
    assert (network.images(z) - alone).abs().max() < 1e-5 * alone.abs().max()
    blocks = list(generate(network, z.numpy(), batch=2))
    assert [len(block) for block in blocks] == [2, 1]
    assert np.abs(np.concatenate(blocks) - alone.numpy()).max() < 1e-5 * float(alone.abs().max())
    assert images_uint8(network, z.numpy()).shape == (3, 32, 32, 3)


def test_gradients_are_those_of_the_literal_network(network, z):
    for source in (network.images, lambda z: literal(network, z)["image"]):
        z = z.detach().requires_grad_(True)
        source(z).square().mean().backward()
        if source == network.images:
            gradient = z.grad
    assert gradient.abs().min() > 0
    assert (gradient - z.grad).abs().max() < 1e-4 * z.grad.abs().max()
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_it_computes_no_more_than_the_layer_needs(network, z):
    called = []
    for module in network.modules():
        if isinstance(module, (Start, Block, ModulatedConv, nn.Linear)):
            module.register_forward_hook(lambda module, *_: called.append(type(module).__name__))
    network.activations(z[:1], "latent")
    assert called == []
    network.activations(z[:1], "w")
    assert called == ["Linear"] * 8
    network.activations(z[:1], "L1")
    assert "Start" in called
    assert "Block" not in called
    network.activations(z[:1], "L2")
    assert called.count("Block") == 1
    network.activations(z[:1], "L3")
    assert called.count("Block") == 3


def test_truncation_draws_styles_to_the_mean(network, z):
    full = network.full_styles(z)
    assert torch.allclose(network.styles(z) - network.mean_style, 0.7 * (full - network.mean_style), atol=1e-6)
    network.psi = 1.0
    assert torch.allclose(network.styles(z), full, atol=1e-6)


def test_styles_can_be_given(network, z):
    by_style = StyleGenerator(network)
    assert isinstance(by_style, Generator)
    assert isinstance(network, Generator)
    assert [layer.name for layer in by_style.layers] == ["latent", "L1", "L2", "L3", "image"]
    w = network.styles(z)
    assert torch.equal(by_style.activations(w, "latent"), w)
    for name in ("L1", "L3", "image"):
        assert torch.equal(by_style.activations(w, name), network.activations(z, name))
    assert torch.equal(by_style.images(w), network.images(z))
    with pytest.raises(GeneratorError, match="Choose one of latent, L1"):
        by_style.activations(w, "w")
    check_normal_latents(network)
    with pytest.raises(GeneratorError, match="cannot be drawn from"):
        check_normal_latents(by_style)


def test_wrong_latents_layers_and_structures_are_refused(network):
    with pytest.raises(GeneratorError, match=r"\(n, 6\) is due"):
        network.images(torch.zeros(1, 5))
    with pytest.raises(GeneratorError, match=r"\(n, 6\) is due"):
        network.activations_of_styles(torch.zeros(6), "image")
    with pytest.raises(GeneratorError, match="latent, w, L1, L2, L3, image"):
        network.activations(torch.zeros(1, 6), "L4")
    for channels in ((8,), (6, 4), (8, 0)):
        with pytest.raises(GeneratorError, match="is none"):
            MobileStyleGAN(LATENT, channels)


def test_half_precision_and_other_types(network, z):
    image = network.images(z)
    wide = network.double()
    assert (wide.images(z.double()).float() - image).abs().max() < 1e-4 * image.abs().max()
    assert wide.to(torch.bfloat16).images(z).dtype == torch.bfloat16
