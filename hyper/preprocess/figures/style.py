"""One look for all figures of preprocessing, and how they are written."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from nibabel.affines import voxel_sizes
from PIL import Image

from hyper.io.atomic import atomic_path

STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "text.color": "#222222",
    "svg.hashsalt": "hyper",
    "svg.fonttype": "path",
}
COLOURS = ("#0072b2", "#d55e00", "#009e73")
INK = "#444444"
CONTOUR = "#ff3b30"
SECOND_CONTOUR = "#ffd60a"
_DPI = 120


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside this block with one look."""
    with matplotlib.rc_context(STYLE):
        yield


def title_of(figure: Figure, text: str) -> None:
    """Write the title of a figure, at its left."""
    figure.suptitle(text, x=0.01, ha="left", fontweight="bold")


def save(figure: Figure, png: str | Path, svg: str | Path | None = None) -> None:
    """Write a figure as PNG and, where given, SVG; the same data give the same bytes."""
    FigureCanvasAgg(figure)
    with atomic_path(png) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png", metadata={"Software": None})
    if svg is not None:
        with atomic_path(svg) as temporary:
            figure.savefig(temporary, dpi=_DPI, format="svg", metadata={"Date": None, "Creator": None})


def save_flicker(frames: Sequence[Figure], png: str | Path, milliseconds: int = 800) -> None:
    """Write figures of one size as one animated PNG without end; what shows no animation shows the first."""
    pictures = []
    for frame in frames:
        canvas = FigureCanvasAgg(frame)
        frame.set_dpi(_DPI)
        canvas.draw()
        pictures.append(Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy()).convert("L"))
    with atomic_path(png) as temporary:
        pictures[0].save(
            temporary, format="PNG", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0
        )


def cuts_through(brain: np.ndarray, axial: int, coronal: int = 1, sagittal: int = 1) -> list[tuple[int, int]]:
    """Choose slices through a brain, as (axis, index); sagittal ones beside the middle."""
    inside = np.array(np.nonzero(brain))
    low, high = inside.min(1), inside.max(1)

    def spread(axis: int, count: int, start: float, end: float) -> list[tuple[int, int]]:
        places = low[axis] + np.linspace(start, end, count) * (high[axis] - low[axis])
        return [(axis, int(place)) for place in places.round()]

    return [
        *spread(2, axial, 0.12, 0.95),
        *(spread(1, coronal, 0.25, 0.75) if coronal > 1 else spread(1, 1, 0.5, 0.5)),
        *(spread(0, sagittal, 0.3, 0.62) if sagittal > 1 else spread(0, 1, 0.62, 0.62)),
    ]


def draw_slice(
    panel: Axes,
    volume: np.ndarray,
    cut: tuple[int, int],
    brain: np.ndarray,
    affine: np.ndarray,
    limits: tuple[float, float],
    contours: Sequence[tuple[np.ndarray, str, float]] = (),
    cmap: str = "gray",
    margin: int = 3,
) -> object:
    """Draw one slice, cropped to the brain, with contours at one half of other volumes of the same grid.

    Parameters
    ----------
    panel : Axes
    volume : ndarray, shape (x, y, z)
    cut : tuple
        Axis and index.
    brain : ndarray of bool, shape (x, y, z)
        What the picture is cropped to.
    affine : ndarray, shape (4, 4)
    limits : tuple of float
        Black and white.
    contours : sequence of (ndarray, colour, width)
    cmap : str
    margin : int
        Voxels around the brain.

    Returns
    -------
    AxesImage
    """
    axis, index = cut
    inside = np.array(np.nonzero(brain))
    low, high, sizes = inside.min(1), inside.max(1), voxel_sizes(affine)
    rest = [other for other in range(3) if other != axis]
    window = tuple(slice(max(low[other] - margin, 0), high[other] + margin + 1) for other in rest)
    picture = np.take(volume, index, axis)[window].T
    drawn = panel.imshow(
        picture,
        cmap=cmap,
        vmin=limits[0],
        vmax=max(limits[1], limits[0] + 1e-6),
        origin="lower",
        aspect=sizes[rest[1]] / sizes[rest[0]],
        interpolation="bilinear",
    )
    for part, colour, width in contours:
        outline = np.take(part, index, axis)[window].T.astype(float)
        if outline.min() < 0.5 < outline.max():
            panel.contour(outline, levels=[0.5], colors=colour, linewidths=width)
    # left of the person is left of the picture where the first axis runs rightward
    panel.set_axis_off()
    return drawn


def place_of(cut: tuple[int, int], affine: np.ndarray) -> str:
    """Name a slice by its world coordinate (mm), on a grid parallel to the world's axes."""
    axis, index = cut
    return f"{'xyz'[axis]} = {affine[axis, axis] * index + affine[axis, 3]:.0f}".replace("-", "−")
