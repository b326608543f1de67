"""Training of a dense layer: epochs over shuffled trials, in blocks of latents, with checkpoints."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hyper.decoding.gluon import GluonAdam
from hyper.decoding.products import linear_of

_log = logging.getLogger(__name__)

BLOCK = 64  # latents whose weight, gradient and moments stay in a core's cache; 512 make 8 blocks
ROUND = 25  # epochs that a block is trained before the next
_KEPT = 2**25 - 2**16  # bytes, just below the largest block whose return tells glibc to keep smaller ones

Curve = list[tuple[int, float, float]]


@dataclass
class Trials:
    """Scaled responses, shape (trial, voxel), and latents, shape (trial, latent), single precision on the device."""

    responses: Tensor
    latents: Tensor


@dataclass
class Layer:
    """A dense layer in training.

    Attributes
    ----------
    weight : Tensor, shape (latent, voxel)
    bias : Tensor, shape (latent,)
    adam : GluonAdam
        Of both.
    epoch : int
        Epochs done.
    curve : list of (int, float, float)
        Epoch, loss over its batches as they were met, loss of the watched trials after it (or nan).
    """

    weight: Tensor
    bias: Tensor
    adam: GluonAdam
    epoch: int = 0
    curve: Curve = field(default_factory=list)

    def table(self) -> pd.DataFrame:
        """The curve as a table."""
        return pd.DataFrame(self.curve, columns=["epoch", "train_loss", "test_loss_unused"])


EpochLosses = tuple[Tensor, Tensor]
TrainRound = Callable[[Layer, Sequence[np.ndarray]], EpochLosses]


def train(
    layer: Layer,
    epochs: int,
    order: np.random.Generator,
    trials: int,
    train_round: TrainRound,
    keep: Callable[[Layer], None] | None = None,
    interval: float = 60.0,
) -> None:
    """Train until `epochs` are done.

    Parameters
    ----------
    layer : Layer
        Changed in place; it may have been trained for some epochs before.
    epochs : int
    order : Generator
        Gives each epoch's order of trials, fresh: epochs done before are drawn again.
    trials : int
    train_round : callable
        Trains a layer in the given orders, one an epoch; returns the losses of `Layer.curve` of each.
    keep : callable, optional
        Called with the layer after a round when `interval` seconds have passed since the last call.
    interval : float
    """
    for _ in range(layer.epoch):
        order.permutation(trials)
    kept = time.monotonic()
    while layer.epoch < epochs:
        orders = [order.permutation(trials) for _ in range(min(ROUND, epochs - layer.epoch))]
        train_losses, test_losses = (losses.tolist() for losses in train_round(layer, orders))
        numbers = range(layer.epoch + 1, layer.epoch + len(orders) + 1)
        layer.curve += list(zip(numbers, train_losses, test_losses, strict=True))
        layer.epoch += len(orders)
        if not np.isfinite(train_losses[-1]):
            return
        if keep is not None and layer.epoch < epochs and time.monotonic() - kept >= interval:
            keep(layer)
            kept = time.monotonic()
            _log.info("loss %.4f after %d of %d epochs", train_losses[-1], layer.epoch, epochs)


class LatentRound:
    """Rounds on the loss of latents alone.

    Neither the loss nor Adam mixes latents: the layer is so many layers of one output each. On the CPU it is therefore
    trained in blocks of `BLOCK` latents, each for a whole round, whose weight, gradient and moments stay in the cache;
    every thread takes blocks of its own. The result depends on neither rounds nor threads.

    Parameters
    ----------
    trials : Trials
    batch_size : int
    watched : Trials, optional
    threads : int, optional
        On the CPU; as many as torch may use when not given.
    """

    def __init__(
        self, trials: Trials, batch_size: int, watched: Trials | None = None, threads: int | None = None
    ) -> None:
        self.trials, self.batch_size, self.watched, self.threads = trials, batch_size, watched, threads

    def __call__(self, layer: Layer, orders: Sequence[np.ndarray]) -> EpochLosses:
        """Train for ``len(orders)`` epochs."""
        device, latents = layer.weight.device, len(layer.weight)
        shuffled = [torch.from_numpy(order).to(device) for order in orders]
        size = BLOCK if device.type == "cpu" else latents
        slices = [slice(first, min(first + size, latents)) for first in range(0, latents, size)]
        blocks = [layer.adam.rows(chosen) for chosen in slices]
        columns = [self.trials.latents[:, chosen].contiguous() for chosen in slices]
        seen = [None if self.watched is None else self.watched.latents[:, chosen] for chosen in slices]
        tasks = [
            partial(self._train_block, block, shuffled, z, own)
            for block, z, own in zip(blocks, columns, seen, strict=True)
        ]
        losses = [task() for task in tasks] if device.type != "cpu" else _run_threads(tasks, self.threads)
        layer.adam.steps = blocks[0].steps
        train_losses, test_losses = (torch.stack(parts).sum(dim=0) / latents for parts in zip(*losses, strict=True))
        return train_losses, test_losses

    def _train_block(
        self, adam: GluonAdam, shuffled: Sequence[Tensor], latents: Tensor, watched: Tensor | None
    ) -> EpochLosses:
        """Losses per epoch, each times the number of all latents."""
        x, linear = self.trials.responses, linear_of(latents.device)
        weight, bias = adam.parameters
        total = self.trials.latents.shape[1]
        losses = torch.zeros(2, len(shuffled), device=x.device)
        if watched is None:
            losses[1] = torch.nan
        for epoch, order in enumerate(shuffled):
            squares = []
            for batch in order.split(self.batch_size):
                inputs = x.index_select(0, batch)
                error = linear(inputs, weight).add_(bias).sub_(latents.index_select(0, batch))
                squares.append(torch.linalg.vector_norm(error))
                error /= len(batch) * total
                adam.step([linear(error.T, inputs.T), error.sum(dim=0)])
            losses[0, epoch] = torch.stack(squares).square_().sum()
            if watched is not None and self.watched is not None:
                losses[1, epoch] = linear(self.watched.responses, weight).add_(bias).sub_(watched).square_().sum()
        losses[0] /= 2 * len(x)
        losses[1] /= 2 * len(self.watched.responses) if self.watched is not None else 1
        return losses[0], losses[1]


def _run_threads(tasks: list[partial[EpochLosses]], workers: int | None = None) -> list[EpochLosses]:
    """Run tasks of one thread each, in so many threads, or in as many as torch may use."""
    threads = torch.get_num_threads()
    workers = min(workers or threads, len(tasks))
    torch.empty(_KEPT, dtype=torch.uint8)  # else the gradients' memory is fetched from the system anew at every step
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(lambda task: task(), tasks))
    finally:
        torch.set_num_threads(threads)  # a part of the setting is common to all threads
