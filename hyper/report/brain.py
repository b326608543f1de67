"""Voxels and maps on slices of the template brain."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hyper.errors import DataError
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.tables import read_table
from hyper.io.volumes import iterate_volumes, load_image
from hyper.preprocess.template import Template
from hyper.report.style import FURTHER, INK, MUTED, PALETTE, WIDTH, styled

_PLANES = (("z", 2, "Axial"), ("y", 1, "Coronal"), ("x", 0, "Sagittal"))


def draw_mask(mask: np.ndarray, affine: np.ndarray, underlay: Template, slices: int = 6) -> Figure:
    """Draw a voxel mask on axial, coronal and sagittal slices through it.

    Parameters
    ----------
    mask : ndarray, shape (x, y, z)
        Voxels other than zero are marked.
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    underlay : Template
    slices : int
        Per orientation.

    Raises
    ------
    DataError
        When the mask is empty.
    """
    inside = mask > 0
    if not inside.any():
        raise DataError("voxel mask", "it is empty", "Choose more voxels (responses.voxels)")
    points = apply_affine(affine, np.array(np.nonzero(inside), float))
    volume = inside.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000
    centre = points.mean(axis=1)
    text = (
        f"{inside.sum():,} voxels, {volume:,.0f} cm³; {(points[0] < 0).mean():.0%} in the left hemisphere; "
        f"centre at MNI {centre[0]:.0f}, {centre[1]:.0f}, {centre[2]:.0f} mm"
    ).replace("-", "−")
    overlay = np.where(inside, 1.0, np.nan)
    return _draw(overlay, affine, underlay, points, slices, text, ListedColormap([PALETTE[1]]), (0, 1))


def mean_map(
    maps: Sequence[str | Path], tables: Sequence[str | Path], contrast: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean z over the runs that hold a contrast, or over all maps of all runs.

    Parameters
    ----------
    maps : sequence of path
        z-maps of each run, a volume per contrast or trial.
    tables : sequence of path
        What each volume is, in column ``map``; parallel to `maps`.
    contrast : str, optional
        Name of the contrast; all volumes when not given.

    Returns
    -------
    values : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)

    Raises
    ------
    DataError
        When no run holds the contrast.
    """
    total, count = np.zeros(load_image(maps[0]).shape[:3]), 0
    for path, table in zip(maps, tables, strict=True):
        names = read_table(table)["map"].astype(str)
        keep = np.ones(len(names), bool) if contrast is None else (names == contrast).to_numpy()
        start = 0
        for block in iterate_volumes(path):
            part = block[..., keep[start : start + block.shape[3]]]
            total += part.sum(axis=3)
            count += part.shape[3]
            start += block.shape[3]
    if not count:
        raise DataError(tables[0], f"no run holds the contrast {contrast!r}", "Correct glm.contrasts")
    return total / count, load_image(maps[0]).affine


def draw_map(
    values: np.ndarray, affine: np.ndarray, underlay: Template, threshold: float, slices: int = 6, name: str = ""
) -> Figure:
    """Draw a map of z where its absolute value exceeds a threshold.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    underlay : Template
    threshold : float
        Of the absolute z. Slices lie where the map exceeds it, or spread over the brain where it never does.
    slices : int
        Per orientation.
    name : str
        What the map shows.
    """
    values = np.nan_to_num(np.asarray(values, float))
    above = np.abs(values) > threshold
    peak = np.unravel_index(np.argmax(values), values.shape)
    where = apply_affine(affine, np.array(peak, float)[:, None])[:, 0]
    chosen = np.array(np.nonzero(above if above.any() else values != 0), float)
    place = f"{where[0]:.0f}, {where[1]:.0f}, {where[2]:.0f} mm"
    found = f"{above.sum():,} voxels beyond |z| = {threshold:g}; peak {values[peak]:.1f} at MNI {place}"
    text = (f"{name}: " if name else "") + found.replace("-", "−")
    limit = max(float(np.abs(values).max()), threshold + 1)
    overlay = np.where(above, values, np.nan)
    return _draw(overlay, affine, underlay, apply_affine(affine, chosen), slices, text, "RdBu_r", (-limit, limit), "z")


