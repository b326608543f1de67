"""Correction of p for the number of tests."""

from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from hyper.errors import DataError

Correction = Literal["holm", "fdr", "none"]


def corrected(p: np.ndarray, method: Correction) -> np.ndarray:
    """Correct p-values of one family of tests; missing ones stay missing and do not count.

    Parameters
    ----------
    p : ndarray, shape (test,)
    method : {'holm', 'fdr', 'none'}
        Holm (1979), which bounds the probability of any false discovery whatever the dependence of the tests; the false
        discovery rate of Benjamini & Hochberg (1995), for tests that do not depend on each other negatively; or none.
    """
    p = np.asarray(p, float)
    if ((p < 0) | (p > 1)).any():
        raise DataError("p", "there are values outside 0 to 1", "Compute the metrics again")
    result = np.full(p.shape, np.nan)
    known = np.isfinite(p)
    if method == "none" or not known.any():
        result[known] = p[known]
    elif method == "fdr":
        result[known] = false_discovery_control(p[known], method="bh")
    else:
        result[known] = _holm(p[known])
    return result


def _holm(p: np.ndarray) -> np.ndarray:
    order = np.argsort(p, kind="stable")
    stepped = np.minimum(np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order]), 1)
    result = np.empty_like(p)
    result[order] = stepped
    return result


def add_correction(table: pd.DataFrame, method: Correction) -> pd.DataFrame:
    """Add the column ``p_corrected``: over all metrics, subjects and regions of a decoder.

    Each decoder or baseline is a question of its own; the tests of one question are a family.
    """
    families = table["p"].groupby(table["decoder"], sort=False)
    return table.assign(p_corrected=families.transform(lambda p: corrected(p.to_numpy(), method)))
