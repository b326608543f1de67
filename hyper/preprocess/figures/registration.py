"""Registrations drawn: outlines of one volume over another, and both in turns."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure, SubFigure
from scipy import ndimage

from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.figures.style import (
    CONTOUR,
    SECOND_CONTOUR,
    cuts_through,
    draw_slice,
    place_of,
    save,
    save_flicker,
    styled,
    title_of,
)
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.template import Template

_GRID_MM = 2.0
_MARGIN_MM = 8.0


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


@dataclass(frozen=True)
class _Pair:
    """Two volumes on one grid, and what outlines the second."""

    name: str
    names: tuple[str, str]
    first: np.ndarray
    second: np.ndarray
    brain: np.ndarray
    tissue: np.ndarray
    affine: np.ndarray


def plot_registration(
    png: str | Path,
    views: RegistrationViews,
    template: Template,
    title: str,
    slices: int = 7,
    svg: str | Path | None = None,
) -> None:
    """Draw contours of the template over the normalised BOLD and T1w volumes, and of the T1w over the boldref.

    Nothing of the T1w volume outside its brain mask is drawn, and of the boldref nothing beyond 8 mm around it.

    Parameters
    ----------
    png, svg : str or Path
        Files to write.
    views : RegistrationViews
    template : Template
        On the grid of `views.mean_bold`.
    title : str
    slices : int
        Axial slices per row; each row ends with a coronal and a sagittal one.
    """
    rows = [_bold_to_template(views, template), _t1w_to_template(views, template), _bold_to_t1w(views)]
    with styled():
        figure = Figure(figsize=(1.5 * (slices + 2), 6.6), layout="constrained", facecolor="white")
        parts: list[SubFigure] = list(figure.subfigures(3, 1, hspace=0.03))  # type: ignore[arg-type]
        for part, pair in zip(parts, rows, strict=True):
            text = f"{pair.name}  ·  contours: brain and white matter of the {pair.names[1]}"
            part.suptitle(text, x=0.01, ha="left", fontsize=8.5, color="#444444")
            contours = [(pair.brain.astype(float), CONTOUR, 1.0), (pair.tissue, SECOND_CONTOUR, 0.6)]
            limits = (0.0, float(np.quantile(pair.first[pair.brain], 0.995)))
            cuts = cuts_through(pair.brain, slices)
            for panel, cut in zip(part.subplots(1, len(cuts)), cuts, strict=True):
                draw_slice(panel, pair.first, cut, pair.brain, pair.affine, limits, contours)
                panel.set_title(place_of(cut, pair.affine), fontsize=7, pad=2)
        title_of(figure, title)
        save(figure, png, svg)


def plot_flicker(
    bold_to_t1w: str | Path, t1w_to_template: str | Path, views: RegistrationViews, template: Template
) -> None:
    """Write two animated pictures in which one volume and the other take turns: what moves is not aligned.

    Parameters
    ----------
    bold_to_t1w, t1w_to_template : str or Path
        Animated PNG files to write.
    views : RegistrationViews
    template : Template
        On the grid of `views.mean_bold`.
    """
    for path, pair in ((bold_to_t1w, _bold_to_t1w(views)), (t1w_to_template, _t1w_to_template(views, template))):
        volumes = zip(pair.names, (pair.first, pair.second), strict=True)
        save_flicker([_frame(pair, name, volume) for name, volume in volumes], path)


def _frame(pair: _Pair, name: str, volume: np.ndarray) -> Figure:
    cuts = cuts_through(pair.brain, 4, 2, 2)
    limits = (0.0, float(np.quantile(volume[pair.brain], 0.995)))
    with styled():
        figure = Figure(figsize=(9.6, 5.2), layout="constrained", facecolor="black")
        figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, wspace=0, hspace=0)  # type: ignore[union-attr, call-arg]
        for panel, cut in zip(figure.subplots(2, 4).ravel(), cuts, strict=True):
            draw_slice(panel, volume, cut, pair.brain, pair.affine, limits, margin=2)
            panel.text(0.02, 0.02, place_of(cut, pair.affine), color="#999999", fontsize=7, transform=panel.transAxes)
        figure.suptitle(name, x=0.012, ha="left", color="white", fontsize=11, fontweight="bold")
    return figure


def _bold_to_template(views: RegistrationViews, template: Template) -> _Pair:
    brain, names = np.array(template.brain), ("mean BOLD", "template")
    return _Pair(
        "mean BOLD in template space", names, views.mean_bold, template.t1, brain, template.wm, template.affine
    )


def _t1w_to_template(views: RegistrationViews, template: Template) -> _Pair:
    voxels = apply_affine(np.linalg.inv(views.t1w_affine), views.coordinates.reshape(-1, 3).T)
    normalised = ndimage.map_coordinates(views.t1w, voxels, order=1).reshape(template.brain.shape)
    brain, names = np.array(template.brain), (views.contrast, "template")
    return _Pair(
        f"{views.contrast} in template space", names, normalised, template.t1, brain, template.wm, template.affine
    )


def _bold_to_t1w(views: RegistrationViews) -> _Pair:
    """Boldref and T1w around the brain; white matter is what is bright in T1w."""
    shape, grid = working_grid(views.mask, views.t1w_affine, _GRID_MM, margin_mm=10.0)
    brain = resample_to(views.mask, views.t1w_affine, shape, grid) > 0.5
    voxels = np.linalg.inv(views.boldref_affine) @ views.pose
    points = apply_affine(voxels, grid_points(shape, grid))
    bold = ndimage.map_coordinates(np.nan_to_num(views.boldref), points, order=1).reshape(shape)
    bold = bold * (ndimage.distance_transform_edt(~brain, sampling=_GRID_MM) <= _MARGIN_MM)
    t1w = resample_to(views.t1w, views.t1w_affine, shape, grid)
    white = np.clip(ndimage.gaussian_filter(t1w, 0.8) / np.quantile(t1w[brain], [0.55, 0.95]).sum(), 0, 1)
    return _Pair(f"mean BOLD in {views.contrast} space", ("mean BOLD", views.contrast), bold, t1w, brain, white, grid)
