"""Realignment of a BOLD run: to its first volume, then to the mean of the realigned volumes."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
from scipy import ndimage

from hyper.errors import DatasetError
from hyper.io.volumes import iterate_volumes, load_image
from hyper.preprocess.rigid import Level, Reference, align_volume

_log = logging.getLogger(__name__)
_BLOCK = 16


@dataclass(frozen=True)
class Realignment:
    """Result of `realign_run`.

    Attributes
    ----------
    matrices : ndarray, shape (volume, 4, 4)
        World of `boldref` to world of each volume.
    boldref : ndarray, shape (x, y, z), float32
        Mean of the realigned volumes.
    affine : ndarray, shape (4, 4)
    """

    matrices: np.ndarray
    boldref: np.ndarray
    affine: np.ndarray


def realign_run(
    path: str | Path,
    *,
    smoothing_mm: float = 5.0,
    spacing_mm: float = 4.0,
    informative_share: float = 0.25,
    tolerance_mm: float = 0.02,
    mean_volumes: int = 64,
    seed: int = 0,
    threads: int = 1,
) -> Realignment:
    """Estimate the motion of a run.

    The first pass aligns every volume to the first one, coarsely and then at one and a half times the spacing; the
    second starts from there and aligns every volume to the mean. Each reads the file once, from its beginning to its
    end, and holds a few volumes at a time. The result does not depend on the number of threads.

    Parameters
    ----------
    path : str or Path
        4-D NIfTI file.
    smoothing_mm : float
        Full width at half maximum of the smoothing before volumes are compared.
    spacing_mm : float
        Distance of the sampling points.
    informative_share : float
        Share of the points that is used, those whose value changes most with the pose.
    tolerance_mm : float
        Iterations end when the head moves less than this.
    mean_volumes : int
        The mean is that of at most so many realigned volumes, evenly spread over the run.
    seed : int
        Seed of the jitter of the points.
    threads : int

    Returns
    -------
    Realignment

    Raises
    ------
    DatasetError
        When the file holds no series of at least two volumes or ends early.
    """
    shape, affine = series_shape(path)
    coarse = Level(2 * smoothing_mm, 2 * spacing_mm, 5 * tolerance_mm, 15)
    middle = Level(smoothing_mm, 1.5 * spacing_mm, 2 * tolerance_mm, 20)
    fine = Level(smoothing_mm, spacing_mm, tolerance_mm, 20)

    def references(volume: np.ndarray, *levels: Level) -> list[Reference]:
        return [Reference(volume, affine, level, informative_share, seed, str(path)) for level in levels]

    with ThreadPoolExecutor(threads) as pool:
        starts, mean = _first_pass(
            path, shape, affine, lambda first: references(first, coarse, middle), mean_volumes, pool
        )
        matrices = _second_pass(path, affine, references(mean, fine), starts, pool)
    _log.info("%s: %d volumes realigned to the mean of %d", path, shape[3], min(shape[3], mean_volumes))
    return Realignment(matrices, mean, affine)


def series_shape(path: str | Path) -> tuple[tuple[int, int, int, int], np.ndarray]:
    """Return shape and affine of a series of volumes.

    Raises
    ------
    DatasetError
        When the file is not 4-D, or holds a single volume.
    """
    image = load_image(path)
    if len(image.shape) != 4 or image.shape[3] < 2:
        fault = f"its shape is {image.shape} where a series of at least two volumes is due"
        raise DatasetError(path, fault, "Give the 4-D BOLD file or leave the run out")
    return image.shape, np.asarray(image.affine, float)


def _first_pass(
    path: str | Path,
    shape: tuple[int, int, int, int],
    affine: np.ndarray,
    references: Callable[[np.ndarray], list[Reference]],
    mean_volumes: int,
    pool: ThreadPoolExecutor,
) -> tuple[np.ndarray, np.ndarray]:
    """Align to the first volume; return the matrices and the mean of the realigned volumes."""
    in_mean = set(np.linspace(0, shape[3] - 1, min(shape[3], mean_volumes)).round().astype(int))
    matrices: list[np.ndarray] = []
    targets: list[Reference] = []
    total, last = np.zeros(shape[:3]), np.eye(4)
    for volumes in _volumes_in_blocks(path):
        targets = targets or references(volumes[0])
        # all of a block start from the last of the block before: threads may share it, and its result stays the same
        found = list(pool.map(align_volume, repeat(targets), volumes, repeat(affine), repeat(last)))
        if not matrices:
            found[0] = np.eye(4)
        chosen = [index for index in range(len(volumes)) if len(matrices) + index in in_mean]
        realigned = pool.map(_realigned, (volumes[i] for i in chosen), repeat(affine), (found[i] for i in chosen))
        for volume in realigned:
            total += volume
        matrices += found
        last = found[-1]
    return np.array(matrices), (total / len(in_mean)).astype(np.float32)


def _second_pass(
    path: str | Path, affine: np.ndarray, targets: list[Reference], starts: np.ndarray, pool: ThreadPoolExecutor
) -> np.ndarray:
    matrices: list[np.ndarray] = []
    for volumes in _volumes_in_blocks(path):
        start = starts[len(matrices) : len(matrices) + len(volumes)]
        matrices += pool.map(align_volume, repeat(targets), volumes, repeat(affine), start)
    return np.array(matrices)


def _volumes_in_blocks(path: str | Path) -> Iterator[list[np.ndarray]]:
    for block in iterate_volumes(path, _BLOCK):
        yield [np.ascontiguousarray(block[..., index]) for index in range(block.shape[3])]


def _realigned(volume: np.ndarray, affine: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Resample a volume into the pose of the reference, on the same grid."""
    voxels = np.linalg.inv(affine) @ pose @ affine
    finite = np.nan_to_num(volume, nan=0.0, posinf=0.0, neginf=0.0)
    return ndimage.affine_transform(finite, voxels[:3, :3], voxels[:3, 3], order=3, mode="mirror", output=np.float32)
