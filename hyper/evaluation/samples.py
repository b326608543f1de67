"""Labelled samples of a generator: drawn and looked at, or read from a table."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from hyper.errors import DataError
from hyper.evaluation.face_labels import ATTRIBUTES, THRESHOLDS, Labeller
from hyper.generators.base import Generator, check_normal_latents
from hyper.generators.batches import images_uint8
from hyper.generators.cropped import Cropped
from hyper.io.seeds import generator_of
from hyper.io.tables import read_table, write_table

SEEN = 256  # pixels, of a face as it is looked at
_CHUNK = 32
_log = logging.getLogger(__name__)


def draw_latents(latent_dim: int, count: int, seed: int) -> np.ndarray:
    """Draw latents from N(0, I), single precision, shape (count, latent); the first do not depend on the count."""
    return generator_of(seed, "boundaries").standard_normal((count, latent_dim)).astype(np.float32)


def label_samples(generator: Generator, latents: np.ndarray, labeller: Labeller) -> np.ndarray:
    """Make the images of latents, shrunken or enlarged to 256 pixels, and label them; progress is logged.

    Parameters
    ----------
    generator : Generator
    latents : ndarray, shape (n, latent)
    labeller : callable
        From `hyper.evaluation.face_labels.load_labeller`.

    Returns
    -------
    ndarray, shape (n, attribute)
        Missing where no face was found.

    Raises
    ------
    GeneratorError
        When the generator's latents are not normal.
    """
    check_normal_latents(generator)
    width = generator.layers[-1].shape[-1] if generator.layers[-1].name == "image" else 0
    seen = Cropped(generator, SEEN) if width > SEEN and width % SEEN == 0 else generator
    scores = []
    for start in range(0, len(latents), _CHUNK):
        images = images_uint8(seen, latents[start : start + _CHUNK])
        scores.append(labeller(np.stack([_resized(image) for image in images])))
        _log.info("%d of %d faces", start + len(images), len(latents))
    return np.concatenate(scores)


def _resized(image: np.ndarray) -> np.ndarray:
    if image.shape[:2] == (SEEN, SEEN):
        return image
    return np.asarray(Image.fromarray(image).resize((SEEN, SEEN), Image.Resampling.BICUBIC))


def write_labels(path: str | Path, scores: np.ndarray) -> None:
    """Write scores, shape (n, attribute), as the table that `read_labels` reads, so that they can be corrected."""
    table = pd.DataFrame(scores.round(4), columns=list(ATTRIBUTES))
    table.insert(0, "sample", np.arange(len(scores)))
    write_table(path, table)


def read_labels(path: str | Path, count: int) -> tuple[list[str], np.ndarray]:
    """Read a table of labels: the column ``sample``, from 0, and one column of numbers per attribute.

    Parameters
    ----------
    path : str or Path
        TSV. A sample may be absent, and a cell n/a.
    count : int
        Latents that it may speak of.

    Returns
    -------
    names : list of str
    scores : ndarray, shape (count, attribute)

    Raises
    ------
    DataError
        When a column is missing or holds words, or a sample does not exist or is named twice.
    """
    table = read_table(path)
    names = [name for name in table.columns if name != "sample"]
    mend = "Give a column `sample` (row of the latents, from 0) and a column of numbers per attribute"
    if "sample" not in table or not names:
        raise DataError(path, f"it has the columns {', '.join(map(str, table.columns))}", mend)
    try:
        rows, values = table["sample"].to_numpy(float), table[names].to_numpy(float)
    except ValueError as fault:
        raise DataError(path, f"it holds words where numbers are due ({fault})", mend) from None
    whole = np.isfinite(rows) & (rows == np.floor(rows)) & (rows >= 0) & (rows < count)
    if not whole.all() or len(set(rows)) < len(rows):
        found = f"its samples are not different whole numbers from 0 to {count - 1}"
        raise DataError(path, found, "Give the latents that the table is about, or as many --samples as it has")
    scores = np.full((count, len(names)), np.nan)
    scores[rows.astype(int)] = values
    return names, scores


def binary_labels(scores: np.ndarray, names: list[str], thresholds: dict[str, float] | None = None) -> np.ndarray:
    """Divide scores into with (1) and without (0); missing ones stay missing.

    An attribute of two values is divided between them, any other at its threshold or else at its median.

    Parameters
    ----------
    scores : ndarray, shape (n, attribute)
    names : list of str
    thresholds : dict, optional
        `THRESHOLDS` of `hyper.evaluation.face_labels` when not given.
    """
    thresholds = THRESHOLDS if thresholds is None else thresholds
    labels = np.full(scores.shape, np.nan)
    for column, name in enumerate(names):
        known = np.isfinite(scores[:, column])
        own = scores[known, column]
        values = np.unique(own)
        if len(values) == 2:
            threshold = float(values.mean())
        elif len(values) > 2:
            threshold = float(thresholds.get(name, np.median(own)))
        else:
            continue
        labels[known, column] = own > threshold
    return labels
