"""The stimuli of a study: their latents, and their images, as files or as the generator makes them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyper.errors import DataError, HyperError
from hyper.generators.base import Generator, rounded_uint8
from hyper.generators.batches import generate
from hyper.io.arrays import read_arrays
from hyper.io.pictures import SUFFIXES, examine_picture, read_picture

_BATCH = 16
_NAMED = 5  # pictures that cannot be used


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


def find_pictures(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """Find the picture of each stimulus.

    Parameters
    ----------
    folder : path
        Searched with its subfolders.
    names : sequence of str
        Of files without suffix; ``train-0001`` is also ``0001`` in a folder ``train``.

    Raises
    ------
    DataError
        When one is missing, or there are two of one name.
    """
    wanted, paths = set(names), dict[str, Path]()
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


def check_size(path: Path, size: tuple[int, int], others: tuple[int, int]) -> None:
    """Refuse a picture whose width and height (pixels) are not those of the others."""
    if size != others:
        fault = f"it is {size[0]} x {size[1]} pixels where others are {others[0]} x {others[1]}"
        raise DataError(path, fault, "Resize the images alike")


def find_picture_faults(folder: str | Path, names: Sequence[str]) -> tuple[list[HyperError], list[str]]:
    """Say what the headers show to be wrong with the pictures of stimuli, and how odd ones are understood.

    Returns
    -------
    faults : list of HyperError
        One of each picture that cannot be used, up to `_NAMED`.
    remarks : list of str
    """
    faults: list[HyperError] = []
    remarks: dict[str, list[Path]] = {}
    size = None
    try:
        paths = find_pictures(folder, names)
    except DataError as fault:
        return [fault], []
    for path in paths:
        try:
            width, height, remark = examine_picture(path)
            size = size or (width, height)
            check_size(path, (width, height), size)
        except DataError as fault:
            faults.append(fault)
            continue
        if remark:
            remarks.setdefault(remark, []).append(path)
    said = [f"{found[0]}: {remark}" + (f" ({len(found)} are)" if len(found) > 1 else "")
            for remark, found in remarks.items()]  # fmt: skip
    if len(faults) > _NAMED:
        rest = f"{len(faults) - _NAMED} more of its pictures cannot be used"
        faults = [*faults[:_NAMED], DataError(folder, rest, "Mend these, and the others will be named")]
    return faults, said


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
