"""Rigid alignment of volumes of one contrast: Gauss-Newton least squares on cubic B-splines.

The method of Friston et al. (1995), Human Brain Mapping 3, 165, as in SPM's ``spm_realign``, in the
inverse-compositional form of Baker and Matthews (2004), Int. J. Computer Vision 56, 221: the derivatives are those of
the reference, so that they are computed once. Besides a factor of intensity, as SPM has, the fit allows for a linear
change of intensity across the head: a head that moves through the receive field of the coil shows one.
"""

from dataclasses import dataclass

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine
from hyper.preprocess.motion import matrix_of

FWHM_PER_SIGMA = float(2 * np.sqrt(2 * np.log(2)))
HEAD_RADIUS = 50.0
_SPLINE_VARIANCE = 1 / 3
SLOPE_STEPS = np.array([0.5, 0.5, 0.5, 0.005, 0.005, 0.005])
_FEWEST_POINTS = 100


@dataclass(frozen=True)
class Level:
    """How finely volumes are compared.

    Attributes
    ----------
    smoothing_mm : float
        Full width at half maximum.
    spacing_mm : float
        Distance of the sampling points; at least one voxel.
    tolerance_mm : float
        Iterations end when the head moves less than this (translation plus rotation on a sphere of 50 mm).
    iterations : int
        At most so many.
    """

    smoothing_mm: float
    spacing_mm: float
    tolerance_mm: float
    iterations: int


