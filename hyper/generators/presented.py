"""Pictures as they are shown: cropped, resized, with a fixation target."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from hyper.io.atomic import atomic_path

_GREY = 128


def image_name(number: int) -> str:
    """Name of an image relative to the folder of stimuli: ``images/0037.jpg``."""
    return f"images/{number:04d}.jpg"


def present(picture: np.ndarray, size: int, target: np.ndarray) -> np.ndarray:
    """Crop a picture to its central square, resize it, and superimpose the fixation target.

    Parameters
    ----------
    picture : ndarray, shape (height, width, 3), uint8
    size : int
        Edge of the result, pixels.
    target : ndarray, shape (size, size)
        From `fixation_target`.

    Returns
    -------
    ndarray, shape (size, size, 3), uint8
    """
    height, width = picture.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    square = Image.fromarray(picture[top : top + edge, left : left + edge])
    shown = np.array(square.resize((size, size), Image.Resampling.BICUBIC), np.float64)
    known = np.isfinite(target)
    shown[known] = target[known][:, None]
    return np.rint(shown).astype(np.uint8)


def blank(size: int, target: np.ndarray) -> np.ndarray:
    """Picture of a null trial: grey with the fixation target."""
    return present(np.full((size, size, 3), _GREY, np.uint8), size, target)


def fixation_target(size: int, diameter: float) -> np.ndarray:
    """Combination of bull's eye and cross hair.

    The shape on which people fixate most stably in Thaler et al. (2013), Vision Research 76, 31.

    Parameters
    ----------
    size : int
        Edge of the picture, pixels.
    diameter : float
        Of the target, pixels; none when 0.

    Returns
    -------
    ndarray, shape (size, size)
        Grey values where the target is, NaN elsewhere.
    """
    axis = np.arange(size) - (size - 1) / 2
    x, y = np.meshgrid(axis, axis)
    radius, bar = np.hypot(x, y), max(diameter / 6, 0.75)
    target = np.full((size, size), np.nan)
    if diameter <= 0:
        return target
    target[radius <= diameter / 2] = 0
    target[(radius <= diameter / 2) & ((np.abs(x) <= bar) | (np.abs(y) <= bar))] = 255
    target[radius <= bar] = 0
    return target


def write_images(
    folder: str | Path, batches: Iterable[np.ndarray], size: int, diameter: float, quality: int = 95
) -> int:
    """Write ``0000.jpg``, the null image, and one JPEG per picture, counted from ``0001.jpg``.

    Parameters
    ----------
    folder : str or Path
        The folder ``images``.
    batches : iterable of ndarray, shape (n, height, width, 3), uint8
        Pictures in the order of their latents.
    size : int
        Edge of the pictures, pixels.
    diameter : float
        Of the fixation target, pixels.
    quality : int
        JPEG quality.

    Returns
    -------
    int
        Number of pictures, the null image not counted.
    """
    target = fixation_target(size, diameter)
    _write_jpeg(folder, 0, blank(size, target), quality)
    number = 0
    for batch in batches:
        for picture in batch:
            number += 1
            _write_jpeg(folder, number, present(picture, size, target), quality)
    return number


def _write_jpeg(folder: str | Path, number: int, picture: np.ndarray, quality: int) -> None:
    with atomic_path(Path(folder) / Path(image_name(number)).name) as temporary:
        Image.fromarray(picture).save(temporary, "JPEG", quality=quality, subsampling=0)
