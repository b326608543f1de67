"""Draw images at random from a generator, cropped and shrunken, for another network to learn from."""

import hashlib
import logging
from importlib.metadata import version
from pathlib import Path

import h5py
import numpy as np

from hyper.errors import GeneratorError
from hyper.generators.base import Generator, check_normal_latents, rounded_uint8
from hyper.generators.batches import generate
from hyper.generators.cropped import Crop, Cropped
from hyper.generators.read_off import ReadOff
from hyper.io.atomic import atomic_path
from hyper.io.seeds import generator_of

_CHUNK = 64  # latents drawn at a time
_log = logging.getLogger(__name__)


def draw_images(
    spec: str,
    generator: Generator,
    count: int,
    path: str | Path,
    size: int = 64,
    crop: Crop | None = None,
    seed: int = 0,
    batch: int | None = None,
    read_off: str | None = None,
    fit: int = 512,
) -> None:
    """Write images of latents drawn from N(0, I), and the latents.

    The HDF5 file holds ``images`` (image, row, column, colour), uint8, clip(rint(127.5 x + 127.5)) of the mean over
    squares of pixels; ``latents`` (image, latent), float32; and as attributes the generator, seed, crop and version.
    The first images do not depend on the count. Progress is logged.

    Parameters
    ----------
    spec : str
        Name or path of the generator, for the attributes.
    generator : Generator
    count : int
        Number of images.
    path : str or Path
    size : int
        Edge of the images, pixels.
    crop : tuple of int, optional
        Left, top, right and bottom of a square of the generator's images; the whole image when not given.
    seed : int
    batch : int, optional
        Images made at a time; as many as fit when not given.
    read_off : str, optional
        Layer that the images are read off instead of being computed in full (`ReadOff`).
    fit : int
        Images made in full for that.

    Raises
    ------
    GeneratorError
        When the count or the size is not positive, the crop does not fit, or the generator's latents are not normal.
    """
    check_normal_latents(generator)
    if count < 1 or size < 1:
        raise GeneratorError("draw", f"{count} images of {size} pixels cannot be made", "Give numbers of 1 or more")
    exact = Cropped(generator, size, crop)
    small: Generator = exact
    attributes = {**origin_of(spec), "seed": seed, "version": version("hyper")}
    if read_off:
        fitted = generator_of(seed, "draw", "fit").standard_normal((fit, generator.latent_dim)).astype(np.float32)
        small = ReadOff(exact, read_off, fitted)
        attributes |= {"read_off": read_off, "fitted_to": fit, "explained": small.explained}
    rng = generator_of(seed, "draw")
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        images = file.create_dataset("images", (count, size, size, 3), np.uint8)
        latents = file.create_dataset("latents", (count, generator.latent_dim), np.float32)
        _label(images, ("image", "row", "column", "colour"))
        _label(latents, ("image", "latent"))
        done = 0
        while done < count:
            z = rng.standard_normal((min(_CHUNK, count - done), generator.latent_dim)).astype(np.float32)
            latents[done : done + len(z)] = z
            for block in generate(small, z, batch=batch):
                images[done : done + len(block)] = rounded_uint8(block)
                done += len(block)
            _log.info("%d of %d images", done, count)
        file.attrs.update({**attributes, "crop": crop or (0, 0, *_size(generator))})


def _size(generator: Generator) -> tuple[int, int]:
    """Width and height of the images."""
    _, height, width = generator.layers[-1].shape
    return width, height


def _label(dataset: h5py.Dataset, dimensions: tuple[str, ...]) -> None:
    for index, name in enumerate(dimensions):
        dataset.dims[index].label = name


def origin_of(spec: str) -> dict[str, str]:
    """Return the name of a generator; of a file its SHA-256 too, and no folder."""
    if not Path(spec).is_file():
        return {"generator": spec}
    with open(spec, "rb") as file:
        return {"generator": Path(spec).name, "generator_sha256": hashlib.file_digest(file, "sha256").hexdigest()}
