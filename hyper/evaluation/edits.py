"""One face moved along directions in latent space."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hyper.evaluation.attributes import Directions
from hyper.generators.base import Generator
from hyper.generators.batches import images_uint8
from hyper.io.arrays import write_arrays
from hyper.io.seeds import generator_of


def edited_latents(directions: Directions, start: np.ndarray, reach: float, steps: int) -> np.ndarray:
    """Move a face along each direction.

    Parameters
    ----------
    directions : Directions
    start : ndarray, shape (latent,)
    reach : float
        Distance to either side, standard deviations of N(0, I).
    steps : int
        Faces along each direction; of an odd number the middle one is the start.

    Returns
    -------
    ndarray, shape (direction, step, latent)
    """
    distances = np.linspace(-reach, reach, steps)
    return start + distances[None, :, None] * directions.normals[:, None]


def neutral_face(normals: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a latent from N(0, I) and take out its scores on the directions; its length is that of a usual draw.

    Parameters
    ----------
    normals : ndarray, shape (direction, latent)
    rng : Generator

    Returns
    -------
    ndarray, shape (latent,)
    """
    latent = np.asarray(rng.standard_normal(normals.shape[1]))
    _, sizes, axes = np.linalg.svd(normals, full_matrices=False)
    axes = axes[sizes > 1e-6 * sizes.max()]
    rest = latent - axes.T @ (axes @ latent)
    length = float(np.linalg.norm(rest))
    return rest * np.sqrt(len(latent)) / length if length > 0 else latent


def edited_images(generator: Generator, directions: Directions, reach: float, steps: int, seed: int) -> np.ndarray:
    """Make the images of a neutral face moved along each direction, uint8 (direction, step, height, width, 3).

    Raises
    ------
    GeneratorError
        When the directions are not of the size of the generator's latents.
    """
    start = neutral_face(directions.normals, generator_of(seed, "edit"))
    latents = edited_latents(directions, start, reach, steps)
    images = images_uint8(generator, latents.reshape(-1, latents.shape[-1]))
    return images.reshape(*latents.shape[:2], *images.shape[1:])


def write_edits(path: str | Path, sets: Sequence[Directions], images: Sequence[np.ndarray], reach: float) -> None:
    """Write the edited images of several sets of directions.

    Parameters
    ----------
    path : str or Path
    sets : sequence of Directions
    images : sequence of ndarray of uint8, shape (direction, step, height, width, 3)
        One per set.
    reach : float
        Distance of the outermost faces, for the attributes of the file.
    """
    dimensions = ("direction", "step", "row", "column", "colour")
    arrays = {
        "images": (np.concatenate(images), dimensions),
        "names": (np.array([name for kind in sets for name in kind.names]), ("direction",)),
        "sets": (np.array([kind.kind for kind in sets for _ in kind.names]), ("direction",)),
    }
    write_arrays(path, arrays, {"reach": reach})
