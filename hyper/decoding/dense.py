"""The published decoder: a dense layer before the generator, trained by Adam."""

import logging
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hyper.decoding.base import Pair
from hyper.decoding.linear import LinearDecoder
from hyper.generators.device import choose_device
from hyper.io.seeds import generator_of

_log = logging.getLogger(__name__)


class DenseDecoder(LinearDecoder):
    """Dense layer trained as in the authors' notebook (MXNet/Gluon), on latents alone.

    Per batch of B trials and K latents, with E = X W' + b - Z:

    * loss: gluon's L2Loss, half the mean square over the latents, averaged over the batch: sum(E^2) / (2 B K);
    * gradient: E'X / (B K) for the weight, sum(E) / (B K) for the bias;
    * Gluon's Adam: m and v from the gradient with `weight_decay` times the parameter added, for the bias as for the
      weight; step t moves by lr sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-8);
    * start: weight uniform in (-0.07, 0.07), bias zero (Gluon's default).

    Every epoch sees the trials in a new order; a last, smaller batch is kept.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
    decoupled : bool
        Subtract ``learning_rate * weight_decay`` times the parameter instead (AdamW; Loshchilov & Hutter, 2019).
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.
    device : {'auto', 'cpu', 'cuda'}
    seed : int
        Of the start and of the order of trials.

    Notes
    -----
    The curve has one row per epoch: ``train_loss`` is the mean over the batches as they were met, ``test_loss_unused``
    the loss of the watched data after the epoch. Nothing is chosen by the latter.
    """

    kind: ClassVar[str] = "dense"
    random: ClassVar[bool] = True

    def __init__(
        self,
        epochs: int = 1500,
        learning_rate: float = 1e-5,
        batch_size: int = 30,
        weight_decay: float = 0.01,
        decoupled: bool = False,
        scaling: Literal["zscore", "none"] = "zscore",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(
            epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, weight_decay=weight_decay,
            decoupled=decoupled, scaling=scaling, device=device, seed=seed,
        )  # fmt: skip

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        device = choose_device(self.settings["device"])
        x, z = (torch.tensor(values, dtype=torch.float32, device=device) for values in (responses, latents))
        seen = None
        if watched is not None:
            seen = [torch.tensor(values, dtype=torch.float32, device=device) for values in watched]
        start = generator_of(self.settings["seed"], "start").uniform(-0.07, 0.07, (z.shape[1], x.shape[1]))
        weight = torch.tensor(start, dtype=torch.float32, device=device)
        bias = torch.zeros(z.shape[1], device=device)
        adam = GluonAdam([weight, bias], *(self.settings[n] for n in ("learning_rate", "weight_decay", "decoupled")))
        order = generator_of(self.settings["seed"], "order")
        rows = []
        for epoch in range(1, self.settings["epochs"] + 1):
            shuffled = torch.from_numpy(order.permutation(len(x))).to(device)
            loss = self._train_epoch(x, z, shuffled, weight, bias, adam)
            rows.append((epoch, loss, _loss(seen[0], seen[1], weight, bias) if seen else np.nan))
        self.curve = pd.DataFrame(
            [(epoch, float(train), float(test)) for epoch, train, test in rows],
            columns=["epoch", "train_loss", "test_loss_unused"],
        )
        if len(self.curve):
            _log.info("loss %.4f after %d epochs on %s", self.curve["train_loss"].iloc[-1], len(rows), device)
        self.weight, self.bias = weight.cpu().numpy(), bias.cpu().numpy()

    def _train_epoch(
        self, x: Tensor, z: Tensor, order: Tensor, weight: Tensor, bias: Tensor, adam: "GluonAdam"
    ) -> Tensor:
        """One pass over the shuffled trials; returns the mean loss, on the device."""
        total = torch.zeros((), device=x.device)
        for batch in order.split(self.settings["batch_size"]):
            inputs = x[batch]
            error = torch.addmm(bias, inputs, weight.T).sub_(z[batch])
            scale = 1 / error.numel()
            total += error.square().sum() * (scale / 2 * len(batch) / len(x))
            error *= scale
            adam.step([error.T @ inputs, error.sum(dim=0)])
        return total


class GluonAdam:
    """MXNet's Adam on torch's fused kernel, one pass over the memory per step.

    MXNet adds epsilon to the uncorrected root, torch to the corrected one: they agree when torch is given
    epsilon / sqrt(1 - 0.999^t) at step t.

    Parameters
    ----------
    parameters : list of Tensor
        Changed in place.
    learning_rate, weight_decay : float
    decoupled : bool
    """

    EPSILON, BETAS = 1e-8, (0.9, 0.999)

    def __init__(self, parameters: list[Tensor], learning_rate: float, weight_decay: float, decoupled: bool) -> None:
        kind = torch.optim.AdamW if decoupled else torch.optim.Adam
        self.parameters = parameters
        self.optimizer = kind(parameters, lr=learning_rate, betas=self.BETAS, weight_decay=weight_decay, fused=True)
        self.steps = 0

    def step(self, gradients: list[Tensor]) -> None:
        """Move the parameters."""
        self.steps += 1
        self.optimizer.param_groups[0]["eps"] = self.EPSILON / (1 - self.BETAS[1] ** self.steps) ** 0.5
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()


def _loss(x: Tensor, z: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Gluon's L2Loss, averaged over trials."""
    return torch.addmm(bias, x, weight.T).sub_(z).square_().mean() / 2
