"""The way from what was decoded to what was seen, drawn."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hyper.report.style import INK, MUTED, WIDTH, styled


def draw_interpolations(images: np.ndarray, stimuli: np.ndarray) -> Figure:
    """Draw one row of images per stimulus, the reconstruction on the left, the stimulus on the right.

    Parameters
    ----------
    images : ndarray of uint8, shape (stimulus, step, height, width, 3)
    stimuli : ndarray of str, shape (stimulus,)
    """
    rows, columns = images.shape[:2]
    margin, head, gap = 0.85, 0.22, 0.03
    size = (WIDTH - margin) / max(columns, 6)
    width, height = margin + columns * size, head + rows * size
    with styled():
        figure = plt.figure(figsize=(width, height))
        for row in range(rows):
            bottom = height - head - (row + 1) * size
            figure.text(
                (margin - 0.1) / width, (bottom + size / 2) / height, str(stimuli[row]), ha="right", va="center",
                color=MUTED,
            )  # fmt: skip
            for column in range(columns):
                left, side = margin + column * size, size - 2 * gap
                axes = figure.add_axes(((left + gap) / width, (bottom + gap) / height, side / width, side / height))
                axes.imshow(images[row, column], interpolation="antialiased")
                axes.set_axis_off()
        for label, column in (("Decoded", 0), ("Seen", columns - 1)):
            middle = (margin + (column + 0.5) * size) / width
            figure.text(middle, 1 - 0.5 * head / height, label, ha="center", va="center", weight="bold", color=INK)
    return figure
