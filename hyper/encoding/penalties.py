"""The published penalties of kernel ridge regression, by effective degrees of freedom (Dado et al., 2024).

With s the eigenvalues of the kernel, a penalty p leaves sum(s / (s + p)) effective degrees of freedom. The grid is
evenly spaced in them, from the rank of the kernel to 1, and Newton's method finds the penalty of each.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from hyper.errors import DataError

Variant = Literal["published", "notebook"]
_CLOSE = 1e-10  # degrees of freedom
_STEPS = 1000


@dataclass(frozen=True)
class PenaltyGrid:
    """Penalties to choose from.

    Attributes
    ----------
    penalties : ndarray, shape (penalty,)
    degrees : ndarray, shape (penalty,)
        Effective degrees of freedom that each leaves.
    counted : ndarray, shape (penalty,)
        Those that the criterion counts it with; the same but in the variant ``notebook``.
    rank : int
        Of the kernel; eigenvectors beyond it take no part. All of them in the variant ``notebook``.
    """

    penalties: np.ndarray
    degrees: np.ndarray
    counted: np.ndarray
    rank: int


def penalty_grid(eigenvalues: np.ndarray, number: int = 5, variant: Variant = "published") -> PenaltyGrid:
    """Find penalties whose effective degrees of freedom are evenly spaced.

    Parameters
    ----------
    eigenvalues : ndarray, shape (n,)
        Of the kernel of the training stimuli.
    number : int
        Of penalties, 2 or more.
    variant : {'published', 'notebook'}
        As the paper has it; or as the code of its authors ran: every eigenvalue that rounding leaves above zero counts
        into the rank, the penalty of the rank (none) is not tried, and each of the others is judged with the degrees
        of freedom of the one before it.

    Raises
    ------
    DataError
        When the kernel is zero.
    """
    if number < 2:
        raise ValueError(f"{number} penalties are no grid")
    s = np.sort(np.abs(np.asarray(eigenvalues, float)))[::-1]
    least = 0.0 if variant == "notebook" else len(s) * np.finfo(float).eps * s[0]
    s = s[s > least]
    if not len(s):
        raise DataError("features", "they are the same for all training stimuli", "Leave them out")
    degrees = np.linspace(len(s), 1, number)
    penalties = np.zeros(number)
    for place in range(1, number):
        start = max(penalties[place - 1], (len(s) / degrees[place] - 1) / np.mean(1 / s))
        penalties[place] = _newton(s, degrees[place], start)
    if variant == "notebook":
        return PenaltyGrid(penalties[1:], degrees[1:], degrees[:-1], len(eigenvalues))
    return PenaltyGrid(penalties, degrees, degrees, len(s))


def _newton(s: np.ndarray, degrees: float, start: float) -> float:
    """Penalty that leaves so many degrees of freedom; from below, where every step stays below, up to rounding."""
    penalty = start
    for _ in range(_STEPS):
        excess = float(np.sum(s / (s + penalty))) - degrees
        if abs(excess) <= _CLOSE:
            break
        following = max(0.0, penalty + excess / float(np.sum(s / (s + penalty) ** 2)))
        if following == penalty:
            break
        penalty = following
    return penalty


def criterion(squares: np.ndarray, degrees: np.ndarray, count: int) -> np.ndarray:
    """Compute sum(((y - fitted) / (1 - degrees / n))^2), the published measure of a penalty; the least is the best.

    Parameters
    ----------
    squares : ndarray, shape (penalty, ...)
        Sum of (y - fitted)^2 over the n training stimuli.
    degrees : ndarray, shape (penalty,)
    count : int
        n.

    Returns
    -------
    ndarray, shape (penalty, ...)
        Infinite where all degrees of freedom are used up.
    """
    left = 1 - np.asarray(degrees, float) / count
    weight = np.divide(1.0, left**2, out=np.full(left.shape, np.inf), where=left > 1e-12)
    shape = (-1, *[1] * (squares.ndim - 1))
    # inf * 0 is what an interpolating fit without penalty leaves
    return np.where(
        np.isinf(weight).reshape(shape), np.inf, squares * np.where(np.isinf(weight), 1, weight).reshape(shape)
    )
