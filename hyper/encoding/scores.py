"""How well responses are predicted: correlation per channel, its p, and the feature that does best."""

import numpy as np
import pandas as pd
from scipy.stats import t as student

from hyper.errors import DataError


def pearson(predicted: np.ndarray, measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlate predictions and responses over test stimuli.

    Parameters
    ----------
    predicted, measured : ndarray, shape (test stimulus, channel)

    Returns
    -------
    r, p : ndarray, shape (channel,)
        p is two-sided by Student's t with n - 2 degrees of freedom. A channel that does not vary, or whose prediction
        does not, has r = 0 and p = 1, as published.

    Raises
    ------
    DataError
        When the shapes differ or there are fewer than three stimuli.
    """
    if predicted.shape != measured.shape:
        fault = f"predictions of shape {predicted.shape} for responses of shape {measured.shape}"
        raise DataError("encoding", fault, "Predict the channels that were measured")
    if len(measured) < 3:
        raise DataError("encoding", f"{len(measured)} test stimuli cannot be correlated", "Show three or more")
    r = np.einsum("ij,ij->j", _unit(predicted), _unit(measured))
    return r, p_of(r, len(measured))


def p_of(r: np.ndarray, count: int) -> np.ndarray:
    """Two-sided p of correlations over `count` pairs, by Student's t."""
    r = np.clip(r, -1, 1)
    with np.errstate(divide="ignore"):
        return 2 * student.sf(np.abs(r) * np.sqrt((count - 2) / (1 - r**2)), count - 2)


def _unit(values: np.ndarray) -> np.ndarray:
    """Columns centred and of length 1; 0 where a column does not vary."""
    values = np.asarray(values, np.float64)
    centred = values - values.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    # a constant leaves rounding behind, which is no variation
    varies = length > 1e-12 * np.sqrt(len(values)) * np.maximum(np.abs(values).max(axis=0), np.finfo(float).tiny)
    return np.divide(centred, length, out=np.zeros_like(centred), where=varies)


def permutation_p(predicted: np.ndarray, measured: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Two-sided p of r by permutation of the test stimuli.

    Parameters
    ----------
    predicted, measured : ndarray, shape (test stimulus, channel)
    orders : ndarray of int, shape (permutation, test stimulus)

    Returns
    -------
    ndarray, shape (channel,)
        (1 + permutations at least as far from zero) / (1 + permutations).
    """
    a, b = _unit(predicted), _unit(measured)
    observed = np.abs(np.einsum("ij,ij->j", a, b))
    reached = np.zeros(a.shape[1])
    for order in orders:
        # rounding must not make the observed order fall behind itself
        reached += np.abs(np.einsum("ij,ij->j", a, b[order])) >= observed - 1e-12
    return (1 + reached) / (1 + len(orders))


def best_features(r: np.ndarray) -> np.ndarray:
    """Feature with the highest r for each channel; the first of equals.

    Parameters
    ----------
    r : ndarray, shape (feature, channel)

    Returns
    -------
    ndarray of int, shape (channel,)
    """
    return np.argmax(np.where(np.isfinite(r), r, -np.inf), axis=0)


def share_table(
    names: list[str], r: np.ndarray, significant: np.ndarray, regions: np.ndarray, every: str = "all"
) -> pd.DataFrame:
    """Count the channels of each region that each feature predicts best.

    Parameters
    ----------
    names : list of str, shape (feature,)
    r : ndarray, shape (feature, channel)
    significant : ndarray of bool, shape (channel,)
        Whether the best feature's correlation is.
    regions : ndarray of str, shape (channel,)
    every : str
        Name of all regions together.

    Returns
    -------
    DataFrame
        A row per region and feature: ``channels`` of the region, those ``best`` predicted by the feature and the
        ``share`` of them (percent), the same of significant channels alone, and the mean r of the feature.
    """
    best, rows = best_features(r), []
    labels = list(dict.fromkeys(regions.tolist()))
    for region in [*labels, every] if len(labels) > 1 or not labels else labels:
        inside = np.ones(len(regions), bool) if region == every else regions == region
        clear = inside & significant
        for place, name in enumerate(names):
            won = best == place
            rows.append(
                {
                    "region": region,
                    "feature": name,
                    "channels": int(inside.sum()),
                    "best": int((inside & won).sum()),
                    "share": 100 * float(won[inside].mean()),
                    "significant_channels": int(clear.sum()),
                    "significant_best": int((clear & won).sum()),
                    "significant_share": 100 * float(won[clear].mean()) if clear.any() else np.nan,
                    "mean_r": float(r[place, inside].mean()),
                }
            )
    return pd.DataFrame(rows)
