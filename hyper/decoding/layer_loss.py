"""Loss of a generator's layer: what the network makes of predicted latents against what it makes of the true ones."""

import tempfile
from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hyper.decoding.gluon import l2_loss
from hyper.decoding.products import linear_of
from hyper.decoding.training import EpochLosses, Layer, Trials
from hyper.generators.base import Generator, layer_index
from hyper.generators.batches import generate
from hyper.generators.window import windowed_activations

IN_MEMORY = 2**31  # bytes of true activations on the CPU; more are kept in a file


class FrozenLayer:
    """One layer of a generator whose weights stay as they are.

    Parameters
    ----------
    generator : Generator
        On the device of the training.
    layer : str
    centre : float
        Share of the height and of the width of the map, about its middle, that counts: whole places, at least one.
    mixed : bool
        Multiply in bfloat16; sums, normalisation and the loss stay in single precision.

    Raises
    ------
    GeneratorError
        When there is no such layer.
    """

    def __init__(self, generator: Generator, layer: str, centre: float = 1.0, mixed: bool = False) -> None:
        self.generator, self.layer, self.mixed = generator, layer, mixed
        _, *size = generator.layers[layer_index(generator.layers, layer)].shape
        kept = [max(1, round(centre * edge)) for edge in size]
        starts = [(edge - own) // 2 for edge, own in zip(size, kept, strict=True)]
        self.window = tuple(slice(start, start + own) for start, own in zip(starts, kept, strict=True))

    def __call__(self, latents: Tensor) -> Tensor:
        """Activation within the window, shape (n, channel, height, width), differentiable."""
        with torch.autocast(latents.device.type, torch.bfloat16, enabled=self.mixed):
            return windowed_activations(self.generator, latents, self.layer, self.window).float()

    def remember(self, latents: Tensor) -> "Activations":
        """Compute the activations of true latents once, in single precision."""
        blocks = generate(self.generator, latents.cpu().numpy(), self.layer)
        first = next(blocks)
        place: tuple[Any, ...] = (..., *self.window)
        known = Activations((len(latents), *first[place].shape[1:]), latents.device)
        start = 0
        for block in chain([first], blocks):
            known.stored[start : start + len(block)] = torch.from_numpy(block[place])
            start += len(block)
        return known


class Activations:
    """True activations, to be read in batches: from memory, or streamed from a nameless file when they are large."""

    def __init__(self, shape: tuple[int, ...], device: torch.device) -> None:
        self.device = device
        if prod(shape) * 4 <= _memory_for_activations(device):
            self.stored = torch.empty(shape, device=device)
        else:
            with tempfile.TemporaryFile(prefix="hyper-activations-") as file:  # the mapping outlives its name
                self.stored = torch.from_numpy(np.memmap(file, np.float32, "w+", shape=shape))

    def __getitem__(self, rows: Tensor) -> Tensor:
        """Activations of some rows, on the device."""
        return self.stored.index_select(0, rows.to(self.stored.device)).to(self.device)


def _memory_for_activations(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else IN_MEMORY


class LayerRound:
    """Rounds on the loss of one layer's activation, with or without that of the latents (see `training.train`).

    The loss of a trial is gluon's L2Loss of the activation within the window, plus that of the latents; batches are
    averaged over trials. The activations of the true latents are computed once.

    Parameters
    ----------
    trials : Trials
    batch_size : int
    frozen : FrozenLayer
    latents : bool
        Whether the latents count.
    watched : Trials, optional
    """

    def __init__(
        self, trials: Trials, batch_size: int, frozen: FrozenLayer, latents: bool, watched: Trials | None = None
    ) -> None:
        self.trials, self.batch_size, self.frozen, self.latents = trials, batch_size, frozen, latents
        self.watched = watched
        self.true = frozen.remember(trials.latents)
        self.true_watched = None if watched is None else frozen.remember(watched.latents)

    def __call__(self, layer: Layer, orders: Sequence[np.ndarray]) -> EpochLosses:
        """Train for ``len(orders)`` epochs."""
        x, linear, device = self.trials.responses, linear_of(layer.weight.device), layer.weight.device
        train_losses, test_losses = torch.zeros(len(orders)), torch.full((len(orders),), torch.nan)
        for epoch, order in enumerate(orders):
            losses = []
            for batch in torch.from_numpy(order).to(device).split(self.batch_size):
                inputs = x.index_select(0, batch)
                predicted = linear(inputs, layer.weight).add_(layer.bias).requires_grad_(True)
                loss = self._losses(predicted, self.trials.latents.index_select(0, batch), self.true[batch]).sum()
                (slope,) = torch.autograd.grad(loss, predicted)
                slope /= len(batch)
                layer.adam.step([linear(slope.T, inputs.T), slope.sum(dim=0)])
                losses.append(loss.detach())
            train_losses[epoch] = torch.stack(losses).sum().cpu() / len(x)
            test_losses[epoch] = self._watch(layer)
        return train_losses, test_losses

    def _losses(self, predicted: Tensor, latents: Tensor, activation: Tensor) -> Tensor:
        losses = l2_loss(self.frozen(predicted), activation)
        return losses + l2_loss(predicted, latents) if self.latents else losses

    @torch.no_grad()
    def _watch(self, layer: Layer) -> float:
        if self.watched is None or self.true_watched is None:
            return float("nan")
        total = 0.0
        for rows in torch.arange(len(self.watched.latents), device=layer.weight.device).split(self.batch_size):
            predicted = self.watched.responses[rows] @ layer.weight.T + layer.bias
            total += float(self._losses(predicted, self.watched.latents[rows], self.true_watched[rows]).sum())
        return total / len(self.watched.latents)
