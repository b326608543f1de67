"""How much a voxel is worth: one number per voxel, from training trials alone."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.responses.ceiling import split_half_reliability
from hyper.responses.maps import Labelled

SLAB = 8192
Score = Callable[[Iterable[Labelled], np.ndarray, Mapping[str, Any], int], np.ndarray]


def score_voxels(
    method: str, training: Iterable[Labelled], latents: np.ndarray, options: Mapping[str, Any], seed: int
) -> np.ndarray:
    """Score every voxel.

    Parameters
    ----------
    method : {"mean_z", "reliability", "encoding"}
    training : iterable of (ndarray of shape (trial, voxel), DataFrame)
        z and table of the training trials, run by run.
    latents : ndarray, shape (stimulus, latent)
    options : mapping
        reliability: splits; encoding: lowest, highest, number (settings.Responses).
    seed : int

    Returns
    -------
    ndarray, shape (voxel,), float32
        Rounded to what is written, so that the choice can be repeated from the file.
    """
    return SCORES[method](training, latents, options, seed).astype(np.float32)


def mean_z(training: Iterable[Labelled], latents: np.ndarray, options: Mapping[str, Any], seed: int) -> np.ndarray:
    """Mean z over trials, as published (Dado et al., 2022)."""
    total: np.ndarray | float = 0.0
    count = 0
    for values, _ in training:
        total = total + values.sum(axis=0, dtype=np.float64)
        count += len(values)
    if not count:
        raise _nothing_to_learn_from()
    return np.asarray(total) / count


def reliability(training: Iterable[Labelled], latents: np.ndarray, options: Mapping[str, Any], seed: int) -> np.ndarray:
    """Split-half reliability over the training stimuli that were shown more than once."""
    values, table = _gather(training)
    shown = table["stimulus"].value_counts()
    repeated = table["stimulus"].isin(shown.index[shown > 1]).to_numpy()
    if table["stimulus"][repeated].nunique() < 3:
        raise DataError(
            "responses.selection.method",
            f"`reliability` needs training stimuli that were shown more than once, and {int((shown > 1).sum())} of "
            f"{len(shown)} were; repeats of test stimuli must not choose voxels",
            "Use `mean_z` or `encoding`",
        )
    kept = table[repeated]
    stimuli, series = kept["stimulus"].to_numpy(str), kept["series"].to_numpy(str)
    return split_half_reliability(values[repeated], stimuli, series, options["reliability"]["splits"], seed)


def encoding(training: Iterable[Labelled], latents: np.ndarray, options: Mapping[str, Any], seed: int) -> np.ndarray:
    """Correlation of z with its prediction from the latents by ridge regression, over runs that were left out.

    Each run is left out once; the score is the mean correlation over runs at the penalty that is best for the voxel
    (himalaya: Dupré la Tour et al., 2022, NeuroImage 264, 119728).
    """
    from himalaya.backend import get_backend, set_backend

    values, table = _gather(training)
    runs = np.unique(table["series"].to_numpy(str), return_inverse=True)[1]
    counts = np.bincount(runs)
    if len(counts) < 2 or counts.min() < 3:
        raise DataError(
            "responses.selection.method",
            f"`encoding` leaves whole training runs out, and there are {len(counts)} of at least {counts.min()} trials",
            "Use `mean_z`",
        )
    rows = latents[table["latent_row"].to_numpy(int)]
    rows = rows - rows.mean(axis=0)
    penalties = np.geomspace(*(options["encoding"][name] for name in ("lowest", "highest", "number")))
    # in units of the latents' sum of squares, so that one range serves every number of trials and latents
    penalties = penalties * np.square(rows).sum() / rows.shape[1]
    before = get_backend().name
    set_backend("numpy")
    try:
        parts = [
            _left_out_correlation(rows, values[:, start : start + SLAB], runs, penalties)
            for start in range(0, values.shape[1], SLAB)
        ]
    finally:
        set_backend(before)
    return np.concatenate(parts)


def _left_out_correlation(rows: np.ndarray, values: np.ndarray, runs: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    from himalaya.kernel_ridge import solve_kernel_ridge_cv_eigenvalues
    from himalaya.ridge import solve_ridge_cv_svd
    from himalaya.scoring import correlation_score
    from sklearn.model_selection import PredefinedSplit

    values = values.astype(np.float64)
    varies = np.ptp(values, axis=0) > 0
    scores = np.full(values.shape[1], np.nan)
    if varies.any():
        few = len(rows) < rows.shape[1]
        solve, features = (solve_kernel_ridge_cv_eigenvalues, rows @ rows.T) if few else (solve_ridge_cv_svd, rows)
        scores[varies] = solve(
            features, values[:, varies], alphas=penalties, cv=PredefinedSplit(runs), fit_intercept=True,
            score_func=correlation_score, local_alpha=True,
        )[2].ravel()  # fmt: skip
    return scores


def _gather(training: Iterable[Labelled]) -> Labelled:
    parts = list(training)
    if not parts:
        raise _nothing_to_learn_from()
    return np.concatenate([values for values, _ in parts]), pd.concat([table for _, table in parts], ignore_index=True)


def _nothing_to_learn_from() -> DataError:
    return DataError("responses", "there is no training trial", "Check the split of the stimuli")


SCORES: dict[str, Score] = {"mean_z": mean_z, "reliability": reliability, "encoding": encoding}
