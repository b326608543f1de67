"""The most active voxels of the training trials."""

from collections.abc import Iterable

import numpy as np

from hyper.errors import DataError


def mean_response(blocks: Iterable[np.ndarray]) -> np.ndarray:
    """Mean over trials.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (voxels, n)
        z of training trials.

    Returns
    -------
    ndarray, shape (voxels,)
    """
    total: np.ndarray | float = 0.0
    count = 0
    for block in blocks:
        total = total + block.sum(axis=1, dtype=np.float64)
        count += block.shape[1]
    if not count:
        raise DataError("responses", "there is no training trial", "Check the split of the stimuli")
    return np.asarray(total) / count


def most_active(mean: np.ndarray, count: int) -> np.ndarray:
    """Indices of the `count` highest values, ascending; among equals at the cut the first win.

    Raises
    ------
    DataError
        When fewer voxels than asked for have a finite response.
    """
    usable = int(np.isfinite(mean).sum())
    if usable < count:
        raise DataError(
            "responses.voxels", f"{count} voxels are asked for but only {usable} can be used", "Lower responses.voxels"
        )
    order = np.argsort(-np.where(np.isfinite(mean), mean, -np.inf), kind="stable")
    return np.sort(order[:count])
