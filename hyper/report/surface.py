"""Labels on the cortical surface: fsaverage5, which nilearn packages."""

from collections.abc import Callable, Sequence
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from nilearn import datasets, plotting
from nilearn.surface import PolyData, SurfaceImage

from hyper.io.spaces import apply_affine
from hyper.report.brain import label_colours, label_legend
from hyper.report.style import INK, MUTED, WIDTH, styled

DEPTHS = np.linspace(0, 1, 7)
REACH = 1.5  # mm beyond the surfaces that the outermost depths lie
SIDES = "left", "right"
VIEWS = "lateral", "medial", "ventral"


def labels_on_surface(labels: np.ndarray, affine: np.ndarray, side: str) -> np.ndarray:
    """Sample labels along each vertex's way from white matter to pia: the most frequent that is not 0.

    Parameters
    ----------
    labels : ndarray of int, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm. The surface is fsaverage's, whose space differs from MNI's by a few mm.
    side : {'left', 'right'}

    Returns
    -------
    ndarray of int, shape (vertex,)
    """
    inner, outer = (_mesh(name, side)[0] for name in ("white_matter", "pial"))
    way = outer - inner
    way += REACH * way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-6)
    counts = np.zeros((int(labels.max()) + 1, len(inner)))
    inverse = np.linalg.inv(affine)
    for depth in DEPTHS:
        voxels = np.rint(apply_affine(inverse, (inner + depth * way).T)).astype(int)
        inside = np.all((voxels >= 0) & (voxels < np.array(labels.shape)[:, None]), axis=0)
        found = np.zeros(len(inner), int)
        found[inside] = labels[tuple(voxels[:, inside])]
        counts[found, np.arange(len(inner))] += 1
    counts[0] = 0
    return np.where(counts.any(axis=0), counts.argmax(axis=0), 0)


def border_vertices(names: np.ndarray, side: str) -> np.ndarray:
    """Vertices just outside a region, or in one of two that touch, shape (vertex,), bool."""
    _, faces = _mesh("pial", side)
    numbers = np.unique(names, return_inverse=True)[1]
    border = np.zeros(len(names), bool)
    highest = numbers[faces].max(axis=1, keepdims=True)
    border[faces[numbers[faces] < highest]] = True
    return border


def draw_surface(
    labels: np.ndarray, affine: np.ndarray, names: Sequence[str],
    regions: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Figure:  # fmt: skip
    """Draw labels on the inflated surface from three sides.

    Parameters
    ----------
    labels : ndarray of int, shape (x, y, z)
        1 and up; 0 is not drawn.
    affine : ndarray, shape (4, 4)
    names : sequence of str
        Of labels 1 and up.
    regions : callable, optional
        Region, as text, of points (3, n) in MNI mm, to draw their borders.
    """
    colours = [*label_colours(len(names)), INK]
    with styled():
        figure, axes = plt.subplots(
            2, len(VIEWS), figsize=(WIDTH, 3.5), subplot_kw={"projection": "3d"}, gridspec_kw={"wspace": 0, "hspace": 0}
        )
        figure.subplots_adjust(0.03, 0, 1, 0.93)
        for side, row in zip(SIDES, axes, strict=True):
            values = _coloured(labels, affine, side, len(names), regions)
            for view, panel in zip(VIEWS, row, strict=True):
                plotting.plot_surf_roi(
                    list(_mesh("inflated", side)), values, hemi=side, view=view, cmap=ListedColormap(colours), vmin=0.5,
                    vmax=len(colours) + 0.5, bg_map=_sulci(side), bg_on_data=False,
                    axes=panel, figure=figure, colorbar=False,
                )  # fmt: skip
                panel.set_box_aspect(None, zoom=1.45)
                for part in panel.collections:
                    part.set_rasterized(True)  # 20,000 triangles a panel would make an SVG of many megabytes
                panel.set_title(f"{side}, {view}", fontsize=6.5, weight="normal", color=MUTED, y=0.94, loc="center")
        label_legend(figure, names)
    return figure


def interactive_surface(
    labels: np.ndarray, affine: np.ndarray, names: Sequence[str],
    regions: Callable[[np.ndarray], np.ndarray] | None = None,
) -> str:  # fmt: skip
    """Return a page, complete in itself, on which the surface with its labels can be turned."""
    colours = [*label_colours(len(names)), INK]
    values = {side: _coloured(labels, affine, side, len(names), regions) for side in SIDES}
    mesh = datasets.load_fsaverage("fsaverage5")["inflated"]
    image = SurfaceImage(mesh, PolyData(*(values[side].astype(np.float32) for side in SIDES)))
    sulci = SurfaceImage(mesh, PolyData(*(_sulci(side) for side in SIDES)))
    view = plotting.view_surf(
        surf_mesh=mesh, surf_map=image, bg_map=sulci, hemi="both", cmap=ListedColormap(colours), vmin=0.5,
        vmax=len(colours) + 0.5, symmetric_cmap=False, threshold=0.6, colorbar=False,
        title=", ".join(f"{name}: {colour}" for name, colour in zip(names, _COLOUR_WORDS, strict=False)),
    )  # fmt: skip
    return str(view.get_standalone())


_COLOUR_WORDS = ["blue", "vermilion", "green", "pink", "sky blue", "orange"]


def _coloured(
    labels: np.ndarray, affine: np.ndarray, side: str, count: int, regions: Callable[[np.ndarray], np.ndarray] | None
) -> np.ndarray:
    """Label of each vertex; `count` + 1 on the borders of regions, nan where there is nothing."""
    found = labels_on_surface(labels, affine, side).astype(float)
    if regions is not None:
        inner, outer = (_mesh(name, side)[0] for name in ("white_matter", "pial"))
        found[border_vertices(regions((inner + outer).T / 2).astype(str), side)] = count + 1
    return np.where(found > 0, found, np.nan)


@cache
def _mesh(name: str, side: str) -> tuple[np.ndarray, np.ndarray]:
    part = datasets.load_fsaverage("fsaverage5")[name].parts[side]
    return np.asarray(part.coordinates, float), np.asarray(part.faces)


def _sulci(side: str) -> np.ndarray:
    return np.asarray(datasets.load_fsaverage_data(mesh="fsaverage5", data_type="sulcal").data.parts[side])
