"""The way from what was decoded to what was seen: drawn beside the attributes of both, and moving."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from PIL import Image, ImageDraw

from hyper.io.atomic import atomic_path
from hyper.report.attributes import attribute_label, named_first
from hyper.report.style import INK, MUTED, PALETTE, RULE, WIDTH, styled

SHOWN = 7  # images of a way side by side
_SEEN, _DECODED = PALETTE[5], PALETTE[0]
_LABELS, _BARS, _NAMES, _HEAD, _GAP = 0.3, 1.2, 0.62, 0.3, 0.03  # inches
_TILE, _FRAME, _HOLD = 128, 110, 900  # pixels, and milliseconds of a frame and of the ends


def draw_interpolations(images: np.ndarray, stimuli: np.ndarray, scores: pd.DataFrame | None = None) -> Figure:
    """Draw one row per stimulus: the attributes of both faces, and the way from the one decoded to the one seen.

    Parameters
    ----------
    images : ndarray of uint8, shape (stimulus, step, height, width, 3)
        Of more than seven steps, seven are drawn, evenly spaced, both ends among them.
    stimuli : ndarray of str, shape (stimulus,)
    scores : DataFrame, optional
        Of attribute_scores.tsv, the rows of the subject and decoder.
    """
    steps = np.rint(np.linspace(0, images.shape[1] - 1, min(SHOWN, images.shape[1]))).astype(int)
    images = images[:, steps]
    rows, columns = images.shape[:2]
    shown = named_first(scores) if scores is not None else pd.DataFrame()
    bars = _NAMES + _BARS + 0.15 if len(shown) else 0.0
    margin = _LABELS + bars
    size = (WIDTH - margin) / max(columns, 6)
    pitch = max(size, 0.72) if bars else size
    width, height = margin + columns * size, _HEAD + rows * pitch + (0.24 if bars else 0)
    with styled():
        figure = plt.figure(figsize=(width, height))
        for row in range(rows):
            middle = height - _HEAD - (row + 0.5) * pitch
            place = _LABELS / 2 / width, middle / height
            figure.text(*place, str(stimuli[row]), rotation=90, ha="center", va="center", color=MUTED)
            for column in range(columns):
                left, side = margin + column * size + _GAP, size - 2 * _GAP
                box = (left / width, (middle - side / 2) / height, side / width, side / height)
                axes = figure.add_axes(box)
                axes.imshow(images[row, column], interpolation="antialiased")
                axes.set_axis_off()
        if bars:
            _draw_attributes(figure, shown, stimuli, pitch)
        for label, column in (("Decoded", 0), ("Seen", columns - 1)):
            middle = (margin + (column + 0.5) * size) / width
            figure.text(middle, 1 - 0.5 * _HEAD / height, label, ha="center", va="center", weight="bold", color=INK)
    return figure


def _draw_attributes(figure: Figure, scores: pd.DataFrame, stimuli: np.ndarray, pitch: float) -> None:
    width, height = figure.get_size_inches()
    reach = 1.05 * max(1.0, float(np.nanmax(np.abs(scores[["true", "decoded"]].to_numpy(float)))))
    for row, name in enumerate(stimuli):
        bottom = height - _HEAD - (row + 1) * pitch + 0.05
        axes = figure.add_axes(
            ((_LABELS + _NAMES) / width, bottom / height, _BARS / width, (pitch - 0.1) / height), label=f"bars-{name}"
        )
        _draw_bars(axes, scores[scores["stimulus"] == str(name)])
        axes.set_xlim(-reach, reach)
        if row < len(stimuli) - 1:
            axes.tick_params(axis="x", labelbottom=False, length=0)
        else:
            axes.set_xlabel("score, SD of the latent", color=MUTED, fontsize=6, labelpad=1)
    handles = [Patch(color=_SEEN, label="seen"), Patch(color=_DECODED, label="decoded")]
    middle = (_LABELS + _NAMES + _BARS / 2) / width
    figure.legend(
        handles=handles, loc="center", bbox_to_anchor=(middle, 1 - 0.5 * _HEAD / height), ncols=2, handlelength=1,
        columnspacing=1, borderpad=0,
    )  # fmt: skip


def _draw_bars(axes: Axes, part: pd.DataFrame) -> None:
    """Two bars per attribute: the score of the face seen above that of the face decoded."""
    places = np.arange(len(part))
    axes.barh(places - 0.19, part["true"].to_numpy(float), height=0.36, color=_SEEN)
    axes.barh(places + 0.19, part["decoded"].to_numpy(float), height=0.36, color=_DECODED)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    axes.set_ylim(len(part) - 0.45, -0.55)
    axes.set_yticks(places, [attribute_label(name) for name in part["attribute"]], fontsize=6)
    axes.tick_params(axis="y", length=0, pad=2)
    axes.tick_params(axis="x", labelsize=6, pad=1.5, length=2)
    axes.grid(axis="x", color=RULE)
    axes.spines["left"].set_visible(False)


def write_animation(path: str | Path, images: np.ndarray) -> None:
    """Write a GIF that goes from the faces decoded to those seen and back, for ever; a bar below tells where it is.

    Parameters
    ----------
    path : str or Path
    images : ndarray of uint8, shape (stimulus, step, height, width, 3)
        Drawn side by side, each no larger than 128 pixels.
    """
    steps = images.shape[1]
    forth = [_frame(images[:, step], step / (steps - 1)) for step in range(steps)]
    frames = [*forth, *forth[-2:0:-1]]
    times = [_HOLD if place in (0, steps - 1) else _FRAME for place in range(len(frames))]
    frames = [frame.quantize(256, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]
    with atomic_path(path) as temporary:
        frames[0].save(temporary, "GIF", save_all=True, append_images=frames[1:], duration=times, loop=0)


def _frame(faces: np.ndarray, share: float) -> Image.Image:
    """Faces of one step side by side, and below them a bar filled by `share`."""
    tile = min(_TILE, faces.shape[1])
    frame = Image.new("RGB", (len(faces) * tile, tile + 6), "white")
    for place, face in enumerate(faces):
        picture = Image.fromarray(face)
        picture = picture if picture.width == tile else picture.resize((tile, tile), Image.Resampling.LANCZOS)
        frame.paste(picture, (place * tile, 0))
    drawing = ImageDraw.Draw(frame)
    drawing.rectangle((0, tile + 2, frame.width - 1, tile + 5), fill=RULE)
    drawing.rectangle((0, tile + 2, round(share * (frame.width - 1)), tile + 5), fill=_DECODED)
    return frame
