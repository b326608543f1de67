"""Which effects are more than chance, and how sure a voxel's layer is."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from hyper.errors import DataError
from hyper.io.seeds import generator_of

Measure = Literal["similarity", "error"]
FEWEST = 4  # stimuli whose orders can be permuted to any use


def similarity(errors: np.ndarray) -> np.ndarray:
    """Euclidean similarity 1 / (1 + MSE) of mean squared errors."""
    return 1 / (1 + errors)


def levels(errors: np.ndarray, measure: Measure) -> np.ndarray:
    """What a measure makes of mean squared errors, so that more is better: the similarity, or minus the error."""
    return similarity(errors) if measure == "similarity" else -errors


def effects(errors: np.ndarray, intact: np.ndarray, measure: Measure) -> np.ndarray:
    """What removing voxels costs: the loss of similarity, or the growth of the mean squared error.

    Parameters
    ----------
    errors : ndarray, shape (voxel, ...)
        Mean squared errors without the voxels around each voxel.
    intact : ndarray, shape (...)
        With all voxels.
    measure : {'similarity', 'error'}
    """
    return levels(intact, measure) - levels(errors, measure)


def permutations(stimuli: int, count: int, seed: int) -> np.ndarray:
    """Random orders of the stimuli, shape (count, stimulus); the same for every layer and every chunk of voxels.

    Raises
    ------
    DataError
        When there are too few stimuli.
    """
    if stimuli < FEWEST:
        raise DataError("test stimuli", f"{stimuli} are too few to permute", f"Show at least {FEWEST}")
    random = generator_of(seed, "mapping", "permutations")
    return random.permuted(np.tile(np.arange(stimuli), (count, 1)), axis=1)


def permutation_statistics(paired: np.ndarray, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise the mean effect by what it is when predictions and stimuli are paired at random.

    Parameters
    ----------
    paired : ndarray, shape (voxel, stimulus, stimulus)
        Effect of each voxel when the prediction of one stimulus (second axis) is compared with another (third).
    orders : ndarray of int, shape (permutation, stimulus)

    Returns
    -------
    observed : ndarray, shape (voxel,)
        (mean effect - expectation) / standard deviation over all pairings, both in closed form (Hoeffding 1951, Ann
        Math Stat 22, 558); 0 where the pairing makes no difference.
    highest : ndarray, shape (permutation,)
        The highest of all voxels under each order.
    """
    stimuli = paired.shape[1]
    centred = paired - paired.mean(axis=1, keepdims=True)
    centred -= centred.mean(axis=2, keepdims=True)
    scale = np.sqrt(np.square(centred).sum(axis=(1, 2)) / (stimuli - 1))
    scale = np.where(scale > 1e-12 * (1 + np.abs(paired).max()), scale, np.inf)
    observed = np.trace(centred, axis1=1, axis2=2) / scale
    highest = np.full(len(orders), -np.inf)
    flat = centred.reshape(len(centred), -1) / scale[:, None]
    for number, order in enumerate(orders):
        highest[number] = flat[:, np.arange(stimuli) * stimuli + order].sum(axis=1).max()
    return observed, highest


def family_wise_p(observed: np.ndarray, highest: np.ndarray) -> np.ndarray:
    """Rank each voxel against the highest value anywhere under each order (Westfall & Young 1993).

    Parameters
    ----------
    observed : ndarray
        Standardised effects, any shape.
    highest : ndarray, shape (permutation,)

    Returns
    -------
    ndarray
        (1 + orders that reach it) / (1 + orders).
    """
    ranked = np.sort(highest)
    above = len(ranked) - np.searchsorted(ranked, observed - 1e-9, side="left")
    return (1 + above) / (1 + len(ranked))


def winners(values: np.ndarray) -> np.ndarray:
    """Number of the layer with the largest mean effect, shape (voxel,), of effects (layer, voxel, stimulus)."""
    return values.mean(axis=2).argmax(axis=0)


def bootstrap_confidence(values: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Share of bootstrap samples of the stimuli in which a voxel's winner wins.

    Parameters
    ----------
    values : ndarray, shape (layer, voxel, stimulus)
        Effects.
    count : int
        Samples of as many stimuli, drawn with replacement (Efron & Tibshirani 1993).
    seed : int

    Returns
    -------
    ndarray, shape (voxel,)
    """
    _, voxels, stimuli = values.shape
    random = generator_of(seed, "mapping", "bootstrap")
    weights = random.multinomial(stimuli, np.full(stimuli, 1 / stimuli), size=count).T.astype(values.dtype)
    own, won = winners(values), np.zeros(voxels)
    for start in range(0, voxels, 1024):
        part = slice(start, start + 1024)
        best = np.einsum("lvs,sb->lvb", values[:, part], weights, optimize=True).argmax(axis=0)
        won[part] = (best == own[part, None]).mean(axis=1)
    return won


def groups_of(runs: Sequence[Sequence[str]]) -> tuple[list[np.ndarray], str]:
    """Split the stimuli by the runs that showed them, else into halves.

    Parameters
    ----------
    runs : sequence of sequence of str
        Runs that each stimulus was shown in; empty where they are not known.

    Returns
    -------
    groups : list of ndarray of int
        Stimuli of each group: two or more.
    how : str
        ``runs`` or ``halves``.
    """
    names = [tuple(own) for own in runs]
    distinct = sorted(set(names))
    if len(distinct) > 1 and all(len(name) == 1 for name in distinct):
        groups = [np.array([place for place, own in enumerate(names) if own == name]) for name in distinct]
        if min(map(len, groups)) > 1:
            return groups, "runs"
    places = np.arange(len(names))
    return [places[::2], places[1::2]], "halves"


def agreement(values: np.ndarray, groups: Sequence[np.ndarray]) -> tuple[float, float]:
    """How often groups of stimuli give a voxel the same layer, over all pairs of groups.

    Parameters
    ----------
    values : ndarray, shape (layer, voxel, stimulus)
    groups : sequence of ndarray of int

    Returns
    -------
    share : float
        Voxels with the same layer.
    kappa : float
        Beyond what the frequencies of the layers give by chance (Cohen 1960); nan where one layer has all.
    """
    if not values.shape[1]:
        return float("nan"), float("nan")
    chosen = np.array([winners(values[:, :, group]) for group in groups])
    shares, kappas = [], []
    for first in range(len(groups)):
        for second in range(first + 1, len(groups)):
            same = float((chosen[first] == chosen[second]).mean())
            by_chance = sum(
                float((chosen[first] == layer).mean() * (chosen[second] == layer).mean())
                for layer in range(len(values))
            )
            shares.append(same)
            kappas.append((same - by_chance) / (1 - by_chance) if by_chance < 1 else np.nan)
    return float(np.mean(shares)), float(np.mean(kappas))
