"""Figures of motion and registration, for the eye that judges them."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure, SubFigure
from nibabel.affines import voxel_sizes
from scipy import ndimage

from hyper.io.atomic import atomic_path
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.motion import COLUMNS
from hyper.preprocess.template import Template

_STYLE = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": "#333333",
    "xtick.color": "#555555",
    "ytick.color": "#555555",
    "text.color": "#222222",
}
_COLOURS = ("#0072b2", "#d55e00", "#009e73")
_DISPLACEMENT = "#444444"
_CONTOUR = "#ff3b30"
_WHITE_MATTER = "#ffd60a"
_DPI = 120


def plot_motion(path: str | Path, runs: dict[str, pd.DataFrame], title: str, displacement_mm: float = 0.5) -> None:
    """Draw translations, rotations and framewise displacement of all runs of a subject.

    Parameters
    ----------
    path : str or Path
        PNG file to write.
    runs : dict of DataFrame
        Motion table of each run, in order.
    title : str
    displacement_mm : float
        Where to draw the line of framewise displacement.
    """
    borders = np.cumsum([0, *(len(run) for run in runs.values())])
    placed = [run.set_index(np.arange(len(run)) + start) for run, start in zip(runs.values(), borders, strict=False)]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(12, 6.4), layout="constrained")
        panels = figure.subplots(3, 1, sharex=True)
        _draw_parameters(panels[0], placed, COLUMNS[:3], 1.0, "translation (mm)")
        _draw_parameters(panels[1], placed, COLUMNS[3:], 180 / np.pi, "rotation (°)")
        _draw_displacement(panels[2], placed, displacement_mm)
        for panel in panels:
            for border in borders[1:-1]:
                panel.axvline(border - 0.5, color="#bbbbbb", linewidth=0.8, linestyle=(0, (4, 3)), zorder=0)
            panel.set_xlim(-0.5, borders[-1] - 0.5)
        for name, middle in zip(runs, (borders[:-1] + borders[1:]) / 2, strict=True):
            place = {"xycoords": ("data", "axes fraction"), "xytext": (0, -4), "textcoords": "offset points"}
            panels[2].annotate(name, (middle, 1), ha="center", va="top", color="#777777", fontsize=7, **place)
        panels[2].set_xlabel("volume")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        _save(figure, path)


def _draw_parameters(axes: Axes, runs: list[pd.DataFrame], columns: tuple[str, ...], factor: float, label: str) -> None:
    for column, colour, name in zip(columns, _COLOURS, "xyz", strict=True):
        for index, run in enumerate(runs):
            axes.plot(run[column] * factor, color=colour, linewidth=1, label=None if index else name)
    axes.axhline(0, color="#dddddd", linewidth=0.8, zorder=0)
    axes.set_ylabel(label)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 0.98), "borderpad": 0}
    axes.legend(ncols=3, frameon=False, handlelength=1.2, columnspacing=1, **place)


def _draw_displacement(axes: Axes, runs: list[pd.DataFrame], line_mm: float) -> None:
    for run in runs:
        values = run["framewise_displacement"].dropna()
        axes.plot(values, color=_DISPLACEMENT, linewidth=0.8)
        axes.fill_between(values.index, 0, values, color=_DISPLACEMENT, alpha=0.15, linewidth=0)
    values = pd.concat(runs)["framewise_displacement"].dropna()
    axes.axhline(line_mm, color=_CONTOUR, linewidth=0.9, linestyle="--")
    axes.set_ylim(0, 1.25 * max(1.5 * line_mm, float(values.max())))
    text = f"mean {values.mean():.2f} mm, largest {values.max():.2f} mm"
    text += f"; {(values > line_mm).sum()} of {len(values)} above {line_mm:g} mm"
    axes.set_title(text, loc="right", fontsize=8, color="#555555", pad=3)
    axes.set_ylabel("framewise\ndisplacement (mm)")


@dataclass(frozen=True)
class RegistrationViews:
    """What `plot_registration` draws.

    Attributes
    ----------
    mean_bold : ndarray, shape (x, y, z)
        Mean BOLD in template space.
    coordinates : ndarray, shape (x, y, z, 3)
        T1w world coordinates of the template grid, mm.
    t1w, mask : ndarray, shape (i, j, k)
        T1w brain and its mask.
    t1w_affine : ndarray, shape (4, 4)
    boldref : ndarray, shape (u, v, w)
        Reference boldref in its own space.
    boldref_affine : ndarray, shape (4, 4)
    pose : ndarray, shape (4, 4)
        World of the T1w volume to world of the boldref.
    contrast : str
        What stands in the T1w volume's place, for the labels.
    """

    mean_bold: np.ndarray
    coordinates: np.ndarray
    t1w: np.ndarray
    mask: np.ndarray
    t1w_affine: np.ndarray
    boldref: np.ndarray
    boldref_affine: np.ndarray
    pose: np.ndarray
    contrast: str = "T1w"


def plot_registration(
    path: str | Path, views: RegistrationViews, template: Template, title: str, slices: int = 7
) -> None:
    """Draw contours of the template over the normalised BOLD and T1w volumes, and of the T1w over the boldref.

    Parameters
    ----------
    path : str or Path
        PNG file to write.
    views : RegistrationViews
    template : Template
        On the grid of `views.mean_bold`.
    title : str
    slices : int
        Axial slices per row; each row ends with a coronal and a sagittal one.
    """
    voxels = np.linalg.inv(views.t1w_affine)
    normalised = ndimage.map_coordinates(
        views.t1w, apply_affine(voxels, views.coordinates.reshape(-1, 3).T), order=1
    ).reshape(template.brain.shape)
    native, own = _native(views), views.contrast
    rows = [
        (
            "mean BOLD in template space\ncontours: template",
            views.mean_bold,
            template.brain,
            template.wm,
            template.affine,
        ),
        (
            f"{views.contrast} in template space\ncontours: template",
            normalised,
            template.brain,
            template.wm,
            template.affine,
        ),
        (f"mean BOLD in {own} space\ncontours: {own}", *native),
    ]
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(1.7 * (slices + 2), 6.6), layout="constrained", facecolor="white")
        parts: list[SubFigure] = list(figure.subfigures(3, 1, hspace=0.03))  # type: ignore[arg-type]
        for part, (label, volume, brain, tissue, affine) in zip(parts, rows, strict=True):
            part.suptitle(label.replace("\n", " · "), x=0.01, ha="left", fontsize=8.5, color="#444444")
            _draw_slices(part.subplots(1, slices + 2), volume, brain, tissue, affine, slices)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        _save(figure, path)


def _native(views: RegistrationViews) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Boldref, brain mask and white matter (bright T1w) on a 2 mm grid around the brain."""
    shape, grid = working_grid(views.mask, views.t1w_affine, 2.0, margin_mm=10.0)
    voxels = np.linalg.inv(views.boldref_affine) @ views.pose
    bold = np.nan_to_num(views.boldref)
    seen = ndimage.map_coordinates(bold, apply_affine(voxels, grid_points(shape, grid)), order=1).reshape(shape)
    t1w = resample_to(views.t1w, views.t1w_affine, shape, grid)
    brain = resample_to(views.mask, views.t1w_affine, shape, grid) > 0.5
    white = np.clip(t1w / np.quantile(t1w[brain], [0.55, 0.95]).sum(), 0, 1)
    return seen, brain, white, grid


