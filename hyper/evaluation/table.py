"""The table of metrics of one subject and decoder."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hyper.errors import DataError, SettingsError
from hyper.evaluation.metrics import METRICS, Metric, Source
from hyper.evaluation.permutation import permutation_p
from hyper.io.seeds import generator_of

COLUMNS = ["subject", "decoder", "metric", "region", "value", "sem", "n", "chance", "ceiling", "p"]
Items = Mapping[Source, tuple[np.ndarray, np.ndarray]]


def tabulate(
    items: Items,
    metrics: Sequence[str],
    permutations: int,
    seed: int,
    subject: str,
    decoder: str,
    region: str = "active",
) -> pd.DataFrame:
    """Compute metrics of true against predicted items.

    Parameters
    ----------
    items : mapping
        ``latents`` and ``images``, each true and predicted, one row per test stimulus.
    metrics : sequence of str
        Keys of `METRICS`.
    permutations : int
        Random assignments of predictions to stimuli for p.
    seed : int
        The study's; each metric draws its own assignments, the same for all decoders.
    subject, decoder, region : str
        Entered in the table. `region` names the voxels decoded from.

    Returns
    -------
    DataFrame
        One row per metric, columns `COLUMNS`. `sem` is the standard error over stimuli.

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
        rng = generator_of(seed, "evaluate", name)
        result = score(METRICS[name], *items[METRICS[name].source], permutations=permutations, rng=rng)
        rows.append({"subject": subject, "decoder": decoder, "metric": name, "region": region, **result})
    return pd.DataFrame(rows, columns=COLUMNS)


def score(
    metric: Metric, true: np.ndarray, predicted: np.ndarray, permutations: int, rng: np.random.Generator
) -> dict[str, float]:
    """Value, standard error, n, chance, ceiling and p of one metric."""
    if true.shape != predicted.shape or not len(true):
        raise DataError(
            metric.name, f"true items of shape {true.shape}, predicted {predicted.shape}", "Decode the same stimuli"
        )
    scores = metric.scores(true, predicted)
    own, n = scores.matrix.diagonal(), len(true)
    defined = n > 1 or metric.chance is None
    return {
        "value": own.mean() / scores.unit if defined else np.nan,
        "sem": own.std(ddof=1) / np.sqrt(n) / scores.unit if n > 1 else np.nan,
        "n": n,
        "chance": scores.matrix.mean() / scores.unit if metric.chance is None else metric.chance,
        "ceiling": metric.ceiling,
        "p": permutation_p(scores.matrix, permutations, rng),
    }
