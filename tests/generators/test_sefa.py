"""Closed-form directions against an eigendecomposition, and against what they do to the network."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from hyper.errors import GeneratorError
from hyper.generators.dcgan import DCGAN
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.pggan import PGGAN
from hyper.generators.sefa import closed_form_directions, first_weights
from hyper.generators.stylegan import StyleMapping
from hyper.generators.stylegan2 import StyleGAN2
from hyper.generators.styles import StyleGenerator
from hyper.generators.whitened import WhitenedStyles


def filled(network):
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    return network


def test_directions_are_eigenvectors_of_the_first_layer():
    network = filled(PGGAN(10, [8, 8]))
    weights = network.dense.weight.double().numpy()
    values, vectors = np.linalg.eigh(weights.T @ weights)
    directions, shares = closed_form_directions(network, 4)
    for row, share, place in zip(directions, shares, range(1, 5), strict=True):
        assert abs(row @ vectors[:, -place]) == pytest.approx(1, abs=1e-10)
        assert share == pytest.approx(values[-place] / values.sum())
        assert row[np.abs(row).argmax()] > 0
    assert np.allclose(directions @ directions.T, np.eye(4), atol=1e-10)


@pytest.mark.parametrize(
    ("network", "step"),
    [
        (PGGAN(10, [8, 8]), lambda g, z: g.dense(z)),
        (DCGAN(10, (8, 4)), lambda g, z: g.blocks[0](z[:, :, None, None]).flatten(1)),
        (MobileStyleGAN(12, (8, 8)), lambda g, z: g.mapping[0](z)),
        (StyleGAN2(StyleMapping([10, 8, 12]), [8, 8], None), lambda g, z: g.mapping.layers[0](z)),
    ],
)
def test_the_first_direction_moves_the_first_step_most(network, step):
    network = filled(network)
    size = network.latent_dim
    directions, _ = closed_form_directions(network, size)
    start = torch.zeros(1, size)
    moved = [(step(network, start + torch.tensor(row).float()) - step(network, start)).norm() for row in directions]
    assert all(first >= second for first, second in pairwise(moved))
    others = torch.nn.functional.normalize(torch.randn(50, size))
    assert moved[0] >= max((step(network, other[None]) - step(network, start)).norm() for other in others)


def test_styles_of_stylegan_are_judged_by_all_affine_layers():
    network = filled(StyleGAN2(StyleMapping([10, 8, 12]), [8, 6], None))
    layers = [network.first, *(layer for pair in network.pairs for layer in pair), *network.colours]
    assert torch.equal(first_weights(StyleGenerator(network)), torch.cat([layer.affine.weight for layer in layers]))


def test_styles_are_judged_by_all_modulations():
    network = filled(MobileStyleGAN(12, (8, 8)))
    mean, axes, spread = torch.zeros(12), torch.eye(12)[:, :5], torch.tensor([5.0, 4.0, 3.0, 2.0, 1.0])
    styled = first_weights(StyleGenerator(network))
    rows = sum(len(weight) for name, weight in network.named_parameters() if name.endswith("modulation.weight"))
    assert styled.shape == (rows, 12)
    whitened = first_weights(WhitenedStyles(network, (mean, axes, spread)))
    assert torch.allclose(whitened, network.psi * styled[:, :5] * spread)


def test_a_generator_without_an_affine_step_is_refused():
    class Other:
        latent_dim = 3

    with pytest.raises(GeneratorError, match="no affine first layer"):
        closed_form_directions(Other(), 2)
    with pytest.raises(GeneratorError, match="11 of 10 directions"):
        closed_form_directions(PGGAN(10, [8, 8]), 11)
