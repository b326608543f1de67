"""Coordinates: affines applied to points."""

import numpy as np


def apply_affine(affine: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points by a 4 x 4 affine.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
    points : ndarray, shape (3, n)

    Returns
    -------
    ndarray, shape (3, n)
    """
    return affine[:3, :3] @ points + affine[:3, 3:]


def grid_points(shape: tuple[int, ...], affine: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """World coordinates (mm) of a grid's voxels in C order, or of those in `mask`; shape (3, n)."""
    voxels = np.indices(shape).reshape(3, -1) if mask is None else np.array(np.nonzero(mask))
    return apply_affine(affine, voxels.astype(float))
