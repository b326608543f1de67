import pytest
import torch
from torch.nn import functional

from hyper.generators.upscale import UpscaledConv


def in_two_steps(layer, x):
    return functional.conv2d(functional.interpolate(x, scale_factor=2.0), layer.weight, layer.bias, padding=1)


@pytest.mark.parametrize("shape", [(1, 7, 4, 4), (3, 7, 5, 9), (2, 7, 1, 1)])
def test_it_equals_the_two_steps(shape):
    torch.manual_seed(0)
    layer, x = UpscaledConv(7, 6), torch.randn(shape)
    assert torch.allclose(layer(x), in_two_steps(layer, x), atol=1e-5)
    assert layer(x).is_contiguous()
    turned = x.contiguous(memory_format=torch.channels_last)
    assert torch.allclose(layer(turned), in_two_steps(layer, x), atol=1e-5)
    if shape[2] > 1:  # one pixel has no order in memory
        assert layer(turned).is_contiguous(memory_format=torch.channels_last)
        for rows in (x, turned):
            assert torch.allclose(layer.between(rows), in_two_steps(layer, x)[:, :, 1:-1], atol=1e-5)


@pytest.mark.parametrize("order", [torch.contiguous_format, torch.channels_last])
def test_its_gradients_are_those_of_the_two_steps(order):
    torch.manual_seed(0)
    layer, x = UpscaledConv(4, 3).double(), torch.randn(2, 4, 5, 5, dtype=torch.float64, requires_grad=True)
    layer.weight.data = layer.weight.data.contiguous(memory_format=order)
    due = torch.autograd.grad(in_two_steps(layer, x).square().sum(), (x, layer.weight, layer.bias))
    found = torch.autograd.grad(layer(x).square().sum(), (x, layer.weight, layer.bias))
    for a, b in zip(due, found, strict=True):
        assert torch.allclose(a, b)
    assert found[1].stride() == layer.weight.stride()


def test_it_follows_its_weight():
    torch.manual_seed(0)
    layer, x = UpscaledConv(4, 3).requires_grad_(False), torch.randn(1, 4, 3, 3)
    for change in (
        lambda: None,
        lambda: layer.weight.mul_(2),
        lambda: layer.load_state_dict({"weight": torch.randn(3, 4, 3, 3), "bias": torch.randn(3)}),
        lambda: layer.load_state_dict({"weight": torch.randn(3, 4, 3, 3), "bias": torch.randn(3)}, assign=True),
    ):
        change()
        assert torch.allclose(layer(x), in_two_steps(layer, x), atol=1e-5)
    x = x.double()
    assert torch.allclose(layer.double()(x), in_two_steps(layer, x))
