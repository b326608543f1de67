"""One model per trial with autocorrelated noise, each trial's own coefficient included, without refitting."""

from typing import TYPE_CHECKING

import numpy as np

from hyper.glm.estimators import Pair, least_squares_separate
from hyper.glm.part import BINS, Part, yule_walker
from hyper.glm.slabs import each, slabs
from hyper.glm.sums import both_sides
from hyper.glm.tails import TailTable

if TYPE_CHECKING:
    from hyper.glm.single_trial import SingleTrialGLM


def separate_ar(glm: "SingleTrialGLM") -> np.ndarray:
    """Estimate z of each trial in a model of its own under a first-order autoregressive process.

    The autocorrelation of the residuals of every trial's model is a quadratic form in the sums of the run; voxels are
    then whitened by every coefficient that any of their trials has.

    Returns
    -------
    ndarray, shape (trials, voxels), float32
    """
    bins = separate_autocorrelation(glm, BINS)
    result = np.empty(bins.shape, np.float32)
    dof = glm.volumes - glm.nuisance - 2
    table = TailTable(dof)
    work = []
    for value in np.unique(bins):
        some = np.flatnonzero((bins == value).any(axis=0))
        work += [(int(value), some[slab]) for slab in slabs(len(some))]

    def estimate(item: tuple[int, np.ndarray]) -> None:
        value, some = item
        part = glm.whitened(value / BINS, some)
        z = table(least_squares_separate(part, glm.nuisance, dof))
        own = bins[:, some] == value
        trial, place = np.nonzero(own)
        result[trial, some[place]] = z[own]

    each(estimate, work, glm.threads)
    return result


def separate_autocorrelation(glm: "SingleTrialGLM", scale: int) -> np.ndarray:
    """Autocorrelation of the residuals of each trial's own model, times `scale`, cut to integers.

    Returns
    -------
    ndarray, shape (trials, voxels), int8
    """
    sums, k = glm.sums, glm.nuisance
    band = glm.basis.T @ both_sides(glm.basis)
    upper = glm.upper[k:, k:]
    of_trials = upper.T @ band[k:, k:] @ upper
    xhx, xhs, shs = np.diag(of_trials)[:, None], of_trials.sum(axis=1)[:, None], of_trials.sum()
    result = np.empty((glm.regressors - k, glm.voxels), np.int8)

    def estimate(slab: slice) -> None:
        y, shifted = sums.projected[:, slab], sums.shifted[:, slab]
        pair = Pair(Part(slab, y, sums.squares[slab], glm.upper), k)
        a, b = pair.coefficients()
        of_noise = band[:k, :k] @ y[:k]
        yhy = sums.neighbours[slab] + np.einsum("pv,pv->v", y[:k], of_noise - 2 * shifted[:k])
        xhy = upper.T @ (shifted[k:] - band[k:, :k] @ y[:k])
        lagged = yhy + a**2 * xhx + b**2 * shs + 2 * a * b * xhs - 2 * a * xhy - 2 * b * xhy.sum(axis=0)
        rho = yule_walker(lagged, pair.residual(), sums.squares[slab], glm.volumes)
        result[:, slab] = np.trunc(rho * scale)

    each(estimate, slabs(glm.voxels), glm.threads)
    return result
