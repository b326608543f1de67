"""What each of several features explains alone, and what they explain together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from hyper.encoding.banded import BandedFit, fit_banded
from hyper.encoding.kernels import Kernels


@dataclass(frozen=True)
class Partition:
    """Explained variance of the test responses, as a share of it (R2), per channel.

    Attributes
    ----------
    names : list of str
        Features.
    joint : ndarray, shape (channel,)
        Of the model of all features.
    unique : ndarray, shape (feature, channel)
        What is lost when the feature is left out: joint minus the R2 of the model of the others.
    shared : ndarray, shape (channel,)
        The rest: what no feature alone is needed for.
    parts : ndarray, shape (feature, channel)
        Share of each feature in the joint model's R2, adding up to it (product measure: Hoffman, 1960).
    predicted : ndarray, shape (test stimulus, channel)
        By the joint model.
    """

    names: list[str]
    joint: np.ndarray
    unique: np.ndarray
    shared: np.ndarray
    parts: np.ndarray
    predicted: np.ndarray


def partition_variance(
    names: Sequence[str],
    kernels: Sequence[Kernels],
    responses: np.ndarray,
    measured: np.ndarray,
    folds: np.ndarray,
    candidates: int = 20,
    seed: int = 0,
    device: str = "cpu",
) -> Partition:
    """Partition the variance of test responses among features by nested banded models.

    Parameters
    ----------
    names : sequence of str
        Features, two or more.
    kernels : sequence of Kernels
        Of each feature, centred.
    responses : ndarray, shape (training trial, channel)
    measured : ndarray, shape (test stimulus, channel)
    folds : ndarray of int, shape (training trial,)
    candidates, seed, device
        As for `hyper.encoding.banded.fit_banded`.

    Notes
    -----
    All models are fitted to training trials alone. R2 of left-out stimuli may be negative, and so may a unique part:
    that of a feature that the joint model would better have done without.
    """

    def fit(chosen: Sequence[Kernels]) -> BandedFit:
        return fit_banded(chosen, responses, folds, candidates, seed, device=device)

    whole = fit(kernels)
    joint = explained(whole.predicted, measured)
    without = [[other for place, other in enumerate(kernels) if place != left] for left in range(len(kernels))]
    unique = np.stack([joint - explained(fit(others).predicted, measured) for others in without])
    shared = joint - unique.sum(axis=0)
    return Partition(list(names), joint, unique, shared, product_measure(whole, measured), whole.predicted)


def explained(predicted: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """R2 per channel: 1 - squared error / variance about the mean of the test stimuli; 0 where nothing varies."""
    total = np.square(measured - measured.mean(axis=0)).sum(axis=0)
    error = np.square(measured - predicted).sum(axis=0)
    return 1 - np.divide(error, total, out=np.ones_like(total, dtype=float), where=total > 0)


def product_measure(fit: BandedFit, measured: np.ndarray) -> np.ndarray:
    """R2 of the joint model, split among its features, shape (feature, channel).

    With y the responses and f the sum of the parts f_k, both about the test mean of y:
    R2 = sum_k f_k (2 y - f) / sum y^2. The mean response counts in proportion to nothing and is shared out evenly.
    """
    mean = measured.mean(axis=0)
    y = measured - mean
    level = (fit.predicted - fit.parts.sum(axis=0) - mean) / len(fit.parts)
    total = np.square(y).sum(axis=0)
    gains = ((fit.parts + level) * (2 * y - (fit.predicted - mean))).sum(axis=1)
    return np.divide(gains, total, out=np.zeros_like(gains), where=total > 0)


def partition_table(found: Partition, regions: np.ndarray, significant: np.ndarray) -> pd.DataFrame:
    """Mean R2 over the significant channels of each region, and of all.

    Parameters
    ----------
    found : Partition
    regions : ndarray of str, shape (channel,)
    significant : ndarray of bool, shape (channel,)

    Returns
    -------
    DataFrame
        Columns ``region``, ``channels``, ``joint``, ``shared``, and ``unique_`` and ``part_`` of each feature; missing
        where a region has no such channel.
    """
    rows: list[dict[str, object]] = []
    labels = list(dict.fromkeys(regions.tolist()))
    for region in [*labels, "all"] if len(labels) > 1 else labels:
        own = significant & ((regions == region) | (region == "all"))

        def mean(values: np.ndarray, own: np.ndarray = own) -> float:
            return float(values[own].mean()) if own.any() else np.nan

        row: dict[str, object] = {"region": region, "channels": int(own.sum())}
        row |= {"joint": mean(found.joint), "shared": mean(found.shared)}
        row |= {f"unique_{name}": mean(values) for name, values in zip(found.names, found.unique, strict=True)}
        row |= {f"part_{name}": mean(values) for name, values in zip(found.names, found.parts, strict=True)}
        rows.append(row)
    return pd.DataFrame(rows)
