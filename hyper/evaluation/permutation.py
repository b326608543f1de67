"""Significance by permutation of stimuli.

The n (n - 1) pairs of an identification score depend on each other, so a binomial test over them is invalid; what can
be exchanged under the null hypothesis is which prediction belongs to which stimulus.
"""

import numpy as np

_CHUNK = 2**20


def permutation_p(matrix: np.ndarray, permutations: int, rng: np.random.Generator) -> float:
    """One-sided p of the mean of the diagonal.

    Parameters
    ----------
    matrix : ndarray, shape (n, n)
        Score of prediction j for stimulus i.
    permutations : int
        Random assignments of predictions to stimuli.
    rng : Generator

    Returns
    -------
    float
        (1 + number of assignments that score at least as well) / (1 + permutations), which is never zero (Phipson &
        Smyth, 2010). NaN when there are fewer than two stimuli or a score is missing.
    """
    n = len(matrix)
    if n < 2 or not np.isfinite(matrix).all():
        return float("nan")
    stimuli = np.arange(n)
    # sums of the same scores in another order may differ in the last digits: they are ties
    observed = matrix.diagonal().sum()
    threshold = observed - 1e-12 * np.abs(matrix).max() * n
    reached = 0
    for start in range(0, permutations, max(_CHUNK // n, 1)):
        count = min(max(_CHUNK // n, 1), permutations - start)
        orders = rng.permuted(np.broadcast_to(stimuli, (count, n)), axis=1)
        reached += int((matrix[stimuli, orders].sum(axis=1) >= threshold).sum())
    return (1 + reached) / (1 + permutations)
