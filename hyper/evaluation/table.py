"""The table of metrics of one subject and decoder."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hyper.errors import DataError, SettingsError
from hyper.evaluation.bootstrap import bootstrap_interval
from hyper.evaluation.metrics import METRICS, Metric, Scores, Source
from hyper.evaluation.permutation import permutation_p
from hyper.io.seeds import generator_of

COLUMNS = [
    "subject", "decoder", "metric", "region", "value", "sem", "n", "chance", "ceiling", "p", "ci_low", "ci_high",
]  # fmt: skip
Items = Mapping[Source, tuple[np.ndarray, np.ndarray]]


def tabulate(
    items: Items,
    metrics: Sequence[str],
    permutations: int,
    seed: int,
    subject: str,
    decoder: str,
    region: str = "active",
    resamples: int = 10000,
    network: str = "",
    ceilings: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Compute metrics of true against predicted items.

    Parameters
    ----------
    items : mapping
        ``latents``, ``images``, ``features`` and ``attributes``, each true and predicted, one row per test stimulus.
        Metrics of what is not there, such as latents of a baseline that has none, are left out.
    metrics : sequence of str
        Keys of `METRICS`.
    permutations : int
        Random assignments of predictions to stimuli for p; 0 for no p, and no chance where it is not by definition:
        large sets of images are then scored without comparing each with each.
    seed : int
        The study's; each metric draws its own assignments, the same for all decoders.
    subject, decoder, region : str
        Entered in the table. `region` names the voxels decoded from.
    resamples : int
        Of the stimuli, for the interval.
    network : str
        That made the features: metrics of features are called after it too.
    ceilings : mapping of str to float, optional
        Ceilings of metrics that lie below a perfect prediction's; NaN where one is not known.

    Returns
    -------
    DataFrame
        One row per metric, columns `COLUMNS`. `sem` is the standard error over stimuli, `ci_low` and `ci_high`
        are the ends of the 95 % bootstrap interval.

    Raises
    ------
    SettingsError
        When there is no such metric.
    DataError
        When true and predicted items differ in shape.
    """
    rows = []
    for name in metrics:
        if name not in METRICS:
            raise SettingsError("evaluation.metrics", f"there is no {name!r}", f"Choose from {', '.join(METRICS)}")
        if METRICS[name].source not in items:
            continue
        generators = [generator_of(seed, step, name) for step in ("evaluate", "bootstrap")]
        result = score(METRICS[name], *items[METRICS[name].source], permutations, resamples, *generators)
        if np.isfinite(known := (ceilings or {}).get(name, np.nan)):
            result["ceiling"] = known
        rows.append(
            {"subject": subject, "decoder": decoder, "metric": name_of(name, network), "region": region, **result}
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def name_of(metric: str, network: str = "") -> str:
    """Name of a metric in tables: metrics of features end in the name of their network, not in ``features``."""
    if METRICS[metric].source != "features" or not network:
        return metric
    return f"{metric.removesuffix('_features')}_{network}"


def score(
    metric: Metric,
    true: np.ndarray,
    predicted: np.ndarray,
    permutations: int,
    resamples: int,
    rng: np.random.Generator,
    rng_bootstrap: np.random.Generator,
) -> dict[str, float]:
    """Value, standard error, n, chance, ceiling, p and interval of one metric."""
    scores, own = scores_of(metric, true, predicted, whole=permutations > 0)
    n = len(true)
    low, high = bootstrap_interval(own, resamples, rng_bootstrap)
    chance = np.nan if scores is None else scores.matrix.mean() / scores.unit
    return {
        "value": own.mean(),
        "sem": own.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan,
        "n": n,
        "chance": chance if metric.chance is None else metric.chance(n) if n >= metric.least else np.nan,
        "ceiling": metric.ceiling,
        "p": permutation_p(scores.matrix, permutations, rng) if scores is not None and permutations else np.nan,
        "ci_low": low,
        "ci_high": high,
    }


def scores_of(
    metric: Metric, true: np.ndarray, predicted: np.ndarray, whole: bool = True
) -> tuple[Scores | None, np.ndarray]:
    """Scores of every prediction for every stimulus, and of each stimulus's own prediction, shape (n,).

    Parameters
    ----------
    metric : Metric
    true, predicted : ndarray, shape (n, ...)
    whole : bool
        False: where a stimulus's score depends on nothing else, only its own prediction is scored.

    Raises
    ------
    DataError
        When true and predicted items differ in shape.
    """
    if true.shape != predicted.shape or not len(true):
        raise DataError(
            metric.name, f"true items of shape {true.shape}, predicted {predicted.shape}", "Decode the same stimuli"
        )
    if len(true) < metric.least:
        return None, np.full(len(true), np.nan)
    if not whole and metric.alone:
        pairs = (metric.scores(true[i : i + 1], predicted[i : i + 1]) for i in range(len(true)))
        return None, np.array([pair.matrix[0, 0] / pair.unit for pair in pairs])
    scores = metric.scores(true, predicted)
    return scores, scores.matrix.diagonal() / scores.unit


def per_stimulus(items: Items, metrics: Sequence[str], stimuli: Sequence[str], network: str = "") -> pd.DataFrame:
    """Score of each stimulus's own prediction: one row per stimulus, one column per metric."""
    columns = {
        name_of(name, network): scores_of(METRICS[name], *items[METRICS[name].source], whole=False)[1]
        for name in metrics
        if METRICS[name].source in items
    }
    return pd.DataFrame({"stimulus": list(stimuli), **columns})
