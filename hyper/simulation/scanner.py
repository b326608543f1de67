"""The scanner: where its voxels are, what it sees of a moving head, volume after volume."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from nilearn.glm.first_level import compute_regressor
from scipy import ndimage

from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.simulation.anatomy import rotation
from hyper.simulation.noise import HeadNoise
from hyper.simulation.phantom import Phantom
from hyper.simulation.smooth import polynomial_field

_REACH_MM = 14.0
_SEEN = 0.02


@dataclass(frozen=True)
class View:
    """What a scanner sees of a head at rest.

    Attributes
    ----------
    shape : tuple of int
    affine : ndarray, shape (4, 4)
        Voxel to world.
    voxels : ndarray of int, shape (n,)
        Flat indices (Fortran order, as on disk) of the voxels that the head can reach.
    points : ndarray, shape (3, n)
        Their world coordinates, mm.
    field : ndarray, shape (n,), float32
        Sensitivity of the receive coil there.
    """

    shape: tuple[int, int, int]
    affine: np.ndarray
    voxels: np.ndarray
    points: np.ndarray
    field: np.ndarray


def place_scanner(settings: Mapping[str, Any], phantom: Phantom, seed: int, subject: str) -> View:
    """Place the field of view around a person's brain.

    Parameters
    ----------
    settings : mapping
        Settings simulation.scanner: shape, voxel, tilt, coil.
    phantom : Phantom
    seed : int
        The study's seed.
    subject : str
        Label.
    """
    shape = tuple(int(n) for n in settings["shape"])
    centre = grid_points(phantom.brain.shape, phantom.affine, phantom.brain).mean(axis=1)
    # the first axis runs from right to left, as scanners' files have it
    steps = np.diag([-settings["voxel"], settings["voxel"], settings["voxel"], 1.0])
    affine = rotation(np.array([np.deg2rad(settings["tilt"]), 0, 0])) @ steps
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    near = _near_head(phantom, shape, affine)
    field = polynomial_field(settings["coil"], generator_of(seed, "simulation", "coil", subject))(shape, affine, centre)
    voxels = np.flatnonzero(near.ravel(order="F"))
    points = np.stack([axis.reshape(shape).ravel(order="F")[voxels] for axis in grid_points(shape, affine)])
    return View((shape[0], shape[1], shape[2]), affine, voxels, points, field.ravel(order="F")[voxels])


def acquire(
    phantom: Phantom,
    view: View,
    motion: np.ndarray,
    changes: np.ndarray,
    settings: Mapping[str, Any],
    intensity: float,
    rng: np.random.Generator,
    block: int = 16,
) -> Iterator[np.ndarray]:
    """Scan a run.

    Parameters
    ----------
    phantom : Phantom
    view : View
    motion : ndarray, shape (volume, 4, 4)
        World of the head at rest to the world of each volume.
    changes : ndarray, shape (volume, voxel), float32
        What responses change at the phantom's planted coefficients, percent.
    settings : mapping
        Settings simulation.noise.
    intensity : float
        Signal of grey matter.
    rng : Generator
        Of the noise.
    block : int
        Volumes yielded at a time.

    Yields
    ------
    ndarray, shape (x, y, z, n), float32
    """
    spacing = float(abs(phantom.affine[0, 0]))
    noise = HeadNoise(settings, phantom.brain, spacing, len(motion), rng)
    thermal = np.float32(intensity * np.sqrt(settings["thermal"]) / settings["tsnr"])
    rest = phantom.epi.ravel() * np.float32(intensity)
    head, inverse = rest.copy(), np.linalg.inv(phantom.affine)
    count = int(np.prod(view.shape))
    for start in range(0, len(motion), block):
        stop = min(start + block, len(motion))
        volumes = np.empty((stop - start, count), np.float32)
        for volume in range(start, stop):
            head[noise.inside] = rest[noise.inside] * (1 + noise.step(volume))
            head[phantom.voxels] += rest[phantom.voxels] * (changes[volume] / 100)
            seen = apply_affine(inverse @ np.linalg.inv(motion[volume]), view.points)
            values = _sample(head.reshape(phantom.epi.shape), seen) * view.field
            volumes[volume - start] = _magnitude(values, view.voxels, count, thermal, rng)
        yield volumes.T.reshape((*view.shape, stop - start), order="F")


def response_courses(onsets: np.ndarray, duration: float, volumes: int, tr: float) -> np.ndarray:
    """Time course of each trial's response: the canonical HRF of SPM, 1 at the peak of a trial by itself.

    Parameters
    ----------
    onsets : ndarray, shape (trial,)
        Seconds.
    duration : float
        Of a trial, seconds.
    volumes : int
    tr : float
        Repetition time, seconds.

    Returns
    -------
    ndarray, shape (volume, trial)
    """
    alone = _regressor(0.0, duration, np.arange(0, 30, 0.1))
    times = np.arange(volumes) * tr
    return np.stack([_regressor(onset, duration, times) for onset in onsets], axis=1) / alone.max()


def _regressor(onset: float, duration: float, times: np.ndarray) -> np.ndarray:
    return compute_regressor(np.array([[onset], [duration], [1.0]]), "spm", times)[0][:, 0]


def _near_head(phantom: Phantom, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Voxels that any of the head, moved by a few mm, can reach."""
    reach = int(np.ceil(_REACH_MM / abs(phantom.affine[0, 0])))
    near = ndimage.maximum_filter(phantom.epi > _SEEN, size=2 * reach + 1).astype(np.float32)
    voxels = apply_affine(np.linalg.inv(phantom.affine) @ affine, np.indices(shape).reshape(3, -1).astype(float))
    return ndimage.map_coordinates(near, voxels, order=1, mode="constant").reshape(shape) > 0


def _sample(head: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(head, nodes, order=3, prefilter=False, mode="constant", output=np.float32)


def _magnitude(
    values: np.ndarray, voxels: np.ndarray, count: int, thermal: np.float32, rng: np.random.Generator
) -> np.ndarray:
    """Magnitude of the complex signal: Rician where there is signal, Rayleigh in air."""
    real = thermal * rng.standard_normal(count, dtype=np.float32)
    imaginary = thermal * rng.standard_normal(count, dtype=np.float32)
    real[voxels] += values
    return np.sqrt(real * real + imaginary * imaginary)
