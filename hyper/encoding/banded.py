"""Encoding models whose penalties cross-validation chooses for each channel, by himalaya (Dupré la Tour et al., 2022).

With several features, each has a weight of its own beside the penalty: banded ridge regression, which is kernel ridge
regression on a weighted sum of kernels.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from himalaya.backend import get_backend, set_backend
from himalaya.kernel_ridge import solve_kernel_ridge_cv_eigenvalues, solve_multiple_kernel_ridge_random_search
from sklearn.model_selection import PredefinedSplit

from hyper.encoding.kernels import Kernels

PENALTIES = np.geomspace(1e-4, 1e6, 21)  # in units of the kernels' mean diagonal


@dataclass(frozen=True)
class BandedFit:
    """Predictions of a joint model.

    Attributes
    ----------
    predicted : ndarray, shape (test stimulus, channel)
    parts : ndarray, shape (feature, test stimulus, channel)
        What each feature adds to them; the mean response is in none.
    weights : ndarray, shape (feature, channel)
        Of the features' kernels: 0 to 1, adding up to 1.
    penalties : ndarray, shape (channel,)
    """

    predicted: np.ndarray
    parts: np.ndarray
    weights: np.ndarray
    penalties: np.ndarray


def cross_validate_penalty(
    kernels: Kernels,
    responses: np.ndarray,
    folds: np.ndarray,
    penalties: np.ndarray = PENALTIES,
    device: str = "cpu",
) -> tuple[np.ndarray, np.ndarray]:
    """Predict the responses to test stimuli, each channel with its own penalty.

    Parameters
    ----------
    kernels : Kernels
        Centred.
    responses : ndarray, shape (training trial, channel)
    folds : ndarray of int, shape (training trial,)
        Fold that each trial is left out in.
    penalties : ndarray
        In units of the kernel's mean diagonal.
    device : {'cpu', 'cuda'}

    Returns
    -------
    predicted : ndarray, shape (test stimulus, channel)
    chosen : ndarray, shape (channel,)
    """
    scale = _scale(kernels)
    options = {"alphas": penalties, "cv": PredefinedSplit(folds), "fit_intercept": True, "local_alpha": True}
    with _backend(device) as backend:
        chosen, dual, _, level = map(
            backend.to_numpy,
            solve_kernel_ridge_cv_eigenvalues(
                backend.asarray(kernels.train / scale), backend.asarray(responses.astype(np.float64)), **options
            ),
        )
    return kernels.test / scale @ dual + level, chosen


def fit_banded(
    kernels: Sequence[Kernels],
    responses: np.ndarray,
    folds: np.ndarray,
    candidates: int = 20,
    seed: int = 0,
    penalties: np.ndarray = PENALTIES,
    device: str = "cpu",
    together: int = 500,
) -> BandedFit:
    """Fit a joint model of several features, each channel with its own weights of the features and its own penalty.

    Parameters
    ----------
    kernels : sequence of Kernels
        Of each feature, centred. Each is scaled to a mean diagonal of 1, so that a weight means the same for all.
    responses : ndarray, shape (training trial, channel)
    folds : ndarray of int, shape (training trial,)
    candidates : int
        Weights that are drawn at random beside the corners (one feature alone) and the middle (all alike).
    seed : int
    penalties : ndarray
    device : {'cpu', 'cuda'}
    together : int
        Channels at a time, which bounds the memory.
    """
    scales = [_scale(each) for each in kernels]
    inside = np.stack([each.train / scale for each, scale in zip(kernels, scales, strict=True)])
    tried = weights_to_try(len(kernels), candidates, seed)
    options = {
        "n_iter": tried, "alphas": penalties, "cv": PredefinedSplit(folds), "fit_intercept": True,
        "return_weights": "dual", "return_alphas": True, "progress_bar": False, "n_targets_batch": together,
        "n_targets_batch_refit": together,
    }  # fmt: skip
    with _backend(device) as backend:
        arrays = backend.asarray(inside), backend.asarray(responses.astype(np.float64))
        found = solve_multiple_kernel_ridge_random_search(*arrays, **options)
        deltas, dual, _, chosen, level = map(backend.to_numpy, found)
    weights = np.exp(deltas)
    parts = np.stack(
        [weight * (each.test / scale @ dual) for each, scale, weight in zip(kernels, scales, weights, strict=True)]
    )
    share = weights / weights.sum(axis=0)
    return BandedFit(parts.sum(axis=0) + level, parts, share, chosen)


def weights_to_try(features: int, candidates: int, seed: int) -> np.ndarray:
    """Weights of the features' kernels: each alone, all alike, and random ones, shape (candidate, feature).

    Half of the random ones are spread evenly (Dirichlet, 1), half lie near the corners (0.1).
    """
    random = np.random.default_rng(seed)
    known = [np.eye(features), np.full((1, features), 1 / features)]
    drawn = [random.dirichlet(np.full(features, [0.1, 1.0][place % 2]), 1) for place in range(candidates)]
    # a weight of zero has no logarithm
    return np.maximum(np.concatenate([*known, *drawn] if features > 1 else known[:1]), 1e-10)


def _scale(kernels: Kernels) -> float:
    scale = float(np.trace(kernels.train)) / len(kernels.train)
    return scale if scale > 0 else 1.0


@contextmanager
def _backend(device: str) -> Iterator[Any]:
    """Himalaya's backend for a device, the one before it restored afterwards."""
    before = get_backend().name
    try:
        yield set_backend("torch_cuda" if device == "cuda" else "numpy")
    finally:
        set_backend(before)