def _draw_slices(
    axes: np.ndarray, volume: np.ndarray, brain: np.ndarray, tissue: np.ndarray, affine: np.ndarray, slices: int
) -> None:
    inside = np.array(np.nonzero(brain))
    low, high = inside.min(1), inside.max(1)
    middle = inside.mean(1).round().astype(int)
    cuts = [(2, z) for z in np.linspace(low[2] + 0.12 * (high[2] - low[2]), high[2] - 2, slices).round().astype(int)]
    cuts += [(1, int(middle[1])), (0, int(middle[0] + 0.12 * (high[0] - low[0])))]
    top = np.quantile(volume[brain], 0.995)
    sizes = voxel_sizes(affine)
    for panel, (axis, index) in zip(axes, cuts, strict=True):
        rest = [other for other in range(3) if other != axis]
        window = tuple(slice(max(low[other] - 3, 0), high[other] + 4) for other in rest)
        picture, outline, inner = (np.take(part, index, axis)[window].T for part in (volume, brain, tissue))
        aspect = sizes[rest[1]] / sizes[rest[0]]
        panel.imshow(
            picture, cmap="gray", vmin=0, vmax=max(top, 1e-6), origin="lower", aspect=aspect, interpolation="nearest"
        )
        for part, colour, width in ((outline.astype(float), _CONTOUR, 1.0), (inner, _WHITE_MATTER, 0.6)):
            if part.min() < 0.5 < part.max():
                panel.contour(part, levels=[0.5], colors=colour, linewidths=width)
        panel.set_title(f"{'xyz'[axis]} = {affine[axis, axis] * index + affine[axis, 3]:.0f}", fontsize=7, pad=2)
        panel.set_axis_off()


def _save(figure: Figure, path: str | Path) -> None:
    FigureCanvasAgg(figure)
    with atomic_path(path) as temporary:
        # no date and no version of matplotlib: the same data give the same bytes
        figure.savefig(temporary, dpi=_DPI, format="png", metadata={"Software": None})
