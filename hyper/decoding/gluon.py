"""The arithmetic of MXNet/Gluon that the published decoders were trained with: start, loss, Adam."""

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.adamw import adamw

from hyper.io.seeds import generator_of

RANGE = 0.07  # of Gluon's default initialiser, Uniform(0.07)


def start_weight(seed: int, latents: int, voxels: int) -> np.ndarray:
    """Draw a weight, shape (latent, voxel), uniform in (-0.07, 0.07); Gluon starts the bias at zero."""
    return generator_of(seed, "start").uniform(-RANGE, RANGE, (latents, voxels)).astype(np.float32)


def l2_loss(predicted: Tensor, true: Tensor) -> Tensor:
    """Gluon's L2Loss: half the mean square over all dimensions but the first, shape (n,)."""
    return (predicted - true).square().flatten(1).mean(dim=1) / 2


class GluonAdam:
    """MXNet's Adam on torch's fused kernel, one pass over the memory per step.

    m and v follow the gradient with `weight_decay` times the parameter added; step t moves by
    lr sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-8). MXNet adds epsilon to the uncorrected root, torch to the
    corrected one: they agree when torch is given epsilon / sqrt(1 - 0.999^t) at step t.

    Parameters
    ----------
    parameters : list of Tensor
        Changed in place.
    learning_rate, weight_decay : float
    decoupled : bool
        Shrink the parameters themselves by ``learning_rate * weight_decay`` instead (AdamW).

    Attributes
    ----------
    first, second : list of Tensor
        m and v of each parameter.
    steps : int
        Steps taken.
    """

    EPSILON, BETAS = 1e-8, (0.9, 0.999)

    def __init__(self, parameters: list[Tensor], learning_rate: float, weight_decay: float, decoupled: bool) -> None:
        self.parameters = parameters
        self.learning_rate, self.weight_decay, self.decoupled = learning_rate, weight_decay, decoupled
        self.first = [torch.zeros_like(parameter) for parameter in parameters]
        self.second = [torch.zeros_like(parameter) for parameter in parameters]
        self.steps = 0
        self._counters = [torch.zeros((), device=parameter.device) for parameter in parameters]

    @torch.no_grad()
    def step(self, gradients: list[Tensor]) -> None:
        """Move the parameters."""
        for counter in self._counters:
            counter.fill_(self.steps)
        self.steps += 1
        update = adamw if self.decoupled else adam
        update(
            self.parameters, gradients, self.first, self.second, [], self._counters, fused=True, amsgrad=False,
            beta1=self.BETAS[0], beta2=self.BETAS[1], lr=self.learning_rate, weight_decay=self.weight_decay,
            eps=self.EPSILON / (1 - self.BETAS[1] ** self.steps) ** 0.5, maximize=False,
        )  # fmt: skip

    def rows(self, chosen: slice) -> "GluonAdam":
        """Adam of some rows of the same parameters and moments, in place; its steps are counted apart."""
        part = GluonAdam.__new__(GluonAdam)
        part.parameters = [parameter[chosen] for parameter in self.parameters]
        part.learning_rate, part.weight_decay, part.decoupled = self.learning_rate, self.weight_decay, self.decoupled
        part.first, part.second = [m[chosen] for m in self.first], [v[chosen] for v in self.second]
        part.steps = self.steps
        part._counters = [counter.clone() for counter in self._counters]
        return part
