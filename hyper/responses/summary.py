"""The reliability of a subject's responses: maps over the brain, and a table of what is worth knowing."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.responses.ceiling import NoiseCeiling, ncsnr_without_signal, noise_ceiling
from hyper.responses.identification import METRICS, expected_identification
from hyper.responses.maps import RunMaps
from hyper.responses.matrices import Responses

COLUMNS = ["quantity", "voxels", "value", "lower", "upper", "unit", "note"]


def brain_ceiling(runs: Sequence[RunMaps], brain: np.ndarray, splits: int, seed: int) -> NoiseCeiling:
    """Noise ceiling of every voxel of the brain from the test trials of all runs.

    Parameters
    ----------
    runs : sequence of RunMaps
    brain : ndarray of bool, shape (x, y, z)
    splits, seed : int
        For the split-half reliability.
    """
    parts, tables = [np.empty((0, int(brain.sum())), np.float32)], []
    for run in runs:
        values, table = run.read(brain)
        test = (table["split"] == "test").to_numpy()
        parts.append(values[test])
        tables.append(table[test])
    table = pd.concat(tables)
    stimuli, series = table["stimulus"].to_numpy(str), table["series"].to_numpy(str)
    return noise_ceiling(np.concatenate(parts), stimuli, series, splits, seed)


def summarise(maps: NoiseCeiling, brain: np.ndarray, responses: Responses, seed: int) -> pd.DataFrame:
    """Tabulate medians over the brain and over the active voxels, and the expected identification accuracy.

    Parameters
    ----------
    maps : NoiseCeiling
        From `brain_ceiling`.
    brain : ndarray of bool, shape (x, y, z)
    responses : Responses
        With its single test trials.
    seed : int

    Returns
    -------
    DataFrame
        `COLUMNS`; ``voxels`` is brain or active, ``note`` says why a value is missing or how it is to be read.
    """
    test = responses.test_trials, responses.test_trial_stimuli, responses.test_trial_series
    if test[0] is None or test[1] is None or test[2] is None:
        raise DataError("responses", "the single test trials are missing", "Run assemble_responses again")
    place = np.full(brain.shape, -1)
    place[brain] = np.arange(brain.sum())
    active = place[tuple(responses.ijk.T)]
    rows: list[tuple[object, ...]] = []
    for name, values, unit in (
        ("ncsnr", maps.ncsnr, "ratio"),
        ("noise_ceiling", maps.noise_ceiling, "% of variance"),
        ("reliability", maps.reliability, "correlation"),
    ):
        for where, part in (("brain", values), ("active", values[active])):
            low, middle, high = np.quantile(part, [0.25, 0.5, 0.75])
            rows.append((name, where, middle, low, high, unit, maps.reason or "median, quartiles"))
    for metric, single in product(METRICS, (False, True)):
        found = expected_identification(test[0], test[1], test[2], metric, seed, single)
        note = found.reason or ("95 % interval" if found.found else "the stimuli do not differ beyond noise")
        name = f"identification_2way_{metric}" + ("_single_trial" if single else "")
        rows.append((name, "active", found.accuracy, found.lower, found.upper, "share", note))
    limit, share = ncsnr_without_signal(test[1], test[2]), "99.9 % of voxels without signal stay below"
    rows.append(("ncsnr_without_signal", "brain", limit, float("nan"), float("nan"), "ratio", maps.reason or share))
    repeats = responses.test_repeats
    rows.append(("repeats", "active", repeats.mean(), repeats.min(), repeats.max(), "trials", "mean, range"))
    return pd.DataFrame(rows, columns=COLUMNS)
