"""Realignment of a BOLD run: to its first volume, then to the mean of the realigned volumes."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from hyper.errors import DatasetError
from hyper.io.volumes import iterate_volumes, load_image
from hyper.preprocess.motion import matrix_of, parameters_of
from hyper.preprocess.outliers import check_content, hopeless_fits, poor_fits, slice_means, sound_slices
from hyper.preprocess.rigid import Fit, Level, Reference, align_volume
from hyper.preprocess.splines import moved_volume

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
    misfit : ndarray, shape (volume,)
        Root mean square of what is left of the difference to `boldref` after the fit, by the standard deviation of
        `boldref` at the sampling points.
    outliers : ndarray of bool, shape (volume,)
        Volumes with damaged slices or a misfit several times the run's median. They are not in `boldref`. Their
        damaged slices do not enter their pose; where the fit is hopeless, the pose is interpolated between the
        neighbours'.
    """

    matrices: np.ndarray
    boldref: np.ndarray
    affine: np.ndarray
    misfit: np.ndarray
    outliers: np.ndarray


@dataclass(frozen=True)
class _Volume:
    index: int
    values: np.ndarray
    slices: np.ndarray


def realign_run(
    path: str | Path,
    *,
    smoothing_mm: float = 5.0,
    spacing_mm: float = 3.0,
    informative_share: float = 0.25,
    tolerance_mm: float = 0.02,
    mean_volumes: int = 64,
    seed: int = 0,
    threads: int = 1,
) -> Realignment:
    """Estimate the motion of a run.

    The first pass aligns the volumes of the mean to the first volume, the second every volume to the mean; each goes
    from twice the smoothing to the smoothing asked for, reads the file once, from its beginning to its end, and holds a
    few volumes at a time. The result does not depend on the number of threads.

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
        When the file holds no series of at least two volumes, ends early, or has a constant volume.
    """
    shape, affine = series_shape(path)
    coarse = Level(2 * smoothing_mm, 2 * spacing_mm, 5 * tolerance_mm, 20)
    middle = Level(smoothing_mm, 1.5 * spacing_mm, 2 * tolerance_mm, 20)
    fine = Level(smoothing_mm, spacing_mm, tolerance_mm, 20, robust=True)

    def references(volume: np.ndarray, *levels: Level) -> list[Reference]:
        return [Reference(volume, affine, level, informative_share, seed, str(path)) for level in levels]

    # the volumes share the threads; a library's own threads on top of them would change rounding and gain nothing
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        run = _Run(path, shape, affine, pool, ahead=threads > 1)
        mean = _mean(run, lambda first: references(first, coarse, middle), mean_volumes)
        fits, damaged = _fit_all(run, references(mean, coarse, fine))
    misfit = np.array([fit.misfit for fit in fits])
    outliers = damaged | poor_fits(misfit) | hopeless_fits(fits)
    if outliers.any():
        _log.warning("%s: %d of %d volumes are outliers: %s", path, outliers.sum(), shape[3], _listed(outliers))
    _log.info("%s: %d volumes realigned to the mean of %d", path, shape[3], min(shape[3], mean_volumes))
    return Realignment(_bridged(fits), mean, affine, misfit, outliers)


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


