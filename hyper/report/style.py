"""One look for all figures: fonts, sizes, colours safe for colour-blind readers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from hyper.io.atomic import atomic_path

INK = "#1d2329"
MUTED = "#6b7580"
RULE = "#d4d9de"
# Okabe & Ito (2008), without the yellow that vanishes on white
PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]
# of Tol's muted scheme (2021), for labels beyond six
FURTHER = ["#332288", "#882255", "#999933", "#44aa99"]
MARKERS = ["o", "s", "D", "^", "v", "P"]
WIDTH = 7.2  # inches: a page's text width

_RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 7.5,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 7.5,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.hashsalt": "hyper",
    "svg.fonttype": "path",
}


@contextmanager
def styled() -> Iterator[None]:
    """Draw inside this block with the report's look."""
    with plt.rc_context(_RC):
        yield


def save_figure(figure: Figure, png: str | Path, svg: str | Path | None = None, dpi: int = 200) -> None:
    """Write a figure as PNG and, where given, SVG; the same figure gives the same bytes. The figure is closed.

    Parameters
    ----------
    figure : Figure
    png, svg : str or Path
    dpi : int
        Resolution of the PNG and of images inside the SVG.
    """
    with styled():
        with atomic_path(png) as temporary:
            figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})
        if svg is not None:
            with atomic_path(svg) as temporary:
                figure.savefig(temporary, format="svg", dpi=dpi, metadata={"Date": None, "Creator": None})
    plt.close(figure)
