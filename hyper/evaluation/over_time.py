"""How well each window of time is decoded, and when it begins."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hyper.decoding.over_time import WHOLE
from hyper.errors import DataError
from hyper.evaluation.correction import Correction, corrected
from hyper.evaluation.metrics import METRICS
from hyper.evaluation.table import score, scores_of
from hyper.io.seeds import generator_of

METRICS_OVER_TIME = ("latent_cosine", "latent_pearson_dimension", "identification_2way_latent")
CURVE = ["region", "metric", "window", "start_ms", "end_ms", "before_onset"]
_CONFIDENCE = 95.0
_ALPHA = 0.05


def score_windows(
    true: np.ndarray,
    decoded: Mapping[str, np.ndarray],
    starts: np.ndarray,
    ends: np.ndarray,
    permutations: int,
    resamples: int,
    seed: int,
    correction: Correction = "holm",
    metrics: Sequence[str] = METRICS_OVER_TIME,
) -> pd.DataFrame:
    """Score the latents that are decoded from each window.

    Parameters
    ----------
    true : ndarray, shape (stimulus, latent)
    decoded : mapping of str to ndarray, shape (window, stimulus, latent)
        Of each region.
    starts, ends : ndarray, shape (window,)
        ms from the onset.
    permutations, resamples : int
        Behind p and the intervals, as for `hyper.evaluation.table.score`.
    seed : int
    correction : {'holm', 'fdr', 'none'}
        Of p, over all windows and regions of a metric.
    metrics : sequence of str
        Of latents.

    Returns
    -------
    DataFrame
        One row per region, metric and window: `CURVE`, value, sem, n, chance, ceiling, p, ci_low, ci_high,
        p_corrected.
    """
    rows = []
    for name in metrics:
        for region, windows in decoded.items():
            _check(true, windows, starts)
            for number, predicted in enumerate(windows):
                rngs = (generator_of(seed, step, name) for step in ("over time", "bootstrap over time"))
                result = score(METRICS[name], true, predicted, permutations, resamples, *rngs)
                place = (region, name, number, starts[number], ends[number], int(ends[number] <= 1e-6))
                rows.append(dict(zip(CURVE, place, strict=True)) | result)
    table = pd.DataFrame(rows)
    families = table["p"].groupby(table["metric"], sort=False)
    return table.assign(p_corrected=families.transform(lambda p: corrected(p.to_numpy(), correction)))


def _check(true: np.ndarray, windows: np.ndarray, starts: np.ndarray) -> None:
    if windows.shape != (len(starts), *true.shape):
        fault = f"decoded latents are {windows.shape} where {(len(starts), *true.shape)} is due"
        raise DataError("windows", fault, "Decode again")


def find_latencies(
    true: np.ndarray,
    decoded: Mapping[str, np.ndarray],
    curves: pd.DataFrame,
    rise: float,
    resamples: int,
    seed: int,
    metrics: Sequence[str] = METRICS_OVER_TIME,
) -> pd.DataFrame:
    """Say when each region's curve rises.

    Parameters
    ----------
    true, decoded
        As for `score_windows`.
    curves : DataFrame
        Of `score_windows`.
    rise : float
        Share of the way from the floor to the peak. At one half a response that begins at once at time t gives the
        centre of the window that it fills by half, which is t, whatever the width of the windows.
    resamples : int
        Bootstrap samples of the stimuli; the same ones for all regions, so that their differences are paired.
    seed : int
    metrics : sequence of str

    Returns
    -------
    DataFrame
        One row per metric and region: ``latency_ms`` with the ends of its 95 % percentile interval; ``later_ms``, how
        much later than the first single region, with its interval; ``first_start_ms`` and
        ``first_end_ms``, of the first of two windows in a row with a corrected p below .05; ``floor``,
        mean of the curve before the onset, or chance where no window lies before it; ``peak``.
    """
    rows = []
    for name in metrics:
        draws = generator_of(seed, "latency", name).integers(0, len(true), (resamples, len(true)))
        found = {}
        for region, windows in decoded.items():
            own = curves[(curves["metric"] == name) & (curves["region"] == region)].sort_values("window")
            each = np.stack([scores_of(METRICS[name], true, predicted)[1] for predicted in windows])
            before = own["before_onset"].to_numpy(bool)
            chance = own["chance"].to_numpy(float)
            centres = (own["start_ms"] + own["end_ms"]).to_numpy(float) / 2
            samples = np.stack([each[:, draw].mean(axis=1) for draw in draws])
            times = np.array([rise_time(curve, centres, before, chance, rise) for curve in samples])
            found[region] = times
            mean = each.mean(axis=1)
            rows.append(
                {
                    "metric": name,
                    "region": region,
                    "latency_ms": rise_time(mean, centres, before, chance, rise),
                    **dict(zip(("ci_low", "ci_high"), interval(times), strict=True)),
                    **first_significant(own),
                    "floor": floor_of(mean, before, chance),
                    "peak": mean.max(),
                }
            )
        _add_differences(rows[-len(decoded) :], found)
    return pd.DataFrame(rows)


def add_planted(latencies: pd.DataFrame, region: np.ndarray, latency: np.ndarray) -> pd.DataFrame:
    """Add ``planted_ms``, the mean latency of each simulated region's channels; NaN of all together."""
    means = {name: float(latency[region == name].mean()) for name in dict.fromkeys(map(str, region))}
    planted = latencies["region"].map(means)
    return latencies.assign(planted_ms=planted)


