"""The T1-weighted image of a simulated person."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine
from hyper.simulation.anatomy import Anatomy
from hyper.simulation.head import Head
from hyper.simulation.smooth import polynomial_field

_SCALE = 900.0


def grid_around(head: Head, anatomy: Anatomy, voxel: float, margin: float = 8.0) -> tuple[tuple[int, ...], np.ndarray]:
    """Return shape and affine of an upright grid around a person's head at rest.

    Parameters
    ----------
    head : Head
    anatomy : Anatomy
    voxel : float
        Voxel size, mm.
    margin : float
        Air on every side, mm.
    """
    corners = anatomy.to_subject(head.bounds())
    low, high = corners.min(axis=1) - margin, corners.max(axis=1) + margin
    affine = np.diag([voxel] * 3 + [1.0])
    affine[:3, 3] = low
    return tuple(int(n) for n in np.ceil((high - low) / voxel) + 1), affine


def t1w_image(
    head: Head, anatomy: Anatomy, settings: Mapping[str, Any], seed: int, subject: str
) -> tuple[np.ndarray, np.ndarray]:
    """Make the T1-weighted image: tissues, bias field, Rician noise.

    Parameters
    ----------
    head : Head
    anatomy : Anatomy
    settings : mapping
        Settings simulation.anatomy: t1w_voxel, t1w_bias, t1w_noise.
    seed : int
        The study's seed.
    subject : str
        Label.

    Returns
    -------
    data : ndarray, shape (x, y, z), int16
    affine : ndarray, shape (4, 4)
    """
    rng = generator_of(seed, "simulation", "t1w", subject)
    shape, affine = grid_around(head, anatomy, settings["t1w_voxel"])
    image = np.empty(shape, np.int16)
    centre = apply_affine(affine, (np.array(shape)[:, None] - 1) / 2)[:, 0]
    field = polynomial_field(settings["t1w_bias"], rng)
    for start in range(0, shape[2], 32):
        stop = min(start + 32, shape[2])
        slab = affine.copy()
        slab[:3, 3] = (affine @ np.array([0, 0, start, 1.0]))[:3]
        part = (*shape[:2], stop - start)
        signal = head.t1(anatomy.to_template_on_grid(part, slab)) * field(part, slab, centre).ravel()
        noise = rng.standard_normal((2, signal.size), dtype=np.float32) * settings["t1w_noise"]
        magnitude = np.hypot(signal + noise[0], noise[1])
        image[..., start:stop] = np.rint(np.clip(_SCALE * magnitude, 0, 32000)).reshape(part)
    return image, affine
