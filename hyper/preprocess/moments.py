"""Mean and temporal signal-to-noise ratio of a run that passes by once."""

from pathlib import Path

import numpy as np
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.spaces import apply_affine
from hyper.io.volumes import iterate_volumes, load_image


class Moments:
    """Mean, and standard deviation about a slow trend, per voxel; memory does not grow with the run.

    Parameters
    ----------
    volumes : int
        In the run.
    voxels : int
    degree : int
        Degree of the polynomial trend that does not count as noise.
    """

    def __init__(self, volumes: int, voxels: int, degree: int = 2) -> None:
        time = np.linspace(-1, 1, volumes)
        self._trend = np.linalg.qr(np.vander(time, min(degree, volumes - 1) + 1, increasing=True))[0]
        self._projected = np.zeros((self._trend.shape[1], voxels))
        self._squares = np.zeros(voxels)
        self._first: np.ndarray | None = None
        self._done = 0

    def add(self, block: np.ndarray) -> None:
        """Take the next volumes.

        Parameters
        ----------
        block : ndarray, shape (n, voxels)
        """
        if self._first is None:
            # the trend holds a constant: taking one volume away loses no digits and changes no deviation
            self._first = block[0].astype(float)
        centred = block - self._first
        self._projected += self._trend[self._done : self._done + len(block)].T @ centred
        self._squares += np.einsum("tv,tv->v", centred, centred)
        self._done += len(block)

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation, shape (voxels,) each.

        Raises
        ------
        DataError
            When not all volumes came.
        """
        volumes, terms = self._trend.shape
        if self._first is None or self._done != volumes:
            raise DataError("run", f"{self._done} volumes where {volumes} are due", "Run resample again")
        total = self._trend.sum(0) @ self._projected
        residual = np.maximum(self._squares - (self._projected**2).sum(0), 0)
        return self._first + total / volumes, np.sqrt(residual / max(volumes - terms, 1))


def signal_to_noise(mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Temporal signal-to-noise ratio; 0 where a voxel does not vary."""
    return np.divide(mean, deviation, out=np.zeros_like(mean), where=deviation > 1e-6 * np.abs(mean))


def measure_native(
    bold: str | Path, affine_to_native: np.ndarray, coordinates: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Measure a run as it came from the scanner, and sample what was found at points of another space.

    Parameters
    ----------
    bold : str or Path
        4-D run.
    affine_to_native : ndarray, shape (4, 4)
        World of the points to world of the run.
    coordinates : ndarray, shape (x, y, z, 3)
        Points, mm.

    Returns
    -------
    mean, signal_to_noise : ndarray, shape (x, y, z), float32
        0 outside the field of view.
    """
    image = load_image(bold)
    moments = Moments(image.shape[3], int(np.prod(image.shape[:3])))
    for block in iterate_volumes(bold):
        moments.add(np.nan_to_num(block.reshape(-1, block.shape[3]).T))
    mean, deviation = moments.finish()
    voxels = apply_affine(np.linalg.inv(image.affine) @ affine_to_native, coordinates.reshape(-1, 3).T)
    parts = [
        ndimage.map_coordinates(part.reshape(image.shape[:3]), voxels, order=1, output=np.float32)
        for part in (mean, signal_to_noise(mean, deviation))
    ]
    return parts[0].reshape(coordinates.shape[:3]), parts[1].reshape(coordinates.shape[:3])
