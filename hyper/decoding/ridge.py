"""Ridge regression from voxels to latents, by himalaya (Dupré la Tour et al., 2022)."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
from himalaya.backend import get_backend, set_backend
from himalaya.kernel_ridge import solve_kernel_ridge_cv_eigenvalues
from himalaya.ridge import solve_ridge_cv_svd
from himalaya.scoring import l2_neg_loss
from sklearn.model_selection import PredefinedSplit

from hyper.decoding.base import Pair, folds_of
from hyper.decoding.encoding_model import fit_encoding_model
from hyper.decoding.linear import LinearDecoder
from hyper.errors import DataError
from hyper.generators.device import choose_device

_log = logging.getLogger(__name__)


class RidgeDecoder(LinearDecoder):
    """Least squares with an L2 penalty that cross-validation on the training trials chooses.

    The folds are the runs where there are several, else `folds` stretches of neighbouring trials. With fewer trials
    than voxels the dual problem is solved, else the primal one.

    Parameters
    ----------
    penalty : {'shared', 'per latent'}
        One penalty for all latents or each its own.
    lowest, highest : float
        Range of penalties, in units of (scaled response)^2 summed over trials.
    number : int
        Penalties tried, evenly spaced on a logarithmic scale.
    selection : {'folds', 'gcv'}
        By folds, or by generalised cross-validation (Golub, Heath & Wahba, 1979), which leaves no trial out and so
        knows nothing of runs.
    folds : int
        Used when the trials are of one run.
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.
    weighting : {'none', 'reliability'}
        Multiply each scaled voxel by the root of the share of its variance that an encoding model explains in the
        training trials, relative to the best voxel: the penalty then weighs most on voxels that tell least.
    device : {'auto', 'cpu', 'cuda'}

    Notes
    -----
    The curve has one row per penalty: ``left_out_mse``, mean over folds and latents (``gcv``, mean over latents, where
    that selects), and ``latents``, how many of them use it.
    """

    kind: ClassVar[str] = "ridge"

    def __init__(
        self,
        penalty: Literal["shared", "per latent"] = "shared",
        lowest: float = 1e-1,
        highest: float = 1e7,
        number: int = 33,
        selection: Literal["folds", "gcv"] = "folds",
        folds: int = 5,
        scaling: Literal["zscore", "none"] = "zscore",
        weighting: Literal["none", "reliability"] = "none",
        device: Literal["auto", "cpu", "cuda"] = "auto",
    ) -> None:
        super().__init__(
            penalty=penalty, lowest=lowest, highest=highest, number=number, selection=selection, folds=folds,
            scaling=scaling, weighting=weighting, device=device,
        )  # fmt: skip

    def _weigh_voxels(self, responses: np.ndarray, latents: np.ndarray) -> None:
        if self.settings["weighting"] == "reliability":
            self.std = self.std / _reliability_weights(responses, latents)

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        grid = np.geomspace(self.settings["lowest"], self.settings["highest"], self.settings["number"])
        centre, offset = responses.mean(axis=0), latents.mean(axis=0)
        x, z = responses - centre, latents - offset
        local = self.settings["penalty"] == "per latent"
        if self.settings["selection"] == "gcv":
            best, coefficients, curve = _solve_by_gcv(x, z, grid, local)
        else:
            folds = folds_of(len(responses), series, self.settings["folds"])
            score = _RecordedScore()
            options = {
                "alphas": grid, "cv": PredefinedSplit(folds), "fit_intercept": True, "score_func": score,
                "local_alpha": local,
            }  # fmt: skip
            with _backend(choose_device(self.settings["device"]).type):
                best, coefficients = _solve(x, z, options)
            curve = score.curve()
        self.weight = np.ascontiguousarray(coefficients.T)
        self.bias = offset - self.weight @ centre
        self.penalties = grid[np.abs(np.log(grid)[:, None] - np.log(best)[None]).argmin(axis=0)]
        counts = [int((self.penalties == value).sum()) for value in grid]
        name = "gcv" if self.settings["selection"] == "gcv" else "left_out_mse"
        self.curve = pd.DataFrame({"penalty": grid, name: curve, "latents": counts})
        self._report(grid)

    def _report(self, grid: np.ndarray) -> None:
        _log.info("penalty %.3g (median over latents), by %s", np.median(self.penalties), self.settings["selection"])
        ends = np.isin(self.penalties, grid[[0, -1]]).mean()
        if ends > 0.5 and len(grid) > 1:
            _log.warning(
                "the penalty of %.0f %% of the latents is at an end of the range %.3g to %.3g: "
                "widen lowest or highest, or there is nothing to decode", 100 * ends, grid[0], grid[-1],
            )  # fmt: skip


def _reliability_weights(scaled: np.ndarray, latents: np.ndarray) -> np.ndarray:
    """Root of the share of each voxel's variance that the latents explain, relative to the best voxel."""
    share = fit_encoding_model(scaled - scaled.mean(axis=0), latents - latents.mean(axis=0)).reliability
    return np.sqrt(np.maximum(share / share.max(), 1e-6)) if share.max() > 0 else np.ones_like(share)


