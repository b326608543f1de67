"""A first pass over a run: the response each voxel has, and the noise that voxels without task share."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hyper.glm.hrf import CANONICAL
from hyper.glm.sums import RunSums

KEPT = 8000
MOST_COMPONENTS = 10
_FOLDS = 4
_TASK, _NO_TASK = 10.0, 2.0  # F of the task above which a voxel responds, below which it belongs to the pool


@dataclass
class Survey:
    """What the first pass found.

    Attributes
    ----------
    response : ndarray of int, shape (voxels,)
        Index into the library.
    components : ndarray, shape (volumes, components)
        Time courses of noise, orthonormal, free of the nuisance.
    errors : ndarray, shape (candidates + 1,)
        Error of cross-validation with 0, 1, ... components, relative to none; one entry when nothing was tried.
    """

    response: np.ndarray
    components: np.ndarray
    errors: np.ndarray


def survey_run(
    blocks: Iterable[np.ndarray],
    nuisance: np.ndarray,
    task: np.ndarray,
    by_library: bool,
    components: int | str,
    threads: int = 1,
) -> Survey:
    """Choose each voxel's response and the components of noise, in one pass.

    The response is the one whose regressor of all trials together leaves the least; it must beat the canonical one by
    log(volumes) in 2 log-likelihood. Components are the principal ones of voxels that show no task, after GLMdenoise
    (Kay et al. 2013, Frontiers in Neuroscience 7:247); their number is the smallest within 5 % of the least error when
    quarters of the run are left out in turn, over voxels that respond.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (n, voxels)
    nuisance : ndarray, shape (volumes, n)
        Drift, confounds, constant.
    task : ndarray, shape (volumes, responses)
        All trials in one regressor, under each response of the library.
    by_library : bool
        Else every voxel has the canonical response.
    components : int or "auto"
    threads : int

    Returns
    -------
    Survey
    """
    base = np.linalg.qr(nuisance)[0]
    free = task - base @ (base.T @ task)
    free /= np.linalg.norm(free, axis=0)
    sums, kept = None, []
    for block in blocks:
        if sums is None:
            left = np.hstack([base, free])
            sums = RunSums(left, block.shape[1], False, True, threads)
            some = np.unique(np.linspace(0, block.shape[1] - 1, KEPT).astype(int))
        sums.add(block)
        if components:
            kept.append(block[:, some] - sums.reference[some])  # type: ignore[index]
    assert sums is not None
    sums.finish()
    k = base.shape[1]
    variance = sums.squares - np.einsum("pv,pv->v", sums.projected[:k], sums.projected[:k])
    explained = sums.projected[k:] ** 2
    response = np.full(len(variance), CANONICAL)
    if by_library:
        response = _choose_response(variance, explained, len(base))
    if not components:
        return Survey(response, np.zeros((len(base), 0)), np.ones(1))
    best = explained[response[some], some]
    left_over = np.maximum(variance[some] - best, 0)
    task_f = best * (len(base) - k - 1) / np.maximum(left_over, np.finfo(float).tiny)
    varies = left_over > 1e-6 * sums.squares[some]
    series = np.concatenate(kept).astype(np.float64)
    series -= base @ (base.T @ series)
    found = _principal(series[:, varies & (task_f < _NO_TASK)])
    responding = np.flatnonzero(varies & (task_f > _TASK))
    return _choose_components(response, found, series[:, responding], free[:, response[some][responding]], components)


def _choose_response(variance: np.ndarray, explained: np.ndarray, volumes: int) -> np.ndarray:
    left_over = np.maximum(variance - explained, np.finfo(float).tiny)
    best = left_over.argmin(axis=0)
    gain = volumes * np.log(left_over[CANONICAL] / left_over[best, np.arange(len(best))])
    return np.where(gain > np.log(volumes), best, CANONICAL)


def _principal(series: np.ndarray) -> np.ndarray:
    """Principal time courses of the pool, every voxel of unit length; none where the pool is small."""
    if series.shape[1] < 5 * MOST_COMPONENTS:
        return np.zeros((len(series), 0))
    unit = series / np.linalg.norm(series, axis=0)
    _, vectors = np.linalg.eigh(unit @ unit.T)
    return vectors[:, : -MOST_COMPONENTS - 1 : -1]


def _choose_components(
    response: np.ndarray, found: np.ndarray, series: np.ndarray, task: np.ndarray, components: int | str
) -> Survey:
    if components != "auto":
        return Survey(response, found[:, : int(components)], np.ones(1))
    if series.shape[1] < 20:
        return Survey(response, found[:, :0], np.ones(1))
    errors = np.array([_error_left_out(series, task, found[:, :count]) for count in range(found.shape[1] + 1)])
    errors /= errors[0]
    enough = errors.min() + 0.05 * (1 - errors.min())
    return Survey(response, found[:, : int(np.argmax(errors <= enough))], errors)


def _error_left_out(series: np.ndarray, task: np.ndarray, components: np.ndarray) -> float:
    """Median over voxels of the error when quarters of the run are predicted from the rest.

    The task is fitted with the components beside it: each voxel's own regressor is freed of them first.
    """
    errors = np.zeros(series.shape[1])
    for fold in np.array_split(np.arange(len(series)), _FOLDS):
        rest = np.setdiff1d(np.arange(len(series)), fold)
        inverse = np.linalg.pinv(components[rest])
        weights_y, weights_x = inverse @ series[rest], inverse @ task[rest]
        x, y = task[rest] - components[rest] @ weights_x, series[rest] - components[rest] @ weights_y
        beta = np.einsum("tv,tv->v", x, y) / np.einsum("tv,tv->v", x, x)
        predicted = task[fold] * beta + components[fold] @ (weights_y - weights_x * beta)
        errors += np.square(series[fold] - predicted).sum(axis=0)
    return float(np.median(errors / np.square(series).sum(axis=0)))
