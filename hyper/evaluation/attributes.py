"""Scores of faces on attributes, and whether decoded ones agree with those of the faces seen."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import pearsonr

from hyper.evaluation.bootstrap import bootstrap_interval
from hyper.evaluation.boundaries import Boundaries, project
from hyper.evaluation.correction import Correction, corrected
from hyper.evaluation.metrics import METRICS
from hyper.evaluation.permutation import permutation_p
from hyper.evaluation.table import scores_of
from hyper.io.seeds import generator_of

MEASURES = ("attribute_correlation", "attribute_agreement")
COLUMNS = [
    "study", "subject", "decoder", "directions", "attribute", "metric", "value", "n", "chance", "p", "p_t", "ci_low",
    "ci_high",
]  # fmt: skip


@dataclass(frozen=True)
class Directions:
    """A set of directions in latent space.

    Attributes
    ----------
    kind : str
        ``boundary``, ``conditional`` or ``sefa``.
    names : tuple of str
    normals : ndarray, shape (direction, latent)
        Of length 1.
    """

    kind: str
    names: tuple[str, ...]
    normals: np.ndarray


def sets_of(boundaries: Boundaries | None, closed_form: np.ndarray | None) -> list[Directions]:
    """Sets to score: boundaries, the same with what they share taken out, and closed-form directions.

    Parameters
    ----------
    boundaries : Boundaries, optional
    closed_form : ndarray, shape (direction, latent), optional
        From `hyper.generators.sefa`; called sefa1, sefa2, ...
    """
    sets = []
    if boundaries is not None:
        sets.append(Directions("boundary", boundaries.names, boundaries.normals))
        if len(boundaries.names) > 1:
            sets.append(Directions("conditional", boundaries.names, boundaries.conditional().normals))
    if closed_form is not None:
        names = tuple(f"sefa{number}" for number in range(1, len(closed_form) + 1))
        sets.append(Directions("sefa", names, closed_form))
    return sets


def tabulate_attributes(
    true: np.ndarray,
    decoded: np.ndarray,
    sets: Sequence[Directions],
    permutations: int,
    resamples: int,
    seed: int,
    labels: Mapping[str, str],
) -> pd.DataFrame:
    """Correlation and agreement of true and decoded scores, attribute by attribute.

    Parameters
    ----------
    true, decoded : ndarray, shape (stimulus, latent)
    sets : sequence of Directions
    permutations, resamples, seed : int
        As for `hyper.evaluation.table.tabulate`.
    labels : mapping
        ``study``, ``subject`` and ``decoder``.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`. ``p`` is of the permutation of stimuli, one-sided; ``p_t`` of Student's t-test of the
        correlation, two-sided, as published. The interval of 95 % is Fisher's for a correlation, and bootstrapped for
        an agreement.
    """
    rows = []
    for kind in sets:
        seen, found = project(true, kind.normals), project(decoded, kind.normals)
        for column, name in enumerate(kind.names):
            pair = seen[:, [column]], found[:, [column]]
            for measure in MEASURES:
                result = _measured(measure, *pair, permutations, resamples, seed)
                rows.append({**labels, "directions": kind.kind, "attribute": name, "metric": measure, **result})
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _measured(
    measure: str, true: np.ndarray, decoded: np.ndarray, permutations: int, resamples: int, seed: int
) -> dict[str, float]:
    """Value of one measure of one attribute, and what stands beside it."""
    scores, own = scores_of(METRICS[measure], true, decoded)
    result = {"value": own.mean(), "n": len(true)}
    if scores is not None:
        result["chance"] = scores.matrix.mean() / scores.unit
        result["p"] = permutation_p(scores.matrix, permutations, generator_of(seed, "evaluate", measure))
    if measure == "attribute_correlation":
        return result | student(true[:, 0], decoded[:, 0])
    low, high = bootstrap_interval(own, resamples, generator_of(seed, "bootstrap", measure))
    return result | {"ci_low": low, "ci_high": high}


def student(true: np.ndarray, decoded: np.ndarray) -> dict[str, float]:
    """P of Student's t-test of a correlation, and Fisher's interval; missing where one of both does not vary."""
    missing = {"p_t": np.nan, "ci_low": np.nan, "ci_high": np.nan}
    if len(true) < 3 or any(np.ptp(values) <= 1e-12 * np.abs(values).max() for values in (true, decoded)):
        return missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = pearsonr(true, decoded)
        interval = result.confidence_interval(0.95)
    return {"p_t": float(result.pvalue), "ci_low": float(interval.low), "ci_high": float(interval.high)}


def correct_attributes(table: pd.DataFrame, method: Correction) -> pd.DataFrame:
    """Add ``p_corrected``: over attributes and subjects, each decoder, set of directions and measure by itself."""
    families = table.groupby(["decoder", "directions", "metric"], sort=False)["p"]
    return table.assign(p_corrected=families.transform(lambda p: corrected(p.to_numpy(), method)))


def scores_by_stimulus(
    true: np.ndarray, decoded: np.ndarray, stimuli: Sequence[str], sets: Sequence[Directions], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Scores of every stimulus: columns of `labels`, directions, attribute, stimulus, true, decoded."""
    parts = []
    for kind in sets:
        seen, found = project(true, kind.normals), project(decoded, kind.normals)
        for column, name in enumerate(kind.names):
            parts.append(
                pd.DataFrame(
                    {
                        **labels,
                        "directions": kind.kind,
                        "attribute": name,
                        "stimulus": [str(stimulus) for stimulus in stimuli],
                        "true": seen[:, column],
                        "decoded": found[:, column],
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)
