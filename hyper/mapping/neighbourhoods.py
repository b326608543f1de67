"""Cubes of voxels around each voxel of a mask."""

from typing import Literal

import numpy as np

from hyper.errors import DataError, SettingsError

Unit = Literal["voxels", "mm"]


def cube_edges(size: float, unit: Unit, affine: np.ndarray) -> np.ndarray:
    """Voxels along each axis of a cube: odd numbers, so that there is a middle.

    Parameters
    ----------
    size : float
        Edge, in voxels (then odd) or mm (then the nearest odd number of voxels is taken).
    unit : {'voxels', 'mm'}
    affine : ndarray, shape (4, 4)
        Voxel to world, mm.

    Raises
    ------
    SettingsError
        When the number of voxels is not odd.
    """
    if unit == "voxels":
        if size < 1 or size % 2 != 1:
            raise SettingsError("mapping.size", f"a cube of {size:g} voxels has no middle", "Give an odd number")
        return np.full(3, int(size))
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    return 2 * np.maximum(np.rint((size / spacing - 1) / 2), 0).astype(int) + 1


def cubes(ijk: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Find the voxels of the mask in the cube around each voxel of the mask.

    Parameters
    ----------
    ijk : ndarray of int, shape (voxel, 3)
        Places of the mask's voxels on their grid.
    edges : ndarray of int, shape (3,)
        Voxels along each axis, odd.

    Returns
    -------
    ndarray of int, shape (voxel, largest)
        Numbers of the voxels in each cube, filled up with -1.

    Raises
    ------
    DataError
        When the voxels have no places, or two have the same.
    """
    ijk = np.asarray(ijk, int)
    if ijk.ndim != 2 or ijk.shape[1:] != (3,) or not len(ijk) or (ijk < 0).any():
        raise DataError("voxels", "their places on the grid are not known", "Map a study that starts from BOLD")
    half = np.asarray(edges) // 2
    lookup = np.full(ijk.max(axis=0) + 1 + 2 * half, -1)
    lookup[tuple((ijk + half).T)] = np.arange(len(ijk))
    if (lookup >= 0).sum() < len(ijk):
        raise DataError("voxels", "two lie at the same place", "Run the rule assemble_responses again")
    offsets = np.indices(tuple(int(edge) for edge in edges)).reshape(3, -1)
    members = lookup[tuple(ijk.T[:, :, None] + offsets[:, None, :])]
    members = -np.sort(-members, axis=1)[:, : int((members >= 0).sum(axis=1).max())]
    return members


def members_of(cube: np.ndarray) -> np.ndarray:
    """Voxels of one row of `cubes`."""
    return cube[cube >= 0]
