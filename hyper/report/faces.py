"""What was seen above what was reconstructed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from hyper.errors import DataError
from hyper.io.arrays import read_arrays
from hyper.report.names import number, predictor_label
from hyper.report.style import INK, MUTED, WIDTH, styled

SHOWN = 384  # pixels, of a picture's longer side in print


@dataclass(frozen=True)
class FaceRow:
    """One decoder's reconstructions of a subject's test stimuli.

    Attributes
    ----------
    decoder : str
    ids : list of str
        Test stimuli.
    stimuli, reconstructions : ndarray of uint8, shape (stimulus, height, width, 3)
        At most 384 pixels high and wide; the stimuli are shared by all rows.
    cosines : ndarray, shape (stimulus,)
        Cosine of true and decoded latent; missing where no latent of the generator was decoded.
    """

    decoder: str
    ids: list[str]
    stimuli: np.ndarray
    reconstructions: np.ndarray
    cosines: np.ndarray


def read_faces(
    images: Sequence[str | Path], latents: Sequence[str | Path | None], decoders: Sequence[str], most: int | None = None
) -> list[FaceRow]:
    """Read the reconstructions of one subject.

    Parameters
    ----------
    images : sequence of path
        images.h5 of each decoder: ``stimulus``, ``reconstruction`` and ``stimuli``.
    latents : sequence of path
        latents.h5 of each decoder: ``true``, ``decoded``, ``stimuli``. None for a baseline, which has images alone.
    decoders : sequence of str
        Parallel to both.
    most : int, optional
        Number of stimuli to keep.

    Raises
    ------
    DataError
        When a decoder has images of other stimuli than its latents, or other stimuli than the first.
    """
    rows: list[FaceRow] = []
    for image_file, latent_file, decoder in zip(images, latents, decoders, strict=True):
        ids = [str(name) for name in read_arrays(image_file, ["stimuli"])[0]["stimuli"]]
        if rows and ids[:most] != rows[0].ids:
            raise DataError(image_file, f"its stimuli differ from those of {decoders[0]}", "Decode again")
        cosines = np.full(len(ids), np.nan) if latent_file is None else _cosines(latent_file, image_file, ids)
        stimuli = rows[0].stimuli if rows else pictures(image_file, "stimulus", most)
        made = pictures(image_file, "reconstruction", most)
        rows.append(FaceRow(decoder, ids[:most], stimuli, made, cosines[:most]))
    return rows


def _cosines(latent_file: str | Path, image_file: str | Path, ids: list[str]) -> np.ndarray:
    """Cosines of the latents of these stimuli."""
    vectors, _ = read_arrays(latent_file, ["true", "decoded", "stimuli"])
    if ids != [str(name) for name in vectors["stimuli"]]:
        raise DataError(image_file, f"it holds other stimuli than the {len(ids)} of {latent_file}", "Decode again")
    return cosine(vectors["true"], vectors["decoded"])


def pictures(path: str | Path, name: str, most: int | None = None) -> np.ndarray:
    """Pictures of images.h5 no larger than they are shown: those of 1024 x 1024 pixels would take 3 MB each."""
    found = read_arrays(path, [name], most)[0][name]
    size = tuple(min(SHOWN, edge) for edge in found.shape[1:3])
    if size == found.shape[1:3]:
        return found
    shrunk = (Image.fromarray(picture).resize(size[::-1], Image.Resampling.LANCZOS) for picture in found)
    return np.stack([np.asarray(picture) for picture in shrunk])


def cosine(true: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """Cosine of each pair of rows; missing where a row is zero."""
    lengths = np.linalg.norm(true, axis=1) * np.linalg.norm(decoded, axis=1)
    products = np.einsum("ij,ij->i", true, decoded).astype(float)
    return np.divide(products, lengths, out=np.full(len(true), np.nan), where=lengths > 0)


def draw_faces(rows: Sequence[FaceRow], columns: int = 12) -> Figure:
    """Draw the stimuli and below them one row of reconstructions per decoder, `columns` stimuli side by side.

    Parameters
    ----------
    rows : sequence of FaceRow
        From `read_faces`.
    columns : int
        Stimuli side by side; more begin a new block.
    """
    ids = rows[0].ids
    columns = min(columns, len(ids))
    blocks = -(-len(ids) // columns)
    margin, gap, text = 0.85, 0.22, 0.17
    size = (WIDTH - margin) / max(columns, 6)
    block_height = (len(rows) + 1) * (size + text)
    height = blocks * block_height + (blocks - 1) * gap + 0.12
    width = margin + columns * size
    with styled():
        figure = plt.figure(figsize=(width, height))
        for place, name in enumerate(ids):
            block, column = divmod(place, columns)
            top = height - 0.06 - block * (block_height + gap)
            for line in range(len(rows) + 1):
                picture = rows[0].stimuli[place] if line == 0 else rows[line - 1].reconstructions[place]
                label = name if line == 0 else cosine_label(rows[line - 1].cosines[place])
                left, bottom = margin + column * size, top - line * (size + text) - size
                draw_picture(figure, picture, (left, bottom, size), label, line == 0)
        for block in range(blocks):
            top = height - 0.06 - block * (block_height + gap)
            for line, label in enumerate(["Stimulus", *(predictor_label(row.decoder) for row in rows)]):
                middle = (top - line * (size + text) - size / 2) / height
                weight = "bold" if line == 0 else "normal"
                figure.text((margin - 0.1) / width, middle, folded(label), ha="right", va="center", weight=weight)
    return figure


def cosine_label(value: float) -> str:
    """A cosine in print; nothing where there is none."""
    return number(value, 2) if np.isfinite(value) else ""


def draw_picture(figure: Figure, picture: np.ndarray, box: tuple[float, float, float], label: str, seen: bool) -> None:
    """Draw one face into `box` (left, bottom, size; inches) with its label underneath."""
    left, bottom, size = box
    width, height = figure.get_size_inches()
    inset = 0.03
    side = size - 2 * inset
    axes = figure.add_axes(((left + inset) / width, (bottom + inset) / height, side / width, side / height))
    axes.imshow(picture, interpolation="antialiased")
    axes.set_axis_off()
    middle = (left + size / 2) / width
    colour = INK if seen else MUTED
    figure.text(middle, (bottom + 0.01) / height, label, ha="center", va="top", fontsize=6, color=colour)


def folded(label: str, width: int = 13) -> str:
    """Break a label into lines that fit the margin."""
    lines = [""]
    for word in label.split():
        word = word if len(word) <= width else word[: width - 1] + "…"
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if len(lines[-1]) + len(word) < width else [*lines, word]
    return "\n".join(line for line in lines if line)
