"""Rigid registration of the mean EPI volume to the T1-weighted brain.

Mutual information (dipy) finds the pose coarsely. Least squares then refine it: the EPI intensity is modelled as an
unknown function of the T1-weighted intensity, an idea of Roche et al. (1998), MICCAI, LNCS 1496, 1115 (correlation
ratio), times a linear receive field; pose and function are solved for together by Gauss-Newton.
"""

import logging

import numpy as np
from dipy.align import affine_registration
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.motion import parameters_of
from hyper.preprocess.rigid import HEAD_RADIUS, SLOPE_STEPS, about, sample_spline, spline_coefficients

_log = logging.getLogger(__name__)
_CLASSES = 7
_MARGIN_MM = 8.0


def register_bold(
    boldref: np.ndarray,
    bold_affine: np.ndarray,
    t1w: np.ndarray,
    t1w_affine: np.ndarray,
    mask: np.ndarray,
    *,
    resolution_mm: float = 4.0,
    smoothing_mm: tuple[float, ...] = (10.0, 5.0),
    iterations: int = 30,
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
        Grid of the mutual information, and distance of the points of the refinement.
    smoothing_mm : tuple of float
        Full widths at half maximum of the refinement, coarse to fine.
    iterations : int
        At most so many per smoothing.
    seed : int
        Seed of the jitter of the points.

    Returns
    -------
    ndarray, shape (4, 4)
        World of the T1-weighted volume to world of `boldref`.

    Raises
    ------
    DataError
        When the volumes do not overlap or one of them is constant.
    """
    bold = np.nan_to_num(np.asarray(boldref, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if not mask.any() or np.ptp(bold) == 0 or np.ptp(t1w[mask]) == 0:
        raise DataError("coregistration", "the mean BOLD volume or the T1w brain is empty", "Look at both volumes")
    start = pose = _by_mutual_information(bold, bold_affine, t1w, t1w_affine, mask, resolution_mm)
    for smoothing in smoothing_mm:
        points, model = _contrast_model(t1w, t1w_affine, mask, smoothing, resolution_mm, seed)
        pose = _refine(pose, points, model, spline_coefficients(bold, bold_affine, smoothing), bold_affine, iterations)
    change = parameters_of(np.linalg.inv(start) @ pose)
    _log.info("least squares moved the pose by %s mm and %s rad", change[:3].round(2), change[3:].round(4))
    return pose


def _by_mutual_information(
    bold: np.ndarray,
    bold_affine: np.ndarray,
    t1w: np.ndarray,
    t1w_affine: np.ndarray,
    mask: np.ndarray,
    resolution_mm: float,
) -> np.ndarray:
    shape, affine = working_grid(mask, t1w_affine, resolution_mm, margin_mm=3 * _MARGIN_MM)
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


def _contrast_model(
    t1w: np.ndarray, affine: np.ndarray, mask: np.ndarray, smoothing_mm: float, spacing_mm: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Points around the brain (3, n) and, at each, smoothed classes of T1w intensity times a field (n, class * 4).

    The classes are triangular functions of intensity between quantiles, so that their weighted sum is any
    piecewise linear function of it; outside the brain all are zero and a constant stands for air and skull.
    """
    shape, grid = working_grid(mask, affine, spacing_mm, margin_mm=_MARGIN_MM + smoothing_mm)
    near = ndimage.distance_transform_edt(resample_to(mask, affine, shape, grid) < 0.5, sampling=spacing_mm)
    points = grid_points(shape, grid, near <= _MARGIN_MM)
    points = points + spacing_mm * generator_of(seed, "sampling points").uniform(-0.4, 0.4, points.shape)
    knots = np.unique(np.quantile(t1w[mask], np.linspace(0.02, 0.98, _CLASSES)))
    voxels = apply_affine(np.linalg.inv(affine), points)
    columns = [np.ones(points.shape[1])]
    for index in range(len(knots)):
        hat = np.interp(t1w, knots, np.eye(len(knots))[index]) * mask
        columns.append(sample_spline(spline_coefficients(hat, affine, smoothing_mm), voxels))
    field = np.vstack([np.ones(points.shape[1]), (points - points.mean(1, keepdims=True)) / HEAD_RADIUS]).T
    return points, (np.array(columns).T[:, :, None] * field[:, None, :]).reshape(points.shape[1], -1)


def _refine(
    pose: np.ndarray,
    points: np.ndarray,
    model: np.ndarray,
    coefficients: np.ndarray,
    affine: np.ndarray,
    iterations: int,
    tolerance_mm: float = 0.01,
) -> np.ndarray:
    inverse, last = np.linalg.inv(affine), np.array(coefficients.shape)[:, None] - 1
    centre = points.mean(1)
    for _ in range(iterations):
        voxels = apply_affine(inverse @ pose, points)
        inside = ((voxels >= 0) & (voxels <= last)).all(0)
        if inside.sum() < 10 * model.shape[1]:
            raise DataError(
                "coregistration", "the BOLD volume and the T1w brain hardly overlap", "Look at both volumes"
            )
        slopes = np.empty((inside.sum(), 6))
        for index, size in enumerate(SLOPE_STEPS):
            moves = [inverse @ pose @ about(centre, sign * size * np.eye(6)[index]) for sign in (1, -1)]
            after, before = (sample_spline(coefficients, apply_affine(move, points[:, inside])) for move in moves)
            slopes[:, index] = (after - before) / (2 * size)
        design = np.concatenate([slopes, -model[inside]], axis=1)
        scale = 1 / np.sqrt(np.maximum((design**2).sum(0), np.finfo(float).tiny))
        values = sample_spline(coefficients, voxels[:, inside])
        step = (scale * np.linalg.lstsq(design * scale, -values, rcond=1e-8)[0])[:6]
        pose = pose @ about(centre, step)
        if np.abs(step[:3]).max() + HEAD_RADIUS * np.abs(step[3:]).max() < tolerance_mm:
            break
    return pose