def _add_differences(rows: list[dict[str, object]], found: Mapping[str, np.ndarray]) -> None:
    """How much later a region rises than the first of the single regions, paired over bootstrap samples."""
    single = [name for name in found if name != WHOLE] or list(found)
    for row in rows:
        later = found[str(row["region"])] - found[single[0]]
        low, high = interval(later)
        row |= {"later_ms": np.nanmedian(later) if np.isfinite(later).any() else np.nan}
        row |= {"later_ci_low": low, "later_ci_high": high}


def floor_of(curve: np.ndarray, before: np.ndarray, chance: np.ndarray) -> float:
    """Mean of a curve before the onset; the mean chance where there is no window before it."""
    return float(curve[before].mean() if before.any() else chance.mean())


def rise_time(curve: np.ndarray, centres: np.ndarray, before: np.ndarray, chance: np.ndarray, rise: float) -> float:
    """Time at which a curve has risen by a share of the way from its floor to its peak, between windows linearly.

    Parameters
    ----------
    curve, centres, chance : ndarray, shape (window,)
    before : ndarray of bool, shape (window,)
        Windows before the onset, which cannot be the rise.
    rise : float

    Returns
    -------
    float
        NaN where the curve does not rise above its floor.
    """
    floor, peak = floor_of(curve, before, chance), float(curve.max())
    threshold = floor + rise * (peak - floor)
    reached = np.flatnonzero((curve >= threshold) & ~before)
    if peak <= floor or not len(reached):
        return float("nan")
    place = int(reached[0])
    if place == 0 or curve[place - 1] >= threshold:
        return float(centres[place])
    share = (threshold - curve[place - 1]) / (curve[place] - curve[place - 1])
    return float(centres[place - 1] + share * (centres[place] - centres[place - 1]))


def interval(values: np.ndarray) -> tuple[float, float]:
    """Ends of the 95 % percentile interval of bootstrap samples; NaN where more than one in twenty has no value."""
    if not len(values) or not np.isfinite(values).mean() >= _CONFIDENCE / 100:
        return float("nan"), float("nan")
    edge = (100 - _CONFIDENCE) / 2
    low, high = np.nanpercentile(values, (edge, 100 - edge))
    return float(low), float(high)


def first_significant(own: pd.DataFrame) -> dict[str, float]:
    """Ends of the first of two significant windows in a row; NaN where there are none."""
    significant = own["p_corrected"].to_numpy(float) < _ALPHA
    both = np.flatnonzero(significant[:-1] & significant[1:])
    if not len(both):
        return {"first_start_ms": float("nan"), "first_end_ms": float("nan")}
    row = own.iloc[int(both[0])]
    return {"first_start_ms": float(row["start_ms"]), "first_end_ms": float(row["end_ms"])}


def generalisation_row(true: np.ndarray, decoded: np.ndarray, metric: str = "latent_pearson_dimension") -> np.ndarray:
    """Score of every window as decoded by the decoder of one, shape (window,): a row of the generalisation matrix.

    Parameters
    ----------
    true : ndarray, shape (stimulus, latent)
    decoded : ndarray, shape (window, stimulus, latent)
    metric : str
        One of latents; by default one whose chance is 0 also where latents do not have zero mean.
    """
    return np.array([scores_of(METRICS[metric], true, predicted)[1].mean() for predicted in decoded])