def draw_strength(
    values: np.ndarray, affine: np.ndarray, underlay: Template, threshold: float, slices: int, text: str, bar: str
) -> Figure:
    """Draw a map of values that start at zero, where it exceeds a threshold.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    underlay : Template
    threshold : float
        Slices lie where the map exceeds it, or spread over the brain where it never does.
    slices : int
        Per orientation.
    text, bar : str
        What is shown, above the slices and beside the colours.
    """
    values = np.nan_to_num(np.asarray(values, float))
    above = values > threshold
    chosen = np.array(np.nonzero(above if above.any() else underlay_voxels(underlay, affine, values.shape)), float)
    top = float(np.quantile(values[above], 0.995)) if above.any() else threshold + 1
    limits = (threshold, max(top, threshold + 1e-3))
    points = apply_affine(affine, chosen)
    return _draw(np.where(above, values, np.nan), affine, underlay, points, slices, text, "inferno", limits, bar)


def underlay_voxels(underlay: Template, affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Voxels of a grid that lie in the template's brain, shape (x, y, z)."""
    index = np.rint(apply_affine(np.linalg.inv(underlay.affine), grid_points(shape, affine))).astype(int)
    valid = ((index >= 0) & (index < np.array(underlay.brain.shape)[:, None])).all(axis=0)
    found = np.zeros(index.shape[1], bool)
    found[valid] = underlay.brain[tuple(index[:, valid])]
    return found.reshape(shape)


def draw_labels(
    labels: np.ndarray, affine: np.ndarray, underlay: Template, names: Sequence[str], text: str, slices: int = 6,
    borders: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Figure:  # fmt: skip
    """Draw numbered labels in colours that colour-blind readers can tell apart, with the borders of regions.

    Parameters
    ----------
    labels : ndarray of int, shape (x, y, z)
        1 and up; 0 is not drawn.
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    underlay : Template
    names : sequence of str
        Of labels 1 and up.
    text : str
        What is shown.
    slices : int
        Per orientation.
    borders : callable, optional
        Region, as text, of points (3, n) in MNI mm.

    Raises
    ------
    DataError
        When there is no label.
    """
    if not (labels > 0).any():
        raise DataError("labels", "there is none", "Lower mapping.alpha")
    points = apply_affine(affine, np.array(np.nonzero(labels > 0), float))
    overlay = np.where(labels > 0, labels, np.nan).astype(float)
    paints = label_colours(len(names))
    figure = _draw(
        overlay, affine, underlay, points, slices, text, ListedColormap(paints), (0.5, len(names) + 0.5),
        borders=borders,
    )  # fmt: skip
    with styled():
        label_legend(figure, names)
    return figure


def label_colours(count: int) -> list[str]:
    """Colours of labels, from `PALETTE` and `FURTHER`, again from their start when there are more."""
    colours = [*PALETTE, *FURTHER]
    return [colours[place % len(colours)] for place in range(count)]


def label_legend(figure: Figure, names: Sequence[str]) -> None:
    """Name the colours of labels in the upper right corner."""
    handles = [Patch(color=colour, label=name) for colour, name in zip(label_colours(len(names)), names, strict=True)]
    figure.legend(
        handles=handles, loc="upper right", ncols=len(names), bbox_to_anchor=(1, 1), borderaxespad=0.2,
        handlelength=0.9, handleheight=0.9, columnspacing=1.2, handletextpad=0.4,
    )  # fmt: skip


def _draw(
    overlay: np.ndarray, affine: np.ndarray, underlay: Template, points: np.ndarray, slices: int, text: str,
    colours: str | Colormap, limits: tuple[float, float], bar: str | None = None,
    borders: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Figure:  # fmt: skip
    crop = _crop(underlay)
    extent = [(part.stop - part.start) * abs(underlay.affine[axis, axis]) for axis, part in enumerate(crop)]
    side, head, title, right = 0.3, 0.32, 0.17, 0.75 if bar else 0.0
    cell = (WIDTH - side - right) / slices
    scale = cell / (extent[1] + 6)  # inches per mm, the same in all rows
    tall = [extent[_across(axis)[1]] * scale + title for _, axis, _ in _PLANES]
    height = head + sum(tall) + 0.05
    apart = min(abs(np.diag(affine)[:3]))  # slices of one layer of voxels show nothing new
    with styled():
        figure = plt.figure(figsize=(WIDTH, height))
        figure.text(0.012, 1 - 0.05 / height, text, va="top")
        image, top = None, height - head
        for (letter, axis, plane), line in zip(_PLANES, tall, strict=True):
            bottom = (top - line) / height
            figure.text(0.015, bottom + (line - title) / 2 / height, plane, rotation=90, va="center", color=MUTED)
            places = slice_positions(points[axis], slices, underlay.affine[axis, axis], apart)
            for column, place in enumerate(places):
                box = ((side + column * cell) / WIDTH, bottom, cell / WIDTH, (line - title) / height)
                axes = figure.add_axes(box)
                image = _draw_slice(axes, overlay, affine, underlay, crop, axis, place, colours, limits, borders)
                axes.set_title(
                    f"{letter} = {place:.0f}".replace("-", "−"), fontsize=6.5, loc="center", weight="normal", pad=2
                )
                if column == 0 and axis != 0:
                    for hand, where in (("L", 0.03), ("R", 0.97)):
                        axes.text(where, 0.02, hand, transform=axes.transAxes, color=MUTED, ha="center", fontsize=6.5)
            top -= line
        if bar and image is not None:
            colour_bar = figure.colorbar(image, cax=figure.add_axes(((WIDTH - right + 0.15) / WIDTH, 0.35, 0.014, 0.3)))
            colour_bar.set_label(bar)
            colour_bar.outline.set_visible(False)
    return figure


def _across(axis: int) -> tuple[int, int]:
    """Axes of the template that run right and up in a slice across `axis`."""
    across, up = (other for other in range(3) if other != axis)
    return across, up


def slice_positions(coordinates: np.ndarray, count: int, step: float, apart: float = 0) -> list[float]:
    """Choose slices that share the voxels out evenly, distinct where there is room.

    Parameters
    ----------
    coordinates : ndarray, shape (n,)
        Of the voxels along one axis, mm.
    count : int
    step : float
        Thickness of a slice, mm.
    apart : float
        Least distance between slices, mm.
    """
    step = abs(float(step))
    apart = np.ceil(max(apart, step) / step) * step
    wanted = np.quantile(coordinates, (np.arange(count) + 0.5) / count)
    places = np.round(wanted / step) * step
    for index in range(1, count):
        places[index] = max(places[index], places[index - 1] + apart)
    places += np.round((wanted.mean() - places.mean()) / step) * step
    return [float(place) + 0.0 for place in places]  # + 0.0: no minus zero


def _crop(underlay: Template) -> list[slice]:
    """Bounding box of the brain, a voxel wider."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(underlay.brain.any(axis=tuple(a for a in range(3) if a != axis)))
        box.append(slice(max(used[0] - 1, 0), used[-1] + 2))
    return box


def _draw_slice(
    axes: Axes, overlay: np.ndarray, affine: np.ndarray, underlay: Template, crop: Sequence[slice], axis: int,
    place: float, colours: str | Colormap, limits: tuple[float, float],
    borders: Callable[[np.ndarray], np.ndarray] | None = None,
) -> object:  # fmt: skip
    """Draw one slice of template and overlay; the overlay is sampled at the template's voxels by nearest neighbour."""
    ranges = [np.arange(part.start, part.stop) for part in crop]
    index = round((place - underlay.affine[axis, 3]) / underlay.affine[axis, axis])
    ranges[axis] = np.array([min(max(index, 0), underlay.t1.shape[axis] - 1)])
    voxels = np.array(np.meshgrid(*ranges, indexing="ij"))
    shape = [n for a, n in enumerate(voxels.shape[1:]) if a != axis]
    flat = voxels.reshape(3, -1)
    brain = underlay.brain[tuple(flat)].reshape(shape)
    anatomy = np.where(brain, underlay.t1[tuple(flat)].reshape(shape), np.nan)
    world = apply_affine(underlay.affine, flat.astype(float))
    source = np.rint(apply_affine(np.linalg.inv(affine), world)).astype(int)
    inside = np.all((source >= 0) & (source < np.array(overlay.shape)[:, None]), axis=0)
    values = np.full(flat.shape[1], np.nan)
    values[inside] = overlay[tuple(source[:, inside])]
    top = float(underlay.t1[underlay.brain].max())
    axes.imshow(anatomy.T, origin="lower", cmap="gray", vmin=-0.25 * top, vmax=1.05 * top, interpolation="bilinear")
    axes.set_axis_off()
    if borders is not None:
        names = np.where(brain.ravel(), borders(world), "").astype(str)
        numbers = np.unique(names, return_inverse=True)[1].reshape(shape)
        if numbers.any():
            axes.contour(_edges(numbers).T, levels=[0.5], colors=[INK], linewidths=0.35)
    return axes.imshow(
        values.reshape(shape).T, origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest",
        alpha=0.9,
    )  # fmt: skip


def _edges(numbers: np.ndarray) -> np.ndarray:
    """1 in every other region of neighbouring ones, so that a contour runs between them."""
    edges = np.zeros(numbers.shape)
    edges[:-1] += numbers[:-1] != numbers[1:]
    edges[:, :-1] += numbers[:, :-1] != numbers[:, 1:]
    return np.minimum(edges, 1)
