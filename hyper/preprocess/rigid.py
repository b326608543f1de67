"""Rigid alignment of volumes of one contrast: inverse-compositional Gauss-Newton least squares on cubic B-splines.

The method of Friston et al. (1995), Human Brain Mapping 3, 165, as in SPM's ``spm_realign``, in the
inverse-compositional form of Baker and Matthews (2004), Int. J. Computer Vision 56, 221: derivatives are those of the
reference, so that they are computed once.
"""

from dataclasses import dataclass

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine
from hyper.preprocess.motion import matrix_of

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
_SPLINE_VARIANCE = 1 / 3
_STEPS = np.array([0.5, 0.5, 0.5, 0.005, 0.005, 0.005])
_HEAD_RADIUS = 50.0


@dataclass(frozen=True)
class Level:
    """How finely a reference is compared.

    Attributes
    ----------
    smoothing_mm : float
        Full width at half maximum.
    spacing_mm : float
        Distance of the sampling points, at least one voxel.
    tolerance_mm : float
        Iterations end when no point of the head moves further than this.
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
    third of a squared voxel. A Gaussian adds what is missing to the variance asked for, so that both filters become one
    short one. Where voxels are so large that the B-spline alone smooths more, that is the smoothing.

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
    variances = (smoothing_mm / _FWHM_PER_SIGMA / voxel_sizes(affine)) ** 2 - _SPLINE_VARIANCE
    return ndimage.gaussian_filter(coefficients, np.sqrt(np.maximum(variances, 0)), mode="nearest", truncate=3.0)


def sample_spline(coefficients: np.ndarray, voxels: np.ndarray) -> np.ndarray:
    """Return values of a cubic B-spline at voxel coordinates, shape (3, n); mirrored beyond the edges."""
    return ndimage.map_coordinates(
        coefficients, voxels, order=3, prefilter=False, mode="mirror", output=np.float64
    )


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
        When the volume has no contrast or is too small.
    """

    def __init__(
        self, volume: np.ndarray, affine: np.ndarray, level: Level, share: float = 0.5, seed: int = 0, name: str = "volume"
    ) -> None:
        self.affine, self.level = np.asarray(affine, float), level
        self._inverse = np.linalg.inv(self.affine)
        coefficients = spline_coefficients(volume, affine, level.smoothing_mm)
        points = apply_affine(self.affine, _jittered_grid(volume.shape, affine, level.spacing_mm, seed))
        if points.shape[1] < 100:
            raise DataError(name, f"a volume of {volume.shape} voxels is too small to align", "Leave the run out")
        self._centre = np.eye(4)
        self._centre[:3, 3] = points.mean(1)
        slopes = self._slopes(coefficients, points)
        kept = _informative(slopes, share)
        if not kept.any():
            raise DataError(name, "the volume is constant", "Leave the run out or fetch it again")
        self._points, self._slopes_kept = points[:, kept], slopes[kept]
        self._values = sample_spline(coefficients, apply_affine(self._inverse, self._points))

    def _slopes(self, coefficients: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Derivatives by the six parameters about the grid's centre, shape (point, 6); central differences."""
        slopes = np.empty((points.shape[1], 6))
        for index, step in enumerate(_STEPS):
            sides = []
            for sign in (1, -1):
                pose = self._inverse @ self._about_centre(sign * step * np.eye(6)[index])
                sides.append(sample_spline(coefficients, apply_affine(pose, points)))
            slopes[:, index] = (sides[0] - sides[1]) / (2 * step)
        return slopes

    def _about_centre(self, parameters: np.ndarray) -> np.ndarray:
        moved = self._centre @ matrix_of(parameters)
        moved[:3, 3] -= moved[:3, :3] @ self._centre[:3, 3]
        return moved

    def fit(self, coefficients: np.ndarray, affine: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the pose of a volume.

        Parameters
        ----------
        coefficients : ndarray, shape (x, y, z)
            From `spline_coefficients`, smoothed as the reference is.
        affine : ndarray, shape (4, 4)
            Affine of that volume.
        start : ndarray, shape (4, 4)
            Where to begin.

        Returns
        -------
        ndarray, shape (4, 4)
            World of the reference to world of the volume.
        """
        pose, inverse = start.copy(), np.linalg.inv(affine)
        last = np.array(coefficients.shape)[:, None] - 1
        for _ in range(self.level.iterations):
            voxels = apply_affine(inverse @ pose, self._points)
            inside = ((voxels >= 0) & (voxels <= last)).all(0)
            if inside.sum() < 50:
                break
            values = sample_spline(coefficients, voxels[:, inside])
            step = _least_squares(self._slopes_kept[inside], values, self._values[inside])
            pose = pose @ np.linalg.inv(self._about_centre(step))
            if np.abs(step[:3]).max() + _HEAD_RADIUS * np.abs(step[3:]).max() < self.level.tolerance_mm:
                break
        return pose


def _least_squares(slopes: np.ndarray, values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Solve reference + slopes @ step = scale * values for the step (and the scale, which is dropped)."""
    design = np.concatenate([slopes, -values[:, None]], axis=1)
    return np.linalg.lstsq(design.T @ design, -(design.T @ reference), rcond=None)[0][:6]


def _jittered_grid(shape: tuple[int, ...], affine: np.ndarray, spacing_mm: float, seed: int) -> np.ndarray:
    steps = np.maximum(spacing_mm / voxel_sizes(affine), 1.0)
    axes = [np.arange(1.5, size - 2.5, step) for size, step in zip(shape, steps, strict=True)]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
    return grid + generator_of(seed, "sampling points").uniform(-0.4, 0.4, grid.shape)


def _informative(slopes: np.ndarray, share: float) -> np.ndarray:
    """Mark the points whose value changes most with the pose."""
    weights = 1 / np.array([1, 1, 1, _HEAD_RADIUS, _HEAD_RADIUS, _HEAD_RADIUS])
    change = ((slopes * weights) ** 2).sum(1)
    return (change >= np.quantile(change, 1 - share)) & (change > 0)
