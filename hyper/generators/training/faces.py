"""Images to train on: drawn by `hyper draw`, or a folder of pictures."""

import logging
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hyper.errors import DataError
from hyper.io.pictures import SUFFIXES, read_picture

_log = logging.getLogger(__name__)
_MEND = "Give a file written by `hyper draw`, or a folder of square pictures of one size"


@dataclass(frozen=True)
class Faces:
    """Images in memory.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, 3, size, size)
    latents : ndarray of float32, shape (n, latent), or None
        Of each image, where they are known.
    """

    images: np.ndarray
    latents: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.images)

    def split(self, held_out: int) -> tuple["Faces", "Faces"]:
        """Return all but the last `held_out` images, and those."""
        cut = len(self) - held_out
        z = self.latents
        return (
            Faces(self.images[:cut], None if z is None else z[:cut]),
            Faces(self.images[cut:], None if z is None else z[cut:]),
        )

    def tensor(self, index: np.ndarray, size: int, mirrored: np.ndarray | None = None) -> Tensor:
        """Return images in [-1, 1], averaged down to `size`, shape (n, 3, size, size).

        Parameters
        ----------
        index : ndarray of int, shape (n,)
        size : int
            Divides the size of the stored images.
        mirrored : ndarray of bool, shape (n,), optional
            Images turned left to right.
        """
        chosen = torch.from_numpy(self.images[index]).float()
        if mirrored is not None:
            chosen[torch.from_numpy(mirrored)] = chosen[torch.from_numpy(mirrored)].flip(3)
        return functional.avg_pool2d(chosen, chosen.shape[-1] // size) / 127.5 - 1


def faded(images: Tensor, fade: float) -> Tensor:
    """Blend images with their own coarser version, as the generator's are while a level is faded in."""
    if fade >= 1:
        return images
    coarse = functional.interpolate(functional.avg_pool2d(images, 2), scale_factor=2.0)
    return torch.lerp(coarse, images, fade)


def read_faces(path: str | Path, size: int) -> Faces:
    """Read images, averaged down to `size` x `size`.

    Parameters
    ----------
    path : str or Path
        HDF5 file with ``images`` (n, height, width, 3) uint8 and, if known, ``latents`` (n, latent); or a folder of
        pictures, read in the order of their names.
    size : int

    Raises
    ------
    DataError
        When there are none, they are not square, differ in size, or their size is no multiple of `size`.
    """
    path = Path(path)
    if path.is_dir():
        return Faces(_read_folder(path, size))
    if not path.is_file():
        raise DataError(path, "there is no such file or folder", _MEND)
    try:
        with h5py.File(path) as file:
            stored = file["images"]
            _check(path, stored.shape[1:], stored.dtype, size)
            parts = [_averaged(stored[at : at + 512], size) for at in range(0, len(stored), 512)]
            latents = np.asarray(file["latents"], np.float32) if "latents" in file else None
    except (OSError, KeyError) as fault:
        raise DataError(path, f"it holds no images ({fault})", _MEND) from fault
    images = np.concatenate(parts)
    if latents is not None and (latents.ndim != 2 or len(latents) != len(images) or not np.isfinite(latents).all()):
        raise DataError(path, f"its latents {latents.shape} do not fit its {len(images)} images", _MEND)
    return Faces(images, latents)


def _read_folder(folder: Path, size: int) -> np.ndarray:
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES)
    if not files:
        raise DataError(folder, "it holds no pictures", _MEND)
    images = np.empty((len(files), 3, size, size), np.uint8)
    for number, file in enumerate(files):
        pixels = read_picture(file)
        _check(file, pixels.shape, pixels.dtype, size)
        images[number] = _averaged(pixels[None], size)[0]
    return images


def _check(path: Path, shape: tuple[int, ...], dtype: np.dtype, size: int) -> None:
    height, width, *colours = shape if len(shape) == 3 else (0, 0, 0)
    if dtype != np.uint8 or colours != [3] or height != width or height < size or height % size:
        raise DataError(
            path,
            f"{dtype} {' x '.join(map(str, shape))} is no square 8-bit RGB image of a multiple of {size} pixels",
            _MEND,
        )


def _averaged(images: np.ndarray, size: int) -> np.ndarray:
    """Average (n, height, width, 3) down to (n, 3, size, size) uint8."""
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float()
    return torch.round(functional.avg_pool2d(pixels, pixels.shape[-1] // size)).to(torch.uint8).numpy()
