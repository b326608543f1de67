"""Haemodynamic responses: a library of one family, and regressors made of them."""

import numpy as np
from scipy.stats import gamma

STRETCHES = 1.05 ** np.arange(-10, 10)
CANONICAL = 10
_STEP, _LENGTH = 0.02, 60.0


def spm_response(time: np.ndarray) -> np.ndarray:
    """SPM's canonical response: a gamma density of shape 6 less a sixth of one of shape 16; seconds."""
    return gamma.pdf(time, 6) - 0.167 * gamma.pdf(time, 16)


def response_library() -> np.ndarray:
    """Integrals over time of the responses of the library, at steps of 0.02 s from 0.

    Twenty versions of SPM's response h(t / a), a = 1.05^k for k = -10 ... 9, with peaks from 3.1 to 7.8 s: early ones
    are narrow and late ones broad, as in the library that GLMsingle took from measured responses (Prince et al. 2022,
    eLife 11:e77599; Allen et al. 2022, Nature Neuroscience 25:116); the range is that of peaks between people and
    areas (Handwerker et al. 2004, NeuroImage 21:1639). Number `CANONICAL` is SPM's own.

    Returns
    -------
    ndarray, shape (20, steps)
    """
    time = np.arange(0, _LENGTH, _STEP)
    responses = np.array([spm_response(time / stretch) / stretch for stretch in STRETCHES])
    return np.cumsum(responses, axis=1) * _STEP


def library_regressors(onsets: np.ndarray, durations: np.ndarray, volumes: int, tr: float) -> np.ndarray:
    """Regressors of trials under each response of the library: the boxcar convolved with it, in closed form.

    Parameters
    ----------
    onsets, durations : ndarray, shape (trials,)
        Seconds.
    volumes : int
    tr : float
        Seconds.

    Returns
    -------
    ndarray, shape (20, volumes, trials)
    """
    integrals = response_library()
    steps = np.arange(integrals.shape[1]) * _STEP
    since = np.arange(volumes)[:, None] * tr - np.asarray(onsets, float)
    ended = since - np.maximum(np.asarray(durations, float), _STEP)
    return np.stack([np.interp(since, steps, row, left=0) - np.interp(ended, steps, row, left=0) for row in integrals])
