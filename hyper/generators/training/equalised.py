"""The equalised learning rate, by the optimiser rather than by the layers."""

from collections.abc import Iterator, Mapping
from math import sqrt

import torch
from torch import nn

_GAIN = sqrt(2)


def start(network: nn.Module, gains: Mapping[str, float], generator: torch.Generator) -> None:
    """Draw weights from N(0, (gain / sqrt(fan-in))^2); biases are zero.

    Parameters
    ----------
    network : torch.nn.Module
    gains : mapping of str to float
        Gains other than sqrt(2), by the start of the layer's name.
    generator : torch.Generator
    """
    with torch.no_grad():
        for layer, scale in _layers(network, gains):
            layer.weight.copy_(torch.randn(layer.weight.shape, generator=generator) * scale)
            if layer.bias is not None:
                layer.bias.zero_()


def adam(network: nn.Module, gains: Mapping[str, float], rate: float) -> torch.optim.Adam:
    """Return Adam (beta1 0, beta2 0.99) that steps as if the weights were scaled at run time.

    Karras et al. (2018) keep w ~ N(0, 1) and compute with c w, c = gain / sqrt(fan-in). Adam's step does not depend
    on the scale of the gradient, so that the step of c w is c times the rate, and its epsilon is divided by c: the
    same path, without a product in every layer.

    Parameters
    ----------
    network : torch.nn.Module
    gains : mapping of str to float
        As for `start`.
    rate : float
        Learning rate.
    """
    groups: list[dict] = [{"params": [], "lr": rate, "first_lr": rate, "eps": 1e-8}]
    for layer, scale in _layers(network, gains):
        if layer.bias is not None:
            groups[0]["params"].append(layer.bias)
        groups.append({"params": [layer.weight], "lr": rate * scale, "first_lr": rate * scale, "eps": 1e-8 / scale})
    return torch.optim.Adam(groups, betas=(0.0, 0.99))


def _layers(network: nn.Module, gains: Mapping[str, float]) -> Iterator[tuple[nn.Linear | nn.Conv2d, float]]:
    for name, layer in network.named_modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            gain = next((gain for part, gain in gains.items() if name.startswith(part)), _GAIN)
            yield layer, gain / sqrt(layer.weight[0].numel())
