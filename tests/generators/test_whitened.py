"""Whitened styles: independent, of unit variance, and the styles they came from."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hyper.errors import GeneratorError
from hyper.generators.load import load_generator
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.whitened import WhitenedStyles, principal_axes, read_axes


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = MobileStyleGAN(12, (8, 8))
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return network


@pytest.fixture(scope="module")
def styles(network):
    with torch.no_grad():
        return network.full_styles(torch.randn(20_000, 12, generator=torch.Generator().manual_seed(1))).numpy()


def test_axes_whiten_the_styles(styles):
    mean, axes, spread = principal_axes(styles[:10_000], 12)
    u = (torch.from_numpy(styles[10_000:]) - mean) @ axes / spread
    assert torch.allclose(u.mean(0), torch.zeros(12), atol=0.06)
    assert torch.allclose(torch.cov(u.T), torch.eye(12), atol=0.15)
    assert (spread[:-1] >= spread[1:]).all()
    assert (axes.gather(0, axes.abs().argmax(0, keepdim=True)) > 0).all()


def test_latents_lead_to_truncated_styles_and_their_images(network, styles):
    mean, axes, spread = principal_axes(styles, 5)
    whitened = WhitenedStyles(network, (mean, axes, spread))
    u = torch.randn(4, 5, generator=torch.Generator().manual_seed(2))
    assert torch.allclose(whitened.styles(u), mean + network.psi * (u * spread) @ axes.T, atol=1e-5)
    assert torch.equal(whitened.activations(u, "latent"), u)
    with torch.no_grad():
        made = whitened.images(u)
        assert torch.equal(made, network.activations_of_styles(whitened.styles(u), "image"))
        assert not torch.allclose(made[0], made[1], atol=1e-3)
    with pytest.raises(GeneratorError, match="their shape"):
        whitened.images(u[:, :3])


def test_axes_are_read_and_checked(styles, tmp_path):
    axes = principal_axes(styles, 5)
    path = tmp_path / "axes.safetensors"
    save_file(dict(zip(("mean", "axes", "spread"), axes, strict=True)), path)
    for found, expected in zip(read_axes(path, 12), axes, strict=True):
        assert torch.equal(found, expected)
    with pytest.raises(GeneratorError, match="'mean' has the shape"):
        read_axes(path, 13)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(GeneratorError, match="cannot be read"):
        read_axes(path, 12)


def test_both_face_generators_make_the_same_face():
    """The shipped PGGAN was taught by the other: their images of one latent are alike, of two are not."""
    u = np.random.default_rng(11).standard_normal((4, 128)).astype(np.float32)
    with torch.no_grad():
        small = load_generator("pggan-face").images(torch.from_numpy(u))
        large = load_generator("random-face-style").images(torch.from_numpy(u))[:, :, 256:896, 192:832]
    large = torch.nn.functional.avg_pool2d(large, 80)
    small = torch.nn.functional.avg_pool2d(small, 8)
    small, large = ((x - x.mean(0)).flatten(1) for x in (small, large))
    alike = torch.corrcoef(torch.cat((small, large)))[:4, 4:]
    assert (alike.argmax(1) == torch.arange(4)).all()
    assert alike.diagonal().mean() > 0.6