def spline_coefficients(volume: np.ndarray, affine: np.ndarray, smoothing_mm: float) -> np.ndarray:
    """Return cubic B-spline coefficients of a smoothed volume.

    Values taken as coefficients, without the usual prefilter, come out smoothed by the B-spline, whose variance is a
    third of a squared voxel. A Gaussian adds what is missing to the variance asked for: one short filter in place of
    two. Where voxels are so large that the B-spline alone smooths more, that is the smoothing.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
        Values that are not finite count as 0.
    affine : ndarray, shape (4, 4)
    smoothing_mm : float
        Full width at half maximum.

    Returns
    -------
    ndarray, shape (x, y, z), float32
    """
    coefficients = np.nan_to_num(np.asarray(volume, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    variances = (smoothing_mm / FWHM_PER_SIGMA / voxel_sizes(affine)) ** 2 - _SPLINE_VARIANCE
    return ndimage.gaussian_filter(coefficients, np.sqrt(np.maximum(variances, 0)), mode="nearest", truncate=3.0)


def sample_spline(coefficients: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Return values of a cubic B-spline at voxel coordinates, shape (3, n); mirrored beyond the edges."""
    return ndimage.map_coordinates(coefficients, voxels, order=3, prefilter=False, mode="mirror", output=np.float64)


class Reference:
    """A volume that others are aligned to, at one level.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    level : Level
    share : float
        Share of the sampling points that is kept: those whose value changes most with the pose.
    seed : int
        Seed of the jitter of the sampling points, which keeps interpolation from favouring whole voxels.
    name : str
        Name of the volume, for messages.

    Raises
    ------
    DataError
        When the volume is constant or too small.
    """

    def __init__(
        self, volume: np.ndarray, affine: np.ndarray, level: Level, share: float, seed: int, name: str = "volume"
    ) -> None:
        self.level = level
        coefficients = spline_coefficients(volume, affine, level.smoothing_mm)
        if np.ptp(coefficients) <= 1e-6 * np.abs(coefficients).max():
            raise DataError(name, "the volume is constant", "Leave the run out or fetch it again")
        voxels = _jittered_grid(volume.shape, affine, level.spacing_mm, seed)
        if voxels.shape[1] < _FEWEST_POINTS:
            raise DataError(name, f"a volume of {volume.shape} voxels is too small to align", "Leave the run out")
        points = apply_affine(affine, voxels)
        self._centre = points.mean(1)
        slopes = self._slopes(coefficients, affine, points)
        kept = _informative(slopes, share)
        self._points, self._kept_slopes = points[:, kept], slopes[kept]
        self._values = sample_spline(coefficients, voxels[:, kept])
        self._field = np.vstack([np.ones(kept.sum()), (self._points - self._centre[:, None]) / HEAD_RADIUS]).T

    def fit(self, volume: np.ndarray, affine: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the pose of a volume.

        Parameters
        ----------
        volume : ndarray, shape (x, y, z)
        affine : ndarray, shape (4, 4)
            Affine of that volume.
        start : ndarray, shape (4, 4)
            Where to begin.

        Returns
        -------
        ndarray, shape (4, 4)
            World of the reference to world of the volume.
        """
        coefficients = spline_coefficients(volume, affine, self.level.smoothing_mm)
        pose, inverse, last = start.copy(), np.linalg.inv(affine), np.array(volume.shape)[:, None] - 1
        for _ in range(self.level.iterations):
            voxels = apply_affine(inverse @ pose, self._points)
            inside = ((voxels >= 0) & (voxels <= last)).all(0)
            if inside.sum() < _FEWEST_POINTS // 2:
                break
            values = sample_spline(coefficients, voxels[:, inside])
            step = _step(self._kept_slopes[inside], values[:, None] * self._field[inside], self._values[inside])
            pose = pose @ np.linalg.inv(about(self._centre, step))
            if np.abs(step[:3]).max() + HEAD_RADIUS * np.abs(step[3:]).max() < self.level.tolerance_mm:
                break
        return pose

    def _slopes(self, coefficients: np.ndarray, affine: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Derivatives by the six parameters about the centre, shape (point, 6); central differences."""
        inverse, slopes = np.linalg.inv(affine), np.empty((points.shape[1], 6))
        for index, step in enumerate(SLOPE_STEPS):
            moves = [about(self._centre, sign * step * np.eye(6)[index]) for sign in (1, -1)]
            after, before = (sample_spline(coefficients, apply_affine(inverse @ move, points)) for move in moves)
            slopes[:, index] = (after - before) / (2 * step)
        return slopes


def about(centre: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Return the rigid matrix of motion parameters whose rotations are about `centre`, shape (3,)."""
    matrix = matrix_of(parameters)
    matrix[:3, 3] += centre - matrix[:3, :3] @ centre
    return matrix


def align_volume(references: list[Reference], volume: np.ndarray, affine: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Return the pose of a volume, fitted to references of one volume from the coarsest level to the finest."""
    for reference in references:
        start = reference.fit(volume, affine, start)
    return start


def _step(slopes: np.ndarray, scaled: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Least squares of reference + slopes @ step = scaled @ factors; the step alone."""
    design = np.concatenate([slopes, -scaled], axis=1)
    normal = design.T @ design
    scale = 1 / np.sqrt(np.maximum(normal.diagonal(), np.finfo(float).tiny))
    solution = np.linalg.lstsq(normal * np.outer(scale, scale), -scale * (design.T @ reference), rcond=1e-10)[0]
    return (scale * solution)[:6]


def _jittered_grid(shape: tuple[int, ...], affine: np.ndarray, spacing_mm: float, seed: int) -> np.ndarray:
    steps = np.maximum(spacing_mm / voxel_sizes(affine), 1.0)
    axes = [np.arange(1.5, size - 2.5, step) for size, step in zip(shape, steps, strict=True)]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
    return grid + generator_of(seed, "sampling points").uniform(-0.4, 0.4, grid.shape)


def _informative(slopes: np.ndarray, share: float) -> np.ndarray:
    """Mark the points whose value changes most with the pose."""
    weights = 1 / np.array([1, 1, 1, HEAD_RADIUS, HEAD_RADIUS, HEAD_RADIUS])
    change = ((slopes * weights) ** 2).sum(1)
    return change >= np.quantile(change, 1 - share)