def _solve(x: np.ndarray, z: np.ndarray, options: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Penalty per latent and coefficients, shape (voxel, latent), of centred data."""
    backend = get_backend()
    targets = backend.asarray(z)
    if len(x) < x.shape[1]:
        best, dual, _, _ = solve_kernel_ridge_cv_eigenvalues(backend.asarray(x @ x.T), targets, **options)
        coefficients = x.T @ backend.to_numpy(dual)
    else:
        best, primal, _, _ = solve_ridge_cv_svd(backend.asarray(x), targets, **options)
        coefficients = backend.to_numpy(primal)
    if not np.isfinite(coefficients).all():
        raise DataError("ridge", "the solution is not finite", "Raise decoding.decoders.<name>.lowest")
    return backend.to_numpy(best), coefficients


def _solve_by_gcv(
    x: np.ndarray, z: np.ndarray, grid: np.ndarray, local: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Penalty per latent, coefficients, shape (voxel, latent), and criterion per penalty, of centred data.

    The criterion is the mean squared residual over (1 - degrees of freedom / trials)^2, the mean counting as one.
    """
    left, root, right = np.linalg.svd(x, full_matrices=False)
    kept = root > max(x.shape) * np.finfo(float).eps * root[0]
    left, root, right = left[:, kept], root[kept], right[kept]
    projected = left.T @ z
    outside = np.square(z).sum(axis=0) - np.square(projected).sum(axis=0)
    shares = root**2 / (root**2 + grid[:, None])
    residual = np.square(1 - shares) @ np.square(projected) + outside
    free = np.maximum(1 - (1 + shares.sum(axis=1)) / len(x), 1e-9)
    criterion = residual / len(x) / np.square(free)[:, None]
    best = criterion.argmin(axis=0) if local else np.full(z.shape[1], criterion.mean(axis=1).argmin())
    coefficients = right.T @ ((shares[best].T / root[:, None]) * projected)
    return grid[best], coefficients, criterion.mean(axis=1)


@contextmanager
def _backend(device: str) -> Iterator[None]:
    """Let himalaya compute on a device, and restore what it computed on before."""
    before = get_backend().name
    set_backend("torch_cuda" if device == "cuda" else "numpy")
    try:
        yield
    finally:
        set_backend(before)


class _RecordedScore:
    """himalaya's squared-error score that keeps what it returns: the solvers give the best penalty's score alone."""

    def __init__(self) -> None:
        self.scores: list[np.ndarray] = []

    def __call__(self, true: Any, predicted: Any) -> Any:
        scores = l2_neg_loss(true, predicted)
        self.scores.append(np.asarray(get_backend().to_numpy(scores)))
        return scores

    def curve(self) -> np.ndarray:
        """Mean squared error of each penalty, over folds and latents."""
        return -np.mean(self.scores, axis=(0, 2))
