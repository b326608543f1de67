"""Estimators of single trials from the sums of a run: contrasts, one model per trial, ridge."""

from collections.abc import Sequence

import numpy as np
from scipy.linalg import solve_triangular

from hyper.glm.part import Part

PENALTIES = 30


def noise_of(residual: np.ndarray, squares: np.ndarray, degrees_of_freedom: int) -> np.ndarray:
    """Standard deviation of the noise; infinite where a voxel holds nothing but the model, so that t is zero."""
    flat = residual <= 1e-10 * np.maximum(squares, np.finfo(float).tiny)
    return np.where(flat, np.inf, np.sqrt(np.maximum(residual, 0) / degrees_of_freedom))


def contrast_t(part: Part, contrasts: np.ndarray, degrees_of_freedom: int) -> np.ndarray:
    """Student's t of contrasts.

    Parameters
    ----------
    part : Part
    contrasts : ndarray, shape (contrasts, regressors)
        In the order of the design's columns.
    degrees_of_freedom : int

    Returns
    -------
    ndarray, shape (contrasts, voxels)
    """
    rows = solve_triangular(part.upper, contrasts.T, trans="T").T
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    residual = part.squares - np.einsum("pv,pv->v", part.y, part.y)
    t = rows @ part.y
    t /= noise_of(residual, part.squares, degrees_of_freedom)
    return t


def least_squares_separate(part: Part, nuisance: int, degrees_of_freedom: int) -> np.ndarray:
    """Student's t of each trial beside the sum of all others (`SingleTrialGLM.lss`).

    With x the trial, s the sum of all trials, both and y freed of the nuisance: y = a x + b s is the same model, and
    the trial's effect is a + b.

    Parameters
    ----------
    part : Part
        Nuisance first.
    nuisance : int
        Number of nuisance columns.
    degrees_of_freedom : int
        Volumes less nuisance less 2.

    Returns
    -------
    ndarray, shape (trials, voxels)
    """
    pair = Pair(part, nuisance)
    residual = pair.residual()
    t = pair.effect()
    t /= noise_of(residual, part.squares, degrees_of_freedom)
    t /= np.sqrt((pair.ss + pair.xx - 2 * pair.xs) / pair.determinant)[:, None]
    return t


class Pair:
    """Normal equations of (trial, sum of trials), for every trial at once.

    Attributes
    ----------
    xx, xs, determinant : ndarray, shape (trials,)
    ss : float
    xy : ndarray, shape (trials, voxels)
    sy, yy : ndarray, shape (voxels,)
    """

    def __init__(self, part: Part, nuisance: int) -> None:
        upper = part.upper[nuisance:, nuisance:]
        total = upper.sum(axis=1)
        self.xx, self.xs, self.ss = np.einsum("ij,ij->j", upper, upper), upper.T @ total, float(total @ total)
        self.determinant = self.xx * self.ss - self.xs**2
        self.xy, self.sy = upper.T @ part.y[nuisance:], total @ part.y[nuisance:]
        self.yy = part.squares - np.einsum("pv,pv->v", part.y[:nuisance], part.y[:nuisance])

    def effect(self) -> np.ndarray:
        """The trial's effect, a + b, shape (trials, voxels)."""
        of_trial, of_sum = (self.ss - self.xs) / self.determinant, (self.xx - self.xs) / self.determinant
        effect = of_trial[:, None] * self.xy
        effect += of_sum[:, None] * self.sy
        return effect

    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """Return a and b, each of shape (trials, voxels)."""
        a = (self.ss / self.determinant)[:, None] * self.xy - (self.xs / self.determinant)[:, None] * self.sy
        b = (self.xx / self.determinant)[:, None] * self.sy - (self.xs / self.determinant)[:, None] * self.xy
        return a, b

    def residual(self) -> np.ndarray:
        """Residual sum of squares, shape (trials, voxels)."""
        # y'y - (s's (x'y)^2 - 2 x's x'y s'y + x'x (s'y)^2) / det, by completing the square
        residual = self.xy - (self.xs / self.ss)[:, None] * self.sy
        residual *= residual
        residual *= (-self.ss / self.determinant)[:, None]
        residual += self.yy - self.sy**2 / self.ss
        return np.maximum(residual, 0, out=residual)


