"""Diffeomorphic registration by local cross-correlation, for two brains that an affine has brought together.

A greedy flow as in Avants et al. (2008), Medical Image Analysis 12, 26, and Yushkevich et al. (2016), Alzheimer's &
Dementia 12, P126: small smooth steps along the gradient of the squared local correlation are composed. Three things
differ from the usual implementations. The gradient is that of the whole sum of windows, not of the window around each
voxel alone. A floor under the local variances keeps noise in homogeneous tissue from moving it. And the field is the
one that the images need, from the fixed brain to the moving one, so that half the work is saved; each step is smooth
and shorter than half a voxel, so that the composition can be inverted.

Every sum runs in an order of its own, whatever the number of threads: the result is the same to the bit.
"""

import logging
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.rigid import FWHM_PER_SIGMA

_log = logging.getLogger(__name__)
_MARGIN_MM = 10.0
_MOVING_FINER = 0.75
_LAST_STEP = 0.2


@dataclass(frozen=True)
class Image:
    """A brain, zero outside its mask."""

    values: np.ndarray
    affine: np.ndarray
    mask: np.ndarray

    def is_cut(self) -> bool:
        """Whether the brain goes on beyond the volume."""
        faces = [np.take(self.mask, end, axis).any() for axis in range(3) for end in (0, -1)]
        return any(faces)

    def seen(self, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
        """Which points of a grid lie in the volume, shape `shape`, bool."""
        voxels = apply_affine(np.linalg.inv(self.affine), grid_points(shape, affine))
        last = np.array(self.values.shape)[:, None] - 1
        inside: np.ndarray = ((voxels >= 0) & (voxels <= last)).all(0).reshape(shape)
        return inside


@dataclass(frozen=True)
class Flow:
    """How a warp is sought.

    Attributes
    ----------
    radius : int
        Of the window of the correlation, voxels.
    step : float
        Longest displacement of the first step of a level, voxels; the last is a fifth of it.
    fluid, elastic : float
        Standard deviation of the Gaussian that smooths each step, and of that which smooths the whole field, voxels.
    floor : float
        Standard deviation of what counts as noise, as a share of the brightest tissue.
    """

    radius: int = 2
    step: float = 0.3
    fluid: float = 3.0
    elastic: float = 1.0
    floor: float = 0.017


@dataclass(frozen=True)
class Displacement:
    """A field of displacements (mm), shape (3, x, y, z), on a grid of the fixed brain's space."""

    field: np.ndarray
    affine: np.ndarray

    def at(self, points: np.ndarray) -> np.ndarray:
        """Displacement at world points; both of shape (3, n)."""
        voxels = apply_affine(np.linalg.inv(self.affine), points)
        return np.stack([ndimage.map_coordinates(part, voxels, order=1, mode="nearest") for part in self.field])

    def least_jacobian(self) -> float:
        """Smallest determinant of the derivative of ``p + d(p)`` on the grid; positive where nothing folds."""
        size = voxel_sizes(self.affine)[0]
        slopes = np.stack([np.stack(np.gradient(part, size)) for part in self.field])
        return float(np.linalg.det(np.moveaxis(slopes, (0, 1), (-2, -1)) + np.eye(3)).min())


def register_warp(
    fixed: Image,
    moving: Image,
    prealign: np.ndarray,
    levels: Sequence[tuple[float, int]],
    flow: Flow = Flow(),
    threads: int = 1,
) -> Displacement:
    """Find the displacement d for which ``moving(prealign @ (p + d(p)))`` resembles ``fixed(p)``.

    Parameters
    ----------
    fixed, moving : Image
    prealign : ndarray, shape (4, 4)
        World of the fixed to world of the moving brain.
    levels : sequence of (float, int)
        Voxel size (mm) and iterations, coarse to fine.
    flow : Flow
    threads : int
    """
    found: Displacement | None = None
    with ThreadPoolExecutor(threads) as pool:
        for size, iterations in levels:
            found = _Level(fixed, moving, prealign, size, flow, pool).refine(found, iterations)
    if found is None:
        raise ValueError("at least one level is needed")
    _log.info("least Jacobian of the warp %.2f", found.least_jacobian())
    return found


class _Level:
    """Both brains at one resolution."""

    def __init__(
        self, fixed: Image, moving: Image, prealign: np.ndarray, size: float, flow: Flow, pool: Executor
    ) -> None:
        self.flow, self.pool, self.size = flow, pool, np.float32(size)
        self.shape, self.affine = working_grid(fixed.mask, fixed.affine, size, _MARGIN_MM)
        self.fixed = _scaled(resample_to(fixed.values, fixed.affine, self.shape, self.affine))
        near = resample_to(fixed.mask, fixed.affine, self.shape, self.affine, smooth=False) > 0
        self.weight = ndimage.binary_dilation(near, iterations=flow.radius).astype(np.float32)
        if moving.is_cut():
            # where the field of view ends there is an edge that is none of the brain's
            seen = moving.seen(self.shape, prealign @ self.affine)
            self.weight *= ndimage.binary_erosion(seen, iterations=flow.radius + 1, border_value=1)
        grid_shape, grid = working_grid(moving.mask, moving.affine, _MOVING_FINER * size, _MARGIN_MM)
        finer = resample_to(moving.values, moving.affine, grid_shape, grid)
        rest = np.sqrt(1 / _MOVING_FINER**2 - 1) / FWHM_PER_SIGMA
        self.moving = _scaled(ndimage.gaussian_filter(finer, rest))
        self.to_moving = (np.linalg.inv(grid) @ prealign @ self.affine).astype(np.float32)
        self.voxels = np.indices(self.shape, dtype=np.float32)

    def refine(self, start: Displacement | None, iterations: int) -> Displacement:
        """Return the displacement after so many steps."""
        if start is None:
            field = np.zeros((3, *self.shape), np.float32)
        else:
            field = start.at(grid_points(self.shape, self.affine)).reshape(3, *self.shape).astype(np.float32)
        score = 0.0
        for iteration in range(iterations):
            change, score = self._step(self._moved(field))
            longest = np.sqrt((change**2).sum(0).max())
            if longest == 0:
                break
            share = 1 - (1 - _LAST_STEP) * iteration / iterations
            field = self._composed(field, change * np.float32(self.flow.step * share / longest))
        _log.info("%g mm: mean squared local correlation %.4f", self.size, score)
        return Displacement(field, self.affine)

    def _moved(self, field: np.ndarray) -> np.ndarray:
        """The moving brain on the fixed grid."""
        places = self.voxels + field / self.size
        # written out: a matrix product may sum in another order with other threads
        rows = [
            sum((row[axis] * places[axis] for axis in (1, 2)), row[0] * places[0]) + row[3]
            for row in self.to_moving[:3]
        ]
        target = np.stack(rows)
        halves = np.array_split(np.arange(self.shape[0]), 4)
        parts = self.pool.map(lambda at: _linear(self.moving, target[:, at[0] : at[-1] + 1], "constant"), halves)
        return np.concatenate(list(parts))

    def _step(self, moved: np.ndarray) -> tuple[np.ndarray, float]:
        """Smoothed gradient (3, x, y, z) of the squared local correlation by the displacement, and its mean."""
        fixed, floor = self.fixed, np.float32(self.flow.floor**2)
        products = [fixed, moved, fixed * fixed, moved * moved, fixed * moved]
        mean_f, mean_m, square_f, square_m, cross = self.pool.map(self._box, products)
        covariance = cross - mean_f * mean_m
        variance_f = np.maximum(square_f - mean_f * mean_f, 0) + floor
        variance_m = np.maximum(square_m - mean_m * mean_m, 0) + floor
        factor = 2 * self.weight * covariance / (variance_f * variance_m)
        slope = covariance / variance_m
        sums = self.pool.map(self._box, [factor, factor * slope, factor * (mean_f - slope * mean_m)])
        by_fixed, by_moved, constant = sums
        force = by_fixed * fixed - by_moved * moved - constant
        gradient = [force * np.gradient(moved, axis=axis) for axis in range(3)]
        score = float((factor * covariance).sum(dtype=float) / (2 * self.weight.sum(dtype=float)))
        return self._smoothed(gradient, self.flow.fluid), score

    def _composed(self, field: np.ndarray, change: np.ndarray) -> np.ndarray:
        """The field after a step, in voxels, was put before it."""
        places = self.voxels + change
        moved = list(self.pool.map(lambda part: _linear(part, places, "nearest"), field))
        return self._smoothed(np.stack(moved) + change * self.size, self.flow.elastic)

    def _box(self, values: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(values, 2 * self.flow.radius + 1, output=np.float32, mode="nearest")

    def _smoothed(self, parts: Sequence[np.ndarray] | np.ndarray, sigma: float) -> np.ndarray:
        if sigma == 0:
            return np.stack(list(parts))
        return np.stack(
            list(self.pool.map(lambda part: ndimage.gaussian_filter(part, sigma, truncate=3.0, mode="nearest"), parts))
        )


def _linear(values: np.ndarray, places: np.ndarray, mode: str) -> np.ndarray:
    return ndimage.map_coordinates(values, places, order=1, mode=mode, output=np.float32)


def _scaled(values: np.ndarray) -> np.ndarray:
    """Divide by the brightest tissue, so that the floor means the same for every scanner."""
    bright = float(np.quantile(values[values > 0], 0.99)) if (values > 0).any() else 1.0
    return (values / np.float32(bright)).astype(np.float32)
