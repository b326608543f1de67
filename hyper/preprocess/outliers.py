"""Volumes of a run that are damaged: slices without signal, poor fits, no content."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from hyper.errors import DatasetError
from hyper.preprocess.rigid import Fit
from hyper.preprocess.splines import finite_values

_DARK, _BRIGHT = 0.4, 2.5
_SIGNIFICANT = 0.4
_LEAST_SHARE_OF_SLICES = 0.25
_TYPICAL_MULTIPLE = 3.0
_LEAST_MISFIT = 0.05
# beyond that a fit explains less than three quarters of the variance of the bulk of the points
_HOPELESS_MISFIT = 0.5


def check_content(volume: np.ndarray, index: int, count: int, path: object) -> None:
    """Refuse a volume that says nothing about the pose.

    Raises
    ------
    DatasetError
        When all finite voxels hold one value, or none is finite.
    """
    low, high = volume.min(), volume.max()
    if not np.isfinite(low + high):
        finite = volume[np.isfinite(volume)]
        low, high = (finite.min(), finite.max()) if finite.size else (0.0, 0.0)
    if low == high:
        fault = f"volume {index + 1} of {count} is constant ({low:g} in every voxel that is finite)"
        raise DatasetError(path, fault, "Fetch the file again, cut that volume out of it or leave the run out")


def slice_means(volume: np.ndarray) -> np.ndarray:
    """Mean of the finite voxels of each slice of the third axis."""
    means = volume.mean((0, 1), dtype=np.float64)
    return means if np.isfinite(means).all() else finite_values(volume).mean((0, 1), dtype=np.float64)


def sound_slices(means: np.ndarray, typical: np.ndarray) -> np.ndarray:
    """Mark the slices whose mean is near that of the other volumes.

    A head that moves changes the mean of slices at its edge; only slices well inside the head are judged, and those
    next to a damaged one that lost as much.

    Parameters
    ----------
    means, typical : ndarray, shape (slice,)
        Means of the volume's slices, and what is typical of them.

    Returns
    -------
    ndarray of bool, shape (slice,)
        All true where too few slices would be left.
    """
    off = (means < _DARK * typical) | (means > _BRIGHT * typical)
    damaged = off & (typical > _SIGNIFICANT * typical.max())
    damaged = ndimage.binary_propagation(damaged, mask=off)
    return ~damaged if damaged.mean() <= 1 - _LEAST_SHARE_OF_SLICES else np.ones(len(means), bool)


def poor_fits(misfits: np.ndarray) -> np.ndarray:
    """Mark the fits that are several times worse than is typical of the run.

    Parameters
    ----------
    misfits : ndarray, shape (volume,)
        As in `hyper.preprocess.rigid.Fit`.
    """
    typical = np.nanmedian(np.where(np.isfinite(misfits), misfits, np.nan)) if np.isfinite(misfits).any() else 0.0
    return ~(misfits <= max(_TYPICAL_MULTIPLE * typical, _LEAST_MISFIT))


def hopeless_fits(fits: Sequence[Fit]) -> np.ndarray:
    """Mark the fits whose pose means nothing: not even the bulk of the points fits."""
    return np.array([not fit.bulk_misfit < _HOPELESS_MISFIT for fit in fits], bool)
