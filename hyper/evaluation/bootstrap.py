"""Intervals by resampling stimuli."""

import warnings

import numpy as np
from scipy.stats import bootstrap

CONFIDENCE = 0.95
_BATCH = 1000


def bootstrap_interval(scores: np.ndarray, resamples: int, rng: np.random.Generator) -> tuple[float, float]:
    """Interval of 95 % for the mean score over stimuli.

    Bias-corrected and accelerated (BCa; Efron, 1987), by SciPy: stimuli are drawn with replacement, each with its
    score. It speaks for stimuli as those tested, decoded by this decoder, not for other subjects.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Of each stimulus.
    resamples : int
    rng : Generator

    Returns
    -------
    low, high : float
        Both the mean where all scores are equal; NaN for fewer than two stimuli or a missing score.
    """
    if len(scores) < 2 or not np.isfinite(scores).all():
        return float("nan"), float("nan")
    if np.ptp(scores) <= 1e-12 * np.abs(scores).max():
        return float(scores.mean()), float(scores.mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        result = bootstrap(
            (scores,), np.mean, n_resamples=resamples, confidence_level=CONFIDENCE, method="BCa", batch=_BATCH,
            vectorized=True, random_state=rng,
        )  # fmt: skip
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
