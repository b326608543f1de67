"""Latents on the way from one to another."""

import numpy as np

_PARALLEL = 1e-6  # radians


def interpolate(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    """Go from latents to others along the sphere: the direction turns evenly, the length changes evenly.

    Draws from N(0, I) lie near a sphere, whose inside a generator never saw (White, 2016, arXiv:1609.04468).

    Parameters
    ----------
    start, end : ndarray, shape (stimulus, latent)
    steps : int
        Latents of each stimulus, both ends included, exactly.

    Returns
    -------
    ndarray of float64, shape (stimulus, steps, latent)
        Along the straight line where an end is zero or the two point the same or opposite ways.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    share = np.linspace(0, 1, steps)[:, None]
    lengths = [np.linalg.norm(values, axis=1) for values in (start, end)]
    paths = np.empty((len(start), steps, start.shape[1]))
    for row, (first, last, own, other) in enumerate(zip(start, end, *lengths, strict=True)):
        paths[row] = (1 - share) * first + share * last
        if own > 0 and other > 0:
            angle = np.arccos(np.clip(first @ last / (own * other), -1, 1))
            if _PARALLEL < angle < np.pi - _PARALLEL:
                turned = np.sin((1 - share) * angle) * first / own + np.sin(share * angle) * last / other
                paths[row] = turned / np.sin(angle) * ((1 - share) * own + share * other)
    paths[:, 0], paths[:, -1] = start, end
    return paths
