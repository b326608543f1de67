"""Rigid alignment of volumes of one contrast: Gauss-Newton least squares on cubic B-splines.

The method of Friston et al. (1995), Human Brain Mapping 3, 165, as in SPM's ``spm_realign``, in the
inverse-compositional form of Baker and Matthews (2004), Int. J. Computer Vision 56, 221: the derivatives are those of
the reference, so that they are computed once. Besides a factor of intensity, as SPM has, the fit allows for a linear
change of intensity across the head: a head that moves through the receive field of the coil shows one. A level may
weigh points by Tukey's bisquare, so that what fits nowhere (a spike, a bright eye) counts for nothing.
"""

from dataclasses import dataclass

import numpy as np
from nibabel.affines import voxel_sizes

from hyper.errors import DataError
from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.splines import FWHM_PER_SIGMA, Spline, sample_spline, smooth_spline, spline_coefficients

__all__ = [
    "FWHM_PER_SIGMA",
    "HEAD_RADIUS",
    "SLOPE_STEPS",
    "Fit",
    "Level",
    "Reference",
    "about",
    "align_volume",
    "sample_spline",
    "spline_coefficients",
]

HEAD_RADIUS = 50.0
SLOPE_STEPS = np.array([0.5, 0.5, 0.5, 0.005, 0.005, 0.005])
_FEWEST_POINTS = 100
_TINY = float(np.finfo(float).tiny)
# in standard deviations of the residuals: wide enough to leave Gaussian noise its full weight, within 1 %
_BISQUARE = 7.0


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
    robust : bool
        Weigh points by their residuals. Needs a start within a few tenths of a millimetre.
    """

    smoothing_mm: float
    spacing_mm: float
    tolerance_mm: float
    iterations: int
    robust: bool = False


@dataclass(frozen=True)
class Fit:
    """Pose of a volume.

    Attributes
    ----------
    pose : ndarray, shape (4, 4)
        World of the reference to world of the volume.
    misfit : float
        Root mean square of the residuals by the standard deviation of the reference, over all sampling points in the
        field of view: 0 is a perfect fit, 1 none. Infinite where too few points are in the field of view.
    bulk_misfit : float
        The same of the bulk of the points: from the median absolute residual, which damage to a part leaves alone.
    """

    pose: np.ndarray
    misfit: float
    bulk_misfit: float


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
        spline = smooth_spline(volume, affine, level.smoothing_mm)
        if np.ptp(spline.coefficients) <= 1e-6 * np.abs(spline.coefficients).max():
            raise DataError(name, "the volume is constant", "Leave the run out or fetch it again")
        points = apply_affine(affine, _jittered_grid(volume.shape, affine, level.spacing_mm, seed))
        if points.shape[1] < _FEWEST_POINTS:
            raise DataError(name, f"a volume of {volume.shape} voxels is too small to align", "Leave the run out")
        self._centre = points.mean(1)
        slopes = self._slopes(spline, points)
        kept = _informative(slopes, share)
        self._points, self._kept_slopes = points[:, kept], slopes[kept]
        self._values = spline.sample(self._points)
        self._field = np.vstack([np.ones(kept.sum()), (self._points - self._centre[:, None]) / HEAD_RADIUS]).T

    def fit(self, volume: np.ndarray, affine: np.ndarray, start: np.ndarray, slices: np.ndarray | None = None) -> Fit:
        """Return the pose of a volume.

        Parameters
        ----------
        volume : ndarray, shape (x, y, z)
        affine : ndarray, shape (4, 4)
            Affine of that volume.
        start : ndarray, shape (4, 4)
            Where to begin.
        slices : ndarray of bool, shape (z,), optional
            Slices of the volume that count; default all.

        Returns
        -------
        Fit
        """
        spline = smooth_spline(volume, affine, self.level.smoothing_mm, slices=slices)
        pose, weights = start.copy(), np.ones(len(self._values))
        misfit = bulk_misfit = np.inf
        for iteration in range(self.level.iterations):
            inside, values = spline.sample_inside(pose, self._points)
            if inside.sum() < _FEWEST_POINTS // 2:
                return Fit(start.copy(), np.inf, np.inf)
            design = np.concatenate([self._kept_slopes[inside], -values[:, None] * self._field[inside]], axis=1)
            solution = _least_squares(design, -self._values[inside], weights[inside])
            residuals, step = design @ solution + self._values[inside], solution[:6]
            pose = pose @ np.linalg.inv(about(self._centre, step))
            contrast, deviation = max(float(self._values[inside].std()), _TINY), _robust_deviation(residuals)
            misfit, bulk_misfit = float(np.sqrt(np.mean(residuals**2))) / contrast, deviation / contrast
            if self.level.robust:
                weights[inside] = _bisquare(residuals, deviation)
            small = np.abs(step[:3]).max() + HEAD_RADIUS * np.abs(step[3:]).max() < self.level.tolerance_mm
            if small and (iteration > 0 or not self.level.robust):
                break
        return Fit(pose, misfit, bulk_misfit)

    def _slopes(self, spline: Spline, points: np.ndarray) -> np.ndarray:
        """Derivatives by the six parameters about the centre, shape (point, 6); central differences."""
        slopes = np.empty((points.shape[1], 6))
        for index, step in enumerate(SLOPE_STEPS):
            moves = [about(self._centre, sign * step * np.eye(6)[index]) for sign in (1, -1)]
            after, before = (spline.sample(apply_affine(move, points)) for move in moves)
            slopes[:, index] = (after - before) / (2 * step)
        return slopes


def about(centre: np.ndarray, parameters: np.ndarray) -> np.ndarray:
    """Return the rigid matrix of motion parameters whose rotations are about `centre`, shape (3,)."""
    matrix = matrix_of(parameters)
    matrix[:3, 3] += centre - matrix[:3, :3] @ centre
    return matrix


def align_volume(
    references: list[Reference],
    volume: np.ndarray,
    affine: np.ndarray,
    start: np.ndarray,
    slices: np.ndarray | None = None,
) -> Fit:
    """Fit a volume to references of one volume, from the coarsest level to the finest.

    Parameters
    ----------
    references : list of Reference
    volume, affine, start, slices
        As for `Reference.fit`.

    Returns
    -------
    Fit
        That of the last level.
    """
    found = Fit(start, np.inf, np.inf)
    for reference in references:
        found = reference.fit(volume, affine, found.pose, slices)
    return found


def _least_squares(design: np.ndarray, target: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted least squares of design @ solution = target, by the normal equations at unit scale."""
    weighted = design * weights[:, None]
    normal = weighted.T @ design
    scale = 1 / np.sqrt(np.maximum(normal.diagonal(), _TINY))
    solution: np.ndarray = np.linalg.lstsq(normal * np.outer(scale, scale), scale * (weighted.T @ target), rcond=1e-10)[
        0
    ]
    return scale * solution


def _robust_deviation(residuals: np.ndarray) -> float:
    """Standard deviation from the median absolute residual."""
    return 1.4826 * float(np.median(np.abs(residuals)))


def _bisquare(residuals: np.ndarray, deviation: float) -> np.ndarray:
    """Tukey's bisquare weights."""
    shares = residuals / max(_BISQUARE * deviation, _TINY)
    return np.where(np.abs(shares) < 1, (1 - shares**2) ** 2, 0.0)


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
