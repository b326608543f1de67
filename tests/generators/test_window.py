import pytest
import torch

from hyper.errors import GeneratorError
from hyper.generators import window as module
from hyper.generators.pggan import PGGAN
from hyper.generators.window import windowed_activations


@pytest.fixture(scope="module")
def network():
    made, noise = PGGAN(7, (6, 5, 5, 4, 3)), torch.Generator().manual_seed(1)
    for weight in made.parameters():
        weight.data = torch.randn(weight.shape, generator=noise) / max(2, weight[0].numel()) ** 0.5
    return made


@pytest.mark.parametrize(
    ("layer", "rows", "columns"),
    [
        ("L1", (1, 3), (0, 4)),
        ("L2", (2, 6), (2, 6)),
        ("L3", (0, 1), (15, 16)),
        ("L4", (8, 24), (8, 24)),
        ("L5", (16, 48), (16, 48)),
        ("L5", (31, 33), (0, 3)),
        ("L5", (0, 64), (61, 64)),
    ],
)
def test_window_and_gradient_are_those_of_the_whole_map(network, layer, rows, columns):
    parts = slice(*rows), slice(*columns)
    found = []
    for compute in (
        lambda z: windowed_activations(network, z, layer, parts),
        lambda z: network.activations(z, layer)[(..., *parts)],
    ):
        z = torch.randn(2, 7, generator=torch.Generator().manual_seed(4)).requires_grad_(True)
        values = compute(z)
        found.append((values.detach(), torch.autograd.grad(values.square().sum(), z)[0]))
    (part, slope), (whole, whole_slope) = found
    assert part.shape == whole.shape
    assert torch.allclose(part, whole, atol=1e-5)
    assert torch.allclose(slope, whole_slope, rtol=1e-4, atol=1e-4)


def test_only_what_matters_is_computed(network, monkeypatch):
    places = []

    def counted(x):
        places.append(x[0, 0].numel())
        return activate(x)

    activate = module.activate
    monkeypatch.setattr(module, "activate", counted)
    windowed_activations(network, torch.zeros(1, 7), "L5", (slice(16, 48), slice(16, 48)))
    assert places[-2:] == [36**2, 36**2]
    assert max(places) < 64**2 / 3


def test_an_unknown_layer_is_refused(network):
    with pytest.raises(GeneratorError, match="none called 'L9'"):
        windowed_activations(network, torch.zeros(1, 7), "L9", (slice(0, 1), slice(0, 1)))