class _Run:
    """A run as blocks of volumes, and the threads that work on them."""

    def __init__(
        self,
        path: str | Path,
        shape: tuple[int, int, int, int],
        affine: np.ndarray,
        pool: ThreadPoolExecutor,
        ahead: bool,
    ) -> None:
        self.path, self.shape, self.affine, self.pool, self._ahead = path, shape, affine, pool, ahead
        self._typical: np.ndarray | None = None

    def blocks(self, wanted: frozenset[int] | None = None) -> Iterator[list[_Volume]]:
        """Yield the volumes that are wanted (default all), checked; one block is read while another is worked on."""
        start = 0
        with ThreadPoolExecutor(1) as reader:
            read = iterate_volumes(self.path, _BLOCK)
            coming = reader.submit(next, read, None) if self._ahead else None
            while (block := coming.result() if coming else next(read, None)) is not None:
                coming = reader.submit(next, read, None) if self._ahead else None
                chosen = [i for i in range(block.shape[3]) if wanted is None or start + i in wanted]
                if chosen:
                    yield self._checked(block, start, chosen)
                start += block.shape[3]

    def _checked(self, block: np.ndarray, start: int, chosen: list[int]) -> list[_Volume]:
        for index in chosen:
            check_content(block[..., index], start + index, self.shape[3], self.path)
        means = {index: slice_means(block[..., index]) for index in chosen}
        if self._typical is None:
            self._typical = np.median(list(means.values()), axis=0)
        return [_Volume(start + i, block[..., i], sound_slices(means[i], self._typical)) for i in chosen]

    def align(self, references: list[Reference], volumes: list[_Volume], start: np.ndarray) -> list[Fit]:
        """Fit volumes, all from one start: threads may share them, and the result stays the same."""
        return list(
            self.pool.map(
                align_volume,
                repeat(references),
                (volume.values for volume in volumes),
                repeat(self.affine),
                repeat(start),
                (volume.slices for volume in volumes),
            )
        )


def _mean(run: _Run, references: Callable[[np.ndarray], list[Reference]], mean_volumes: int) -> np.ndarray:
    """Mean of volumes realigned to the first one that is whole, without those that fit badly."""
    number = min(run.shape[3], mean_volumes)
    wanted = frozenset(np.linspace(0, run.shape[3] - 1, number).round().astype(int).tolist())
    total, used, last = np.zeros(run.shape[:3]), 0, np.eye(4)
    targets: list[Reference] = []
    misfits: list[float] = []
    for volumes in run.blocks(wanted):
        if not targets:
            first = next((volume for volume in volumes if volume.slices.all()), volumes[0])
            targets = references(first.values)
        fits = run.align(targets, volumes, last)
        misfits += [fit.misfit for fit in fits]
        poor = poor_fits(np.array(misfits))[-len(fits) :]
        good = [i for i in range(len(fits)) if volumes[i].slices.all() and (not poor[i] or volumes[i] is first)]
        realigned = run.pool.map(
            moved_volume, (volumes[i].values for i in good), repeat(run.affine), (fits[i].pose for i in good)
        )
        for values in realigned:
            total += values
        used, last = used + len(good), _last_pose(fits, last)
    return (total / used).astype(np.float32)


def _fit_all(run: _Run, targets: list[Reference]) -> tuple[list[Fit], np.ndarray]:
    """Fit every volume; mark those with damaged slices."""
    fits: list[Fit] = []
    damaged: list[bool] = []
    last = np.eye(4)
    for volumes in run.blocks():
        fits += run.align(targets, volumes, last)
        damaged += [not volume.slices.all() for volume in volumes]
        last = _last_pose(fits[-len(volumes) :], last)
    return fits, np.array(damaged)


def _last_pose(fits: Sequence[Fit], otherwise: np.ndarray) -> np.ndarray:
    """Pose of the last fit that means something."""
    hopeless = hopeless_fits(fits)
    return next((fit.pose for fit, lost in zip(fits[::-1], hopeless[::-1], strict=True) if not lost), otherwise)


def _bridged(fits: Sequence[Fit]) -> np.ndarray:
    """Poses; between those of the neighbours, parameter by parameter, where a fit is hopeless."""
    poses = np.array([fit.pose for fit in fits])
    hopeless = hopeless_fits(fits)
    if hopeless.any() and not hopeless.all():
        parameters, sound = parameters_of(poses[~hopeless]), np.flatnonzero(~hopeless)
        lost = np.flatnonzero(hopeless)
        poses[lost] = matrix_of(np.stack([np.interp(lost, sound, course) for course in parameters.T], axis=1))
    return poses


def _listed(marked: np.ndarray, most: int = 10) -> str:
    """The first numbers (from 1) of what is marked."""
    numbers = [str(index + 1) for index in np.flatnonzero(marked)]
    return ", ".join(numbers[:most]) + (" ..." if len(numbers) > most else "")