def ridge(
    part: Part, nuisance: int, degrees_of_freedom: int, stimuli: Sequence[object] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Shrink the trials of each voxel towards their mean, each voxel as strongly as its own data ask for.

    Ridge regression per voxel on a grid of penalties, told by the fraction of length it leaves, after Rokem & Kay 2020
    (GigaScience 9:giaa133) and GLMsingle (Prince et al. 2022, eLife 11:e77599). The mean over trials is not
    penalised; deviations from it are scaled back to fit the plain ones best, as in GLMsingle, so that what remains of
    the penalty is how trials that overlap share out what they have in common. The penalty is chosen by restricted
    maximum likelihood of trials ~ N(mean, tau^2), which needs no repeats, or by cross-validation over repeats.

    Parameters
    ----------
    part : Part
        Nuisance first.
    nuisance : int
    degrees_of_freedom : int
        Of the model with all trials.
    stimuli : sequence, optional
        What each trial showed, for cross-validation.

    Returns
    -------
    t : ndarray, shape (trials, voxels)
        Shrunken estimate over the standard error of the plain one.
    fraction : ndarray, shape (voxels,)
    """
    upper = part.upper[nuisance:, nuisance:]
    pair = Pair(part, nuisance)
    gram = upper.T @ upper - np.outer(pair.xs, pair.xs) / pair.ss
    strength, modes = np.linalg.eigh(gram)
    strength, modes = strength[1:], modes[:, 1:]  # the mean has no variance left
    scores = (modes.T @ (pair.xy - (pair.xs / pair.ss)[:, None] * pair.sy)) / np.sqrt(strength)[:, None]
    energy = scores**2
    residual = part.squares - np.einsum("pv,pv->v", part.y, part.y)
    ratios = np.append(np.geomspace(0.003, 300, PENALTIES - 1) / np.median(strength), np.inf)
    shrink = np.array([_shrinkage(ratio, strength) for ratio in ratios])
    if stimuli is None:
        chosen = _by_likelihood(energy, residual, ratios, strength, degrees_of_freedom)
    else:
        chosen = _by_repeats(scores, modes, strength, shrink, pair, stimuli)
    plain = scores / np.sqrt(strength)[:, None]
    shrunken = plain * shrink[chosen].T
    # the scale that fits the plain estimates best, so that runs shrunk more or less strongly stay comparable
    shrunken_length = np.einsum("kv,kv->v", shrunken, shrunken)
    scale = np.einsum("kv,kv->v", plain, shrunken) / np.maximum(shrunken_length, np.finfo(float).tiny)
    deviation = modes @ (shrunken * scale)
    estimate = (pair.sy - pair.xs @ deviation) / pair.ss + deviation
    error = np.linalg.norm(np.linalg.inv(upper), axis=1)
    estimate /= noise_of(residual, part.squares, degrees_of_freedom)
    estimate /= error[:, None]
    length = np.maximum(np.linalg.norm(plain, axis=0), np.finfo(float).tiny)
    return estimate, np.sqrt(shrunken_length) / length


def _shrinkage(ratio: float, strength: np.ndarray) -> np.ndarray:
    return np.ones(len(strength)) if np.isinf(ratio) else ratio * strength / (1 + ratio * strength)


def _by_likelihood(
    energy: np.ndarray, residual: np.ndarray, ratios: np.ndarray, strength: np.ndarray, degrees_of_freedom: int
) -> np.ndarray:
    """Index of the variance ratio tau^2 / sigma^2 of highest restricted likelihood, per voxel."""
    finite = ratios[:-1]
    inflation = 1 + finite[:, None] * strength
    fit = np.maximum(residual + (1 / inflation) @ energy, np.finfo(float).tiny)
    cost = (degrees_of_freedom + len(strength)) * np.log(fit) + np.log(inflation).sum(axis=1)[:, None]
    return np.argmin(cost, axis=0)


def _by_repeats(
    scores: np.ndarray,
    modes: np.ndarray,
    strength: np.ndarray,
    shrink: np.ndarray,
    pair: Pair,
    stimuli: Sequence[object],
) -> np.ndarray:
    """Index of the penalty whose estimates of a stimulus's other trials come nearest to a trial's plain estimate."""
    same = np.array([[a == b for b in stimuli] for a in stimuli], float)
    np.fill_diagonal(same, 0)
    repeated = same.sum(axis=1) > 0
    others = same[repeated] / same[repeated].sum(axis=1, keepdims=True)
    plain = scores / np.sqrt(strength)[:, None]

    def estimate(weights: np.ndarray) -> np.ndarray:
        deviation = modes @ (plain * weights[:, None])
        return (pair.sy - pair.xs @ deviation) / pair.ss + deviation

    target = estimate(np.ones(len(strength)))[repeated]
    errors = [np.square(others @ estimate(weights) - target).sum(axis=0) for weights in shrink]
    return np.argmin(np.array(errors), axis=0)
