"""Identification among k candidates and retrieval of the top k, with ties and missing values shared evenly."""

from math import comb

import numpy as np


def comparisons(similarity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compare every stimulus with the others as the answer to every prediction.

    Parameters
    ----------
    similarity : ndarray, shape (n, n)
        Of true item i to predicted item j.

    Returns
    -------
    below, undecided : ndarray of int, shape (n, n)
        Entry (i, j): how many of the n - 1 other true items are less similar to prediction j than item i is, and how
        many tie with it. A comparison with a missing value is a tie.
    """
    below = np.empty(similarity.shape, int)
    undecided = np.empty(similarity.shape, int)
    for j, column in enumerate(similarity.T):
        below[:, j] = (column[None] < column[:, None]).sum(axis=1)
        above = (column[None] > column[:, None]).sum(axis=1)
        undecided[:, j] = len(column) - 1 - below[:, j] - above
    return below, undecided


def wins(similarity: np.ndarray) -> np.ndarray:
    """Count, for every pair, the comparisons that a 2-way identification wins; ties count one half.

    Parameters
    ----------
    similarity : ndarray, shape (n, n)
        Of true item i to predicted item j.
    """
    below, undecided = comparisons(similarity)
    return below + undecided / 2


def k_way(similarity: np.ndarray, k: int) -> np.ndarray:
    """Return the probability that each item is picked from among itself and k - 1 random others.

    The exact mean over all choices of distractors, not a sample of them: with b other items less similar and t that
    tie, sum over m of C(b, k - 1 - m) C(t, m) / C(n - 1, k - 1) / (m + 1), m the ties among the distractors.

    Parameters
    ----------
    similarity : ndarray, shape (n, n)
        Of true item i to predicted item j.
    k : int
        From 2 to n.
    """
    below, undecided = comparisons(similarity)
    n = len(similarity)
    table = {
        (b, t): sum(comb(b, k - 1 - m) * comb(t, m) / (m + 1) for m in range(min(t, k - 1) + 1)) / comb(n - 1, k - 1)
        for b, t in set(zip(below.flat, undecided.flat, strict=True))
    }
    return np.array([table[pair] for pair in zip(below.flat, undecided.flat, strict=True)]).reshape(n, n)


def retrieved(similarity: np.ndarray, k: int) -> np.ndarray:
    """Return the probability that each item is among the k most similar to a prediction, tied ranks drawn at random.

    Parameters
    ----------
    similarity : ndarray, shape (n, n)
        Of true item i to predicted item j.
    k : int
    """
    below, undecided = comparisons(similarity)
    above = len(similarity) - 1 - below - undecided
    return np.clip((k - above) / (undecided + 1), 0, 1)
