"""The stimuli of a study: their latents, and their images, as files or as the generator makes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from hyper.errors import DataError
from hyper.generators.base import Generator, rounded_uint8
from hyper.generators.batches import generate
from hyper.io.arrays import read_arrays

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
_BATCH = 16


@dataclass(frozen=True)
class Stimuli:
    """All stimuli of a study, each once.

    Attributes
    ----------
    names : list of str
    latents : ndarray, shape (stimulus, latent)
    """

    names: list[str]
    latents: np.ndarray

    def rows(self, shown: Sequence[str] | np.ndarray) -> np.ndarray:
        """Row of each stimulus that was shown."""
        row = {name: place for place, name in enumerate(self.names)}
        return np.array([row[str(name)] for name in shown])


def gather_stimuli(responses: Sequence[str | Path]) -> Stimuli:
    """Gather the stimuli of all subjects, in the order of their names.

    Parameters
    ----------
    responses : sequence of path
        Response matrices, with the datasets ``train_stimuli``, ``test_stimuli``, ``train_latents``, ``test_latents``.

    Raises
    ------
    DataError
        When one stimulus has two latents.
    """
    found: dict[str, np.ndarray] = {}
    for path in responses:
        wanted = [f"{part}_{kind}" for part in ("train", "test") for kind in ("stimuli", "latents")]
        arrays = read_arrays(path, wanted)[0]
        for part in ("train", "test"):
            for name, latent in zip(arrays[f"{part}_stimuli"], arrays[f"{part}_latents"], strict=True):
                known = found.setdefault(str(name), latent)
                if not np.array_equal(known, latent):
                    fault = f"the latents of stimulus {name} are not those of another trial or subject"
                    raise DataError(path, fault, "Give every stimulus one name of its own")
    names = sorted(found)
    return Stimuli(names, np.stack([found[name] for name in names]))


def paths_of_images(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """Find the image of each stimulus.

    Parameters
    ----------
    folder : path
        Searched with its subfolders.
    names : sequence of str
        Of files without suffix; ``train-0001`` is also ``0001`` in a folder ``train``.

    Raises
    ------
    DataError
        When an image is missing, or there are two of one name.
    """
    wanted = set(names)
    paths: dict[str, Path] = {}
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        for name in {path.stem, f"{path.parent.name}-{path.stem}"} & wanted:
            if name in paths:
                raise DataError(path, f"{paths[name]} has the same name", "Keep one of them")
            paths[name] = path
    missing = [name for name in names if name not in paths]
    if missing:
        fault = f"it has no image of stimulus {missing[0]} ({len(missing)} are missing)"
        raise DataError(folder, fault, "Name each image as its stimulus, or set encoding.images: generated")
    return [paths[name] for name in names]


def images_of_folder(folder: str | Path, names: Sequence[str]) -> Iterator[np.ndarray]:
    """Yield the images of stimuli, named as they are, in blocks of 16.

    Parameters
    ----------
    folder : path
    names : sequence of str
        As of `paths_of_images`.

    Yields
    ------
    ndarray of uint8, shape (n, height, width, 3)

    Raises
    ------
    DataError
        When an image is missing, there are two of one name, one cannot be read, or sizes differ.
    """
    paths = dict(zip(names, paths_of_images(folder, names), strict=True))
    size = None
    for start in range(0, len(names), _BATCH):
        block = [_read_image(paths[name]) for name in names[start : start + _BATCH]]
        for name, image in zip(names[start:], block, strict=False):
            size = size or image.shape
            if image.shape != size:
                fault = f"it is {image.shape[1]} x {image.shape[0]} pixels where others are {size[1]} x {size[0]}"
                raise DataError(paths[name], fault, "Resize the images alike")
        yield np.stack(block)


def _read_image(path: Path) -> np.ndarray:
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (UnidentifiedImageError, OSError) as fault:
        raise DataError(path, f"it cannot be read as an image ({fault})", "Fetch it again") from fault


def images_of_generator(generator: Generator, latents: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the images that a generator makes of latents, uint8, shape (n, height, width, 3)."""
    return map(rounded_uint8, generate(generator, latents))
