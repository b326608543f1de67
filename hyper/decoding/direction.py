"""A decoder of the latent's direction alone: the cosine loss."""

import logging
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from hyper.decoding.base import Pair, folds_of
from hyper.decoding.linear import LinearDecoder

_log = logging.getLogger(__name__)


class DirectionDecoder(LinearDecoder):
    """Linear map that maximises the cosine of true and decoded latents; leaving runs out chooses the penalty.

    The loss is the sum over trials of 1 - cosine, plus `penalty` / 2 times the sum of squared weights; L-BFGS from the
    ridge solution in the dual, where a trial counts and not a voxel. The length of what is decoded means nothing: it is
    set to the mean length of the least-squares fit of the training latents on the decoded directions.

    Parameters
    ----------
    penalties : list of float
        Tried, in units of 1 / (mean squared length of a scaled response).
    steps : int
        Of L-BFGS at most.
    folds : int
        Used when the trials are of one run.
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.

    Notes
    -----
    The curve has one row per penalty: ``penalty``, ``left_out_cosine``, ``chosen`` (0 or 1).
    """

    kind: ClassVar[str] = "direction"

    def __init__(
        self,
        penalties: list[float] | None = None,
        steps: int = 30,
        folds: int = 5,
        scaling: Literal["zscore", "none"] = "zscore",
    ) -> None:
        penalties = [0.1, 0.3, 1.0, 3.0] if penalties is None else penalties
        super().__init__(penalties=penalties, steps=steps, folds=folds, scaling=scaling)

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        folds = folds_of(len(responses), series, self.settings["folds"])
        centre = responses.mean(axis=0)
        x = responses - centre
        kernel = x @ x.T
        kernel /= max(float(np.trace(kernel)) / len(x), np.finfo(float).tiny)
        scores = np.zeros(len(self.settings["penalties"]))
        for fold in np.unique(folds):
            left, kept = folds == fold, folds != fold
            for i, penalty in enumerate(self.settings["penalties"]):
                dual = _fit_dual(kernel[np.ix_(kept, kept)], latents[kept], penalty, self.settings["steps"])
                scores[i] += _mean_cosine(kernel[np.ix_(left, kept)] @ dual, latents[left]) * left.mean()
        best = int(scores.argmax())
        dual = _fit_dual(kernel, latents, self.settings["penalties"][best], self.settings["steps"])
        decoded = kernel @ dual
        square = float(np.square(decoded).sum())
        scale = float((decoded * latents).sum()) / square if square > 0 else 0.0
        self.weight = np.ascontiguousarray((x.T @ dual).T) * (scale / max(float(np.square(x).sum()) / len(x), 1e-300))
        self.bias = -self.weight @ centre
        chosen = (np.arange(len(scores)) == best).astype(int)
        self.curve = pd.DataFrame({"penalty": self.settings["penalties"], "left_out_cosine": scores, "chosen": chosen})
        _log.info("penalty %.3g, left-out cosine %.4f", self.settings["penalties"][best], scores[best])


def _fit_dual(kernel: np.ndarray, latents: np.ndarray, penalty: float, steps: int) -> np.ndarray:
    """Dual coefficients, shape (trial, latent)."""
    k, z = torch.from_numpy(kernel), torch.from_numpy(np.asarray(latents, np.float64))
    z = z / z.norm(dim=1, keepdim=True).clamp_min(1e-12)
    dual = torch.linalg.solve(k + penalty * torch.eye(len(k), dtype=k.dtype), z).contiguous().requires_grad_()
    optimizer = torch.optim.LBFGS([dual], max_iter=steps, history_size=10, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        decoded = k @ dual
        lengths = decoded.norm(dim=1).clamp_min(1e-12)
        value = (1 - (decoded * z).sum(dim=1) / lengths).sum() + penalty / 2 * (dual * decoded).sum()
        value.backward()
        return value

    optimizer.step(loss)
    return dual.detach().numpy()


def _mean_cosine(decoded: np.ndarray, true: np.ndarray) -> float:
    lengths = np.linalg.norm(decoded, axis=1) * np.linalg.norm(true, axis=1)
    products = (decoded * true).sum(axis=1)
    return float(np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0).mean())
