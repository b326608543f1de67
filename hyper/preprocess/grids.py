"""Grids that registrations work on: isotropic, parallel to the world axes, around the brain."""

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.rigid import FWHM_PER_SIGMA


def working_grid(
    mask: np.ndarray, affine: np.ndarray, resolution_mm: float, margin_mm: float
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Return shape and affine of the isotropic grid that holds a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    resolution_mm : float
    margin_mm : float
        Room around the mask.
    """
    world = grid_points(mask.shape, affine, mask)
    low, high = world.min(1) - margin_mm, world.max(1) + margin_mm
    x, y, z = (int(size) for size in np.ceil((high - low) / resolution_mm) + 1)
    grid = np.diag([resolution_mm, resolution_mm, resolution_mm, 1.0])
    grid[:3, 3] = low
    return (x, y, z), grid


def resample_to(
    volume: np.ndarray, affine: np.ndarray, shape: tuple[int, ...], grid: np.ndarray, smooth: bool = True
) -> np.ndarray:
    """Resample a volume linearly to another grid, zero outside its own.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    shape : tuple of int
    grid : ndarray, shape (4, 4)
        Affine of the new grid.
    smooth : bool
        Smooth first to the resolution of the new grid, where that is coarser.

    Returns
    -------
    ndarray of `shape`, float32
    """
    values = np.asarray(volume, np.float32)
    if smooth:
        coarser = voxel_sizes(grid).mean() ** 2 - voxel_sizes(affine) ** 2
        sigma = np.sqrt(np.maximum(coarser, 0)) / FWHM_PER_SIGMA / voxel_sizes(affine)
        values = ndimage.gaussian_filter(values, sigma, truncate=3.0, mode="constant")
    voxels = apply_affine(np.linalg.inv(affine), grid_points(shape, grid))
    return ndimage.map_coordinates(values, voxels, order=1, mode="constant", output=np.float32).reshape(shape)
