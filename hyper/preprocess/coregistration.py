"""Rigid registration of the mean EPI volume to the T1-weighted brain.

Mutual information (dipy) finds the pose to half a millimetre. The boundary of white matter then refines it, as in
Greve and Fischl (2009), NeuroImage 48, 63: in an EPI volume the grey matter outside of it is brighter than the white
matter inside, everywhere at once only where the two volumes fit. Dropout, receive fields and the edge of the brain,
which mislead a comparison of whole volumes, count for little there.
"""

import logging

import numpy as np
from dipy.align import affine_registration
from scipy import ndimage, optimize
from skimage.filters import threshold_multiotsu

from hyper.errors import DataError
from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.motion import parameters_of
from hyper.preprocess.rigid import about

_log = logging.getLogger(__name__)
_MARGIN_MM = 24.0
_FROM_EDGE_MM = 4.0
_SCALE_OF_CONTRAST = 0.2
_FEWEST_POINTS = 500
# millimetres, and radians that move the edge of a brain about as far
_SCALE = np.array([1, 1, 1, 0.02, 0.02, 0.02])


def register_bold(
    boldref: np.ndarray,
    bold_affine: np.ndarray,
    t1w: np.ndarray,
    t1w_affine: np.ndarray,
    mask: np.ndarray,
    *,
    resolution_mm: float = 4.0,
    boundary_mm: float = 2.0,
    points: int = 30_000,
    seed: int = 0,
) -> np.ndarray:
    """Register the reference EPI volume to the brain.

    Parameters
    ----------
    boldref : ndarray, shape (x, y, z)
        Mean volume of the subject's first run.
    bold_affine : ndarray, shape (4, 4)
    t1w : ndarray, shape (x, y, z)
        T1-weighted brain, zero outside the mask.
    t1w_affine : ndarray, shape (4, 4)
    mask : ndarray of bool, shape (x, y, z)
    resolution_mm : float
        Grid of the mutual information.
    boundary_mm : float
        How far to both sides of the boundary of white matter the EPI volume is compared; 0 leaves that step out.
    points : int
        Points of the boundary, at most.
    seed : int
        Seed of their choice.

    Returns
    -------
    ndarray, shape (4, 4)
        World of the T1-weighted volume to world of `boldref`.

    Raises
    ------
    DataError
        When a volume is empty or constant.
    """
    bold = np.nan_to_num(np.asarray(boldref, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if not mask.any() or np.ptp(bold) == 0 or np.ptp(t1w[mask]) == 0:
        raise DataError("coregistration", "the mean BOLD volume or the T1w brain is empty", "Look at both volumes")
    pose = _by_mutual_information(bold, bold_affine, t1w, t1w_affine, mask, resolution_mm)
    if boundary_mm == 0:
        return pose
    boundary = Boundary(t1w, t1w_affine, mask, points, seed)
    if boundary.places.shape[1] < _FEWEST_POINTS:
        _log.warning("only %d points of white matter's boundary found: left at that", boundary.places.shape[1])
        return pose
    return _by_boundary(pose, boundary, bold, bold_affine, boundary_mm)


class Boundary:
    """Points on the boundary of white matter, away from the edge of the brain.

    Parameters
    ----------
    t1w, affine, mask
        As for `register_bold`.
    points : int
    seed : int

    Attributes
    ----------
    places : ndarray, shape (3, point)
        World coordinates, mm.
    normals : ndarray, shape (3, point)
        Unit vectors into white matter.
    """

    def __init__(self, t1w: np.ndarray, affine: np.ndarray, mask: np.ndarray, points: int, seed: int) -> None:
        sizes = np.linalg.norm(affine[:3, :3], axis=0)
        white = (t1w > threshold_multiotsu(t1w[mask], 3)[1]) & mask
        soft = ndimage.gaussian_filter(white.astype(np.float32), 0.7)
        slopes = np.stack(np.gradient(soft))
        near = (np.abs(soft - 0.5) < 0.2) & (ndimage.distance_transform_edt(mask, sampling=sizes) > _FROM_EDGE_MM)
        voxels = np.array(np.nonzero(near))
        if voxels.shape[1] > points:
            voxels = voxels[:, np.sort(generator_of(seed, "boundary").permutation(voxels.shape[1])[:points])]
        slope, level = slopes[:, *voxels], soft[tuple(voxels)]
        square = np.maximum((slope**2).sum(0), 1e-3)
        self.places = apply_affine(affine, voxels + slope * (0.5 - level) / square)
        normals = np.linalg.inv(affine[:3, :3]).T @ slope
        self.normals = normals / np.maximum(np.linalg.norm(normals, axis=0), 1e-9)


def _by_boundary(
    start: np.ndarray, boundary: Boundary, bold: np.ndarray, affine: np.ndarray, distance_mm: float
) -> np.ndarray:
    coefficients = ndimage.spline_filter(bold, 3, output=np.float32)
    inverse, last = np.linalg.inv(affine), np.array(bold.shape)[:, None] - 1
    inner, outer = (boundary.places + sign * distance_mm * boundary.normals for sign in (1, -1))
    centre, floor = boundary.places.mean(1), 1e-3 * float(np.abs(bold).max())

    def contrast(pose: np.ndarray) -> np.ndarray:
        """Grey minus white matter as a share of their mean, at the points inside the field of view."""
        here = apply_affine(inverse @ pose, boundary.places)
        seen = ((here >= 0) & (here <= last)).all(0)
        white, grey = (
            ndimage.map_coordinates(
                coefficients, apply_affine(inverse @ pose, side[:, seen]), order=3, prefilter=False, mode="nearest"
            )
            for side in (inner, outer)
        )
        return (grey - white) / (np.abs(grey + white) / 2 + floor)

    # a sequence with T1 contrast has grey matter darker
    sign = 1.0 if np.median(contrast(start)) >= 0 else -1.0

    def cost(step: np.ndarray) -> float:
        found = contrast(start @ about(centre, step * _SCALE))
        return float(1 - np.tanh(sign * found / _SCALE_OF_CONTRAST).mean()) if len(found) else 2.0

    found = optimize.minimize(cost, np.zeros(6), method="Powell", options={"xtol": 5e-3, "ftol": 1e-6, "maxiter": 10})
    pose = start @ about(centre, found.x * _SCALE)
    change = parameters_of(np.linalg.inv(start) @ pose)
    _log.info("the boundary moved the pose by %s mm and %s rad", change[:3].round(2), change[3:].round(4))
    _log.info("contrast of grey and white matter %.1f%%", 100 * np.median(contrast(pose)))
    return pose


def _by_mutual_information(
    bold: np.ndarray,
    bold_affine: np.ndarray,
    t1w: np.ndarray,
    t1w_affine: np.ndarray,
    mask: np.ndarray,
    resolution_mm: float,
) -> np.ndarray:
    shape, affine = working_grid(mask, t1w_affine, resolution_mm, _MARGIN_MM)
    static = resample_to(t1w, t1w_affine, shape, affine)
    _, pose = affine_registration(
        bold,
        static,
        moving_affine=bold_affine,
        static_affine=affine,
        pipeline=["center_of_mass", "translation", "rigid"],
        level_iters=[200, 100, 50],
        sigmas=[3.0, 1.0, 0.5],
        factors=[4, 2, 1],
        nbins=32,
    )
    return np.asarray(pose, float)
