"""Images of true and decoded latents, written side by side and one by one."""

from pathlib import Path

import numpy as np
from PIL import Image

from hyper.io.arrays import write_arrays
from hyper.io.atomic import atomic_path


def write_images(path: str | Path, stimulus: np.ndarray, reconstruction: np.ndarray, stimuli: np.ndarray) -> None:
    """Write the images of the true and of the decoded latents.

    Parameters
    ----------
    path : str or Path
    stimulus, reconstruction : ndarray of uint8, shape (stimulus, height, width, 3)
    stimuli : ndarray of str, shape (stimulus,)
    """
    dimensions = ("stimulus", "row", "column", "rgb")
    arrays = {
        "stimulus": (stimulus, dimensions),
        "reconstruction": (reconstruction, dimensions),
        "stimuli": (stimuli, ("stimulus",)),
    }
    write_arrays(path, arrays)


def write_reconstructions(
    path: str | Path, folder: str | Path, stimulus: np.ndarray, reconstruction: np.ndarray, stimuli: np.ndarray
) -> None:
    """Write `write_images` to a path and the reconstructions, one by one, into a folder."""
    write_images(path, stimulus, reconstruction, stimuli)
    write_pngs(folder, reconstruction, stimuli)


def write_interpolations(path: str | Path, images: np.ndarray, stimuli: np.ndarray) -> None:
    """Write images on the way from the decoded latents, step 0, to the true ones, the last step.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8, shape (stimulus, step, height, width, 3)
    stimuli : ndarray of str, shape (stimulus,)
    """
    arrays = {"images": (images, ("stimulus", "step", "row", "column", "rgb")), "stimuli": (stimuli, ("stimulus",))}
    write_arrays(path, arrays)


def write_pngs(folder: str | Path, images: np.ndarray, names: np.ndarray) -> None:
    """Write each image as ``<name>.png``.

    Parameters
    ----------
    folder : str or Path
    images : ndarray of uint8, shape (n, height, width, 3)
    names : ndarray of str, shape (n,)
    """
    for name, image in zip(names, images, strict=True):
        with atomic_path(Path(folder) / f"{name}.png") as temporary:
            Image.fromarray(image).save(temporary, format="png")
