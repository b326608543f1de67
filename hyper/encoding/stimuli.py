"""The stimuli of a study: their latents, and their images, as files or as the generator makes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyper.encoding.pictures import check_size, find_pictures
from hyper.errors import DataError
from hyper.generators.base import Generator, rounded_uint8
from hyper.generators.batches import generate
from hyper.io.arrays import read_arrays
from hyper.io.pictures import read_picture

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


def images_of_folder(folder: str | Path, names: Sequence[str]) -> Iterator[np.ndarray]:
    """Yield the images of stimuli, named as they are, in blocks of 16.

    Parameters
    ----------
    folder : path
    names : sequence of str
        As of `find_pictures`.

    Yields
    ------
    ndarray of uint8, shape (n, height, width, 3)

    Raises
    ------
    DataError
        When an image is missing, there are two of one name, one cannot be read, or sizes differ.
    """
    paths = find_pictures(folder, names)
    size = None
    for start in range(0, len(names), _BATCH):
        block = []
        for path in paths[start : start + _BATCH]:
            image = read_picture(path)
            height, width = image.shape[:2]
            size = size or (width, height)
            check_size(path, (width, height), size)
            block.append(image)
        yield np.stack(block)


def images_of_generator(generator: Generator, latents: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the images that a generator makes of latents, uint8, shape (n, height, width, 3)."""
    return map(rounded_uint8, generate(generator, latents))
