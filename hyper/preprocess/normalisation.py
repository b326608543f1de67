"""Normalisation of the T1-weighted brain to the template, by dipy: affine, then a diffeomorphic warp."""

import logging

import numpy as np
from dipy.align import affine_registration
from dipy.align.imwarp import DiffeomorphicMap, SymmetricDiffeomorphicRegistration
from dipy.align.metrics import CCMetric

from hyper.errors import DataError
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.template import load_template

_log = logging.getLogger(__name__)
_BOX_MM = 512.0
_AFFINE_RESOLUTION_MM = 4.0


def register_anatomical(
    t1w: np.ndarray,
    affine: np.ndarray,
    mask: np.ndarray,
    *,
    resolution_mm: float = 2.0,
    warp_resolution_mm: float = 2.0,
    affine_iterations: tuple[int, ...] = (200, 100),
    warp_iterations: tuple[int, ...] = (40, 25, 10),
    radius: int = 3,
) -> tuple[np.ndarray, np.ndarray]:
    """Register a brain to the template.

    The affine maximises mutual information; the warp is SyN with cross-correlation (Avants et al., 2008, Medical
    Image Analysis 12, 26). Both start from volumes of the same resolution and smoothness. Nothing is random.

    Parameters
    ----------
    t1w : ndarray, shape (x, y, z)
        T1-weighted brain, zero outside the mask.
    affine : ndarray, shape (4, 4)
    mask : ndarray of bool, shape (x, y, z)
    resolution_mm : float
        Grid of the map that is returned: the template grid of the study.
    warp_resolution_mm : float
        Grid the registration works on.
    affine_iterations, warp_iterations : tuple of int
        Iterations, coarse to fine; no warp when the latter is empty.
    radius : int
        Radius of the window of the cross-correlation, voxels.

    Returns
    -------
    map : ndarray, shape (x, y, z, 3), float32
        For each point of the template grid the world coordinates (mm) of the same anatomy in the T1-weighted volume.
    template_affine : ndarray, shape (4, 4)

    Raises
    ------
    DataError
        When the brain is empty.
    """
    if not mask.any() or np.ptp(t1w[mask]) == 0:
        raise DataError("normalisation", "the T1w brain is empty or constant", "Look at the brain mask")
    prealign = _affine(t1w, affine, mask, max(_AFFINE_RESOLUTION_MM, warp_resolution_mm), affine_iterations)
    _log.info("affine of determinant %.3f found", np.linalg.det(prealign[:3, :3]))
    template = load_template(resolution_mm)
    if not warp_iterations:
        coordinates = np.indices(template.t1.shape).reshape(3, -1)
        world = (prealign @ template.affine)[:3, :3] @ coordinates + (prealign @ template.affine)[:3, 3:]
        return world.T.reshape(*template.t1.shape, 3).astype(np.float32), template.affine
    static, static_affine, moving, grid = _pair(t1w, affine, mask, warp_resolution_mm)
    grids = {"static_grid2world": static_affine, "moving_grid2world": grid}
    registration = SymmetricDiffeomorphicRegistration(CCMetric(3, radius=radius), level_iters=list(warp_iterations))
    warp = registration.optimize(static, moving, prealign=prealign, **grids)
    return coordinates_of(warp, template.t1.shape, template.affine), template.affine


def coordinates_of(warp: DiffeomorphicMap, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Return where a map of dipy's takes the points of a grid.

    Volumes that hold their own coordinates are warped: two voxels along each axis, since linear interpolation of
    coordinates is exact.

    Parameters
    ----------
    warp : DiffeomorphicMap
    shape : tuple of int
        Grid, in the space of the static volume.
    affine : ndarray, shape (4, 4)

    Returns
    -------
    ndarray, shape (*shape, 3), float32
        World coordinates in the space of the moving volume, mm.
    """
    box = np.diag([2 * _BOX_MM, 2 * _BOX_MM, 2 * _BOX_MM, 1.0])
    box[:3, 3] = -_BOX_MM
    corners = 2 * _BOX_MM * np.indices((2, 2, 2)).astype(np.float32) - _BOX_MM
    parts = [
        warp.transform(corner, image_world2grid=np.linalg.inv(box), out_shape=shape, out_grid2world=affine)
        for corner in corners
    ]
    return np.stack(parts, axis=-1).astype(np.float32)


def _affine(
    t1w: np.ndarray, affine: np.ndarray, mask: np.ndarray, resolution_mm: float, iterations: tuple[int, ...]
) -> np.ndarray:
    """World of the template to world of the T1w volume."""
    static, static_affine, moving, grid = _pair(t1w, affine, mask, resolution_mm)
    _, found = affine_registration(
        moving,
        static,
        moving_affine=grid,
        static_affine=static_affine,
        pipeline=["center_of_mass", "translation", "rigid", "affine"],
        level_iters=list(iterations),
        sigmas=[float(level) for level in reversed(range(len(iterations)))],
        factors=[2**level for level in reversed(range(len(iterations)))],
        nbins=32,
    )
    return np.asarray(found, float)


def _pair(
    t1w: np.ndarray, affine: np.ndarray, mask: np.ndarray, resolution_mm: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Template and brain, smoothed to one resolution, each with the affine of its grid."""
    finest, coarse = load_template(1.0), load_template(resolution_mm)
    static = resample_to(finest.t1, finest.affine, coarse.t1.shape, coarse.affine)
    shape, grid = working_grid(mask, affine, resolution_mm, margin_mm=12.0)
    return static, coarse.affine, resample_to(t1w, affine, shape, grid), grid
