"""Cubic B-splines of smoothed volumes: one matrix an axis smooths, thins out and finds the coefficients."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.io.spaces import apply_affine

FWHM_PER_SIGMA = float(2 * np.sqrt(2 * np.log(2)))
# nodes one standard deviation apart: what a Gaussian leaves above their highest frequency is under 1 %
_NODES_PER_SIGMA = 1.0
_LEAST_COVERED = 0.25


@dataclass(frozen=True)
class Spline:
    """A smoothed volume as a cubic B-spline.

    Attributes
    ----------
    coefficients : ndarray, shape (i, j, k), float32
    affine : ndarray, shape (4, 4)
        Nodes to world; the first and last node of each axis are the volume's first and last voxel.
    usable : ndarray of bool, shape (k,)
        Nodes of the third axis whose value comes from slices that count.
    """

    coefficients: np.ndarray
    affine: np.ndarray
    usable: np.ndarray

    def sample(self, points: np.ndarray) -> np.ndarray:
        """Return values at world coordinates, shape (3, n); mirrored beyond the edges."""
        return sample_spline(self.coefficients, apply_affine(np.linalg.inv(self.affine), points))

    def sample_inside(self, pose: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which of the moved points lie in the field of view, in slices that count, and the values there.

        Parameters
        ----------
        pose : ndarray, shape (4, 4)
            Applied to the points.
        points : ndarray, shape (3, n)
            World coordinates.

        Returns
        -------
        inside : ndarray of bool, shape (n,)
        values : ndarray, shape (inside,)
        """
        nodes = apply_affine(np.linalg.inv(self.affine) @ pose, points)
        last = np.array(self.coefficients.shape)[:, None] - 1
        inside: np.ndarray = np.all((nodes >= 0) & (nodes <= last), axis=0)
        if not self.usable.all():
            nearest = np.clip(np.rint(nodes[2]), 0, len(self.usable) - 1).astype(int)
            inside &= self.usable[nearest]
        return inside, sample_spline(self.coefficients, nodes[:, inside])


def smooth_spline(
    volume: np.ndarray,
    affine: np.ndarray,
    smoothing_mm: float,
    *,
    slices: np.ndarray | None = None,
    thin: bool = True,
) -> Spline:
    """Return a smoothed volume as a cubic B-spline.

    Gaussian, thinning to nodes about one standard deviation apart and prefilter are linear and separable: a dense
    matrix an axis does all three, which costs less than the filters one after the other. At the edges, and beside
    slices that do not count, the Gaussian is that of what there is.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
        Values that are not finite count as 0.
    affine : ndarray, shape (4, 4)
    smoothing_mm : float
        Full width at half maximum.
    slices : ndarray of bool, shape (z,), optional
        Slices of the third axis that count; default all.
    thin : bool
        Thin out the nodes where the smoothing allows; otherwise they are the voxels.

    Returns
    -------
    Spline
    """
    values = finite_values(volume)
    sigmas = smoothing_mm / FWHM_PER_SIGMA / voxel_sizes(affine)
    counts = [_nodes(size, sigma) if thin else size for size, sigma in zip(values.shape, sigmas, strict=True)]
    gaussians = [_gaussian(*axis) for axis in zip(values.shape, counts, map(float, sigmas), strict=True)]
    usable = np.ones(counts[2], bool)
    if slices is not None and not slices.all():
        weights = gaussians[2] * slices
        covered = weights.sum(1)
        usable = covered >= _LEAST_COVERED
        gaussians[2] = weights / np.maximum(covered, np.finfo(np.float32).tiny)[:, None]
        values = np.where(slices, values, 0)
    first, second, third = (
        (_prefilter(count) @ gaussian).astype(np.float32) for count, gaussian in zip(counts, gaussians, strict=True)
    )
    # files have x fastest: seen from the back, each product runs over memory in order
    back = np.ascontiguousarray(values.T)
    back = np.matmul(second, back @ first.T)
    back = (third @ back.reshape(len(back), -1)).reshape(counts[2], counts[1], counts[0])
    steps = [(size - 1) / max(count - 1, 1) for size, count in zip(values.shape, counts, strict=True)]
    return Spline(back.T, affine @ np.diag([*steps, 1.0]), usable)


def spline_coefficients(volume: np.ndarray, affine: np.ndarray, smoothing_mm: float) -> np.ndarray:
    """Return cubic B-spline coefficients of a smoothed volume, one a voxel; parameters as for `smooth_spline`."""
    return smooth_spline(volume, affine, smoothing_mm, thin=False).coefficients


def sample_spline(coefficients: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Return values of a cubic B-spline at voxel coordinates, shape (3, n); mirrored beyond the edges."""
    return ndimage.map_coordinates(coefficients, voxels, order=3, prefilter=False, mode="mirror", output=np.float64)


def finite_values(volume: np.ndarray) -> np.ndarray:
    """Return a volume as float32, 0 where it is not finite."""
    values = np.asarray(volume, np.float32)
    # a sum tells at a tenth of the cost
    if np.isfinite(values.sum(dtype=np.float64)):
        return values
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)


def moved_volume(volume: np.ndarray, affine: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Resample a volume into the pose of the reference, on the same grid, by cubic splines, in float32.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    pose : ndarray, shape (4, 4)
        World of the reference to world of the volume.
    """
    voxels = np.linalg.inv(affine) @ pose @ affine
    return ndimage.affine_transform(
        finite_values(volume), voxels[:3, :3], voxels[:3, 3], order=3, mode="mirror", output=np.float32
    )


def _nodes(size: int, sigma: float) -> int:
    return min(size, int(np.ceil((size - 1) * _NODES_PER_SIGMA / max(sigma, 1e-3))) + 1)


@lru_cache(maxsize=64)
def _gaussian(size: int, count: int, sigma: float) -> np.ndarray:
    """Weights of `size` voxels at `count` evenly spread places, rows summing to one."""
    apart = np.linspace(0, size - 1, count)[:, None] - np.arange(size)
    weights = np.exp(-0.5 * (apart / max(sigma, 1e-3)) ** 2)
    return weights / weights.sum(1, keepdims=True)


@lru_cache(maxsize=64)
def _prefilter(count: int) -> np.ndarray:
    return ndimage.spline_filter1d(np.eye(count), 3, axis=0, mode="mirror") if count > 1 else np.eye(1)
