"""Reconstructions over time: their file, and an animation of them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from hyper.io.arrays import write_arrays
from hyper.io.atomic import atomic_path

_EDGE, _GAP, _MARGIN, _FOOT = 112, 4, 44, 34  # pixels
_INK, _MUTED, _RULE, _SHOWN = "#1d2329", "#6b7580", "#d4d9de", "#0072b2"


def write_frames(
    path: str | Path,
    stimuli: np.ndarray,
    made: Mapping[str, np.ndarray],
    names: np.ndarray,
    starts: np.ndarray,
    ends: np.ndarray,
) -> None:
    """Write the images of every region and window.

    Parameters
    ----------
    path : str or Path
    stimuli : ndarray of uint8, shape (stimulus, height, width, 3)
    made : mapping of str to ndarray of uint8, shape (window, stimulus, height, width, 3)
        By region.
    names : ndarray of str, shape (stimulus,)
    starts, ends : ndarray, shape (window,)
        ms from the onset.
    """
    image = ("stimulus", "row", "column", "rgb")
    arrays = {
        "stimulus": (stimuli, image),
        "stimuli": (names, ("stimulus",)),
        "starts": (starts, ("window",)),
        "ends": (ends, ("window",)),
    }
    arrays |= {f"reconstruction/{region}": (images, ("window", *image)) for region, images in made.items()}
    write_arrays(path, arrays)


def write_animation(
    path: str | Path,
    stimuli: np.ndarray,
    made: Mapping[str, np.ndarray],
    starts: np.ndarray,
    ends: np.ndarray,
    milliseconds: int,
) -> None:
    """Write a GIF with a frame per window: the stimuli, below them a row per region, and the time at the foot.

    Parameters
    ----------
    path, stimuli, made, starts, ends
        As for `write_frames`.
    milliseconds : int
        Duration of a frame.
    """
    frames = [_frame(stimuli, made, starts, ends, number) for number in range(len(starts))]
    # one palette for all, so that colours do not jump from frame to frame
    sheet = Image.new("RGB", (frames[0].width, sum(frame.height for frame in frames)))
    for number, frame in enumerate(frames):
        sheet.paste(frame, (0, number * frame.height))
    palette = sheet.quantize(256, Image.Quantize.MEDIANCUT)
    flat = [frame.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG) for frame in frames]
    with atomic_path(path) as temporary:
        flat[0].save(
            temporary, format="gif", save_all=True, append_images=flat[1:], duration=milliseconds, loop=0,
            optimize=False, disposal=1,
        )  # fmt: skip


def _frame(
    stimuli: np.ndarray, made: Mapping[str, np.ndarray], starts: np.ndarray, ends: np.ndarray, number: int
) -> Image.Image:
    rows = {"seen": stimuli} | {region: images[number] for region, images in made.items()}
    step = _EDGE + _GAP
    width, height = _MARGIN + len(stimuli) * step, len(rows) * step + _GAP + _FOOT
    frame = Image.new("RGB", (width, height), "white")
    draw, font = ImageDraw.Draw(frame), ImageFont.load_default(size=13)
    for row, (label, images) in enumerate(rows.items()):
        # what is seen is not there before the onset
        seen = label != "seen" or ends[number] > 0
        draw.text((6, _GAP + row * step + _EDGE // 2), label, fill=_INK, font=font, anchor="lm")
        for column, image in enumerate(images):
            corner = _MARGIN + column * step, _GAP + row * step
            if seen:
                frame.paste(Image.fromarray(image).resize((_EDGE, _EDGE), Image.Resampling.LANCZOS), corner)
            else:
                draw.rectangle((*corner, corner[0] + _EDGE - 1, corner[1] + _EDGE - 1), outline=_RULE)
    _draw_time(draw, font, starts, ends, number, (_MARGIN, width - _GAP, height - 12))
    return frame


def _draw_time(
    draw: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    starts: np.ndarray,
    ends: np.ndarray,
    number: int,
    place: tuple[int, int, int],
) -> None:
    """A line from the first window's start to the last one's end, this window on it, and the onset."""
    left, right, level = place

    def at(time: float) -> float:
        return left + (right - left) * (time - starts[0]) / (ends[-1] - starts[0])

    text = f"{starts[number]:g} to {ends[number]:g} ms"
    draw.line((left, level, right, level), fill=_RULE, width=3)
    draw.line((at(starts[number]), level, at(ends[number]), level), fill=_SHOWN, width=5)
    draw.line((at(0), level - 5, at(0), level + 5), fill=_INK, width=1)
    draw.text((left, level - 8), text, fill=_INK, font=font, anchor="ls")
    draw.text((right, level - 8), "from the onset of the stimulus (mark)", fill=_MUTED, font=font, anchor="rs")
