"""Normalised runs: motion, run, coregistration and warp composed, every volume interpolated once."""

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.spaces import apply_affine
from hyper.io.volumes import iterate_volumes, write_series
from hyper.preprocess.interpolation import interpolate
from hyper.preprocess.realign import series_shape
from hyper.preprocess.rigid import FWHM_PER_SIGMA
from hyper.preprocess.template import TemplateFiles, load_template

_log = logging.getLogger(__name__)
_BLOCK = 16
_TYPES = {"int16": np.int16, "float32": np.float32}


@dataclass(frozen=True)
class TemplateGrid:
    """The voxels of the template grid that are computed.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    points : ndarray, shape (3, voxel)
        World coordinates of the same anatomy in the space of the map's target, mm.
    """

    mask: np.ndarray
    affine: np.ndarray
    points: np.ndarray

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the grid."""
        x, y, z = self.mask.shape
        return x, y, z

    def moved(self, matrix: np.ndarray) -> "TemplateGrid":
        """Return the grid with its points taken on by a matrix."""
        return TemplateGrid(self.mask, self.affine, apply_affine(matrix, self.points))


def template_grid(
    coordinates: np.ndarray, affine: np.ndarray, margin_mm: float = 0.0, files: TemplateFiles | None = None
) -> TemplateGrid:
    """Return the voxels of the template's brain and a margin around it.

    Parameters
    ----------
    coordinates : ndarray, shape (x, y, z, 3)
        World coordinates for each point of the template grid.
    affine : ndarray, shape (4, 4)
        Affine of the template grid; its voxel size tells the template's resolution.
    margin_mm : float
    files : TemplateFiles, optional
        The user's own template.

    Raises
    ------
    DataError
        When this is not the template's grid.
    """
    sizes = voxel_sizes(affine)
    template = load_template(round(float(sizes[0]), 6), files)
    if template.brain.shape != coordinates.shape[:3] or not np.allclose(template.affine, affine, atol=1e-3):
        fault = f"its grid {coordinates.shape[:3]} is not the template's {template.brain.shape}"
        raise DataError("map from the template", fault, "Run the rule register_anatomical again")
    mask = np.array(template.brain)
    if margin_mm > 0:
        mask = ndimage.distance_transform_edt(~mask, sampling=sizes) <= margin_mm
    return TemplateGrid(mask, np.array(template.affine), coordinates[mask].T.astype(float))


def resample_run(
    path: str | Path,
    out: str | Path,
    grid: TemplateGrid,
    motion: np.ndarray,
    tr: float,
    *,
    interpolation: str = "cubic",
    smoothing_mm: float = 0.0,
    dtype: str = "int16",
    threads: int = 1,
) -> np.ndarray:
    """Write a run in template space, a few volumes at a time.

    While one block of volumes is compressed and written, the threads interpolate the next: memory holds two blocks,
    however long the run.

    Parameters
    ----------
    path : str or Path
        Run as it was measured, 4-D.
    out : str or Path
        File to write.
    grid : TemplateGrid
        Points in the space of the run's boldref.
    motion : ndarray, shape (volume, 4, 4)
        World of the boldref to world of each volume.
    tr : float
        Repetition time, seconds.
    interpolation : {"cubic", "linear", "lanczos"}
        See `hyper.preprocess.interpolation`.
    smoothing_mm : float
        Full width at half maximum of a Gaussian applied to the result, over the computed voxels alone.
    dtype : {"int16", "float32"}
        Type on disk; int16 is scaled to four times the largest value of the first block.
    threads : int
        The result does not depend on it.

    Returns
    -------
    ndarray, shape (x, y, z), float32
        Mean over the volumes; 0 outside the computed voxels and where a voxel leaves the field of view in any volume.

    Raises
    ------
    DataError
        When the numbers of volumes differ.
    """
    shape, affine = series_shape(path)
    if len(motion) != shape[3]:
        raise DataError(path, f"{shape[3]} volumes but {len(motion)} poses", "Run the rule realign again")
    poses = np.linalg.inv(affine) @ motion
    total, covered = np.zeros(grid.points.shape[1]), np.ones(grid.points.shape[1], bool)
    smoother = _Smoother(grid, smoothing_mm) if smoothing_mm > 0 else None

    def sample(volume: np.ndarray, pose: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found, inside = interpolate(volume, pose, grid.points, interpolation)
        return (found if smoother is None else smoother(found, inside)), inside

    def blocks() -> Iterator[np.ndarray]:
        waiting: deque[list[Future]] = deque()
        done = 0
        with ThreadPoolExecutor(threads) as pool:
            for block in iterate_volumes(path, _BLOCK):
                own = poses[done : done + block.shape[3]]
                waiting.append([pool.submit(sample, block[..., index], pose) for index, pose in enumerate(own)])
                done += block.shape[3]
                if len(waiting) > 1:
                    yield collect(waiting.popleft())
            while waiting:
                yield collect(waiting.popleft())

    def collect(futures: list[Future]) -> np.ndarray:
        values = np.zeros((*grid.shape, len(futures)), np.float32, order="F")
        for index, future in enumerate(futures):
            found, inside = future.result()
            values[..., index][grid.mask] = found
            np.add(total, found, out=total)
            np.logical_and(covered, inside, out=covered)
        return values

    stream = blocks()
    first = next(stream)
    slope = _int16_slope(first) if dtype == "int16" else 1.0
    write_series(out, chain([first], stream), (*grid.shape, shape[3]), grid.affine, tr, _TYPES[dtype], slope)
    _log.info("%s: %d volumes, %.1f%% of the voxels inside the field of view", path, shape[3], 100 * covered.mean())
    mean = np.zeros(grid.shape, np.float32)
    mean[grid.mask] = np.where(covered, total / shape[3], 0)
    return mean


class _Smoother:
    """Gaussian smoothing over the computed voxels that lie in the field of view; what is outside has no weight."""

    def __init__(self, grid: TemplateGrid, smoothing_mm: float) -> None:
        self.sigma = smoothing_mm / FWHM_PER_SIGMA / voxel_sizes(grid.affine)
        inside = np.array(np.nonzero(grid.mask))
        low, high = inside.min(1), inside.max(1) + 1
        self.mask = grid.mask[tuple(slice(first, last) for first, last in zip(low, high, strict=True))]

    def __call__(self, values: np.ndarray, inside: np.ndarray) -> np.ndarray:
        smooth, weight = (self._filtered(part) for part in (np.where(inside, values, 0), inside))
        return np.where(inside, smooth / np.maximum(weight, 1e-6), 0).astype(np.float32)

    def _filtered(self, values: np.ndarray) -> np.ndarray:
        volume = np.zeros(self.mask.shape, np.float32)
        volume[self.mask] = values
        return ndimage.gaussian_filter(volume, self.sigma, mode="constant")[self.mask]


def _int16_slope(values: np.ndarray) -> float:
    """Scaling that leaves later volumes room: only a value above four times the largest so far would be clipped."""
    largest = float(np.abs(values).max())
    return 4 * largest / np.iinfo(np.int16).max if largest > 0 else 1.0


def bold_mask(means: list[np.ndarray], brain: np.ndarray, least_signal: float = 0.0) -> np.ndarray:
    """Return the template's brain where every run has signal.

    Parameters
    ----------
    means : list of ndarray, shape (x, y, z)
        Mean of each resampled run, 0 where the run does not cover a voxel.
    brain : ndarray of bool, shape (x, y, z)
    least_signal : float
        Share of the run's median in the brain below which a voxel counts as without signal.

    Raises
    ------
    DataError
        When nothing is left.
    """
    mask = brain.copy()
    for mean in means:
        covered = brain & (mean > 0)
        mask &= mean > (least_signal * np.median(mean[covered]) if covered.any() else 0)
    if not mask.any():
        fault = "no voxel of the template's brain is inside the field of view of every run"
        raise DataError("brain mask", fault, "Look at registration.png and at the affines of the runs")
    _log.info("%d of %d voxels of the template's brain have signal in every run", mask.sum(), brain.sum())
    return mask
