"""Voxels and maps on slices of the template brain."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from hyper.errors import DataError
from hyper.io.spaces import apply_affine
from hyper.preprocess.template import Template
from hyper.report.style import INK, MUTED, PALETTE, WIDTH, styled

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


def draw_map(
    values: np.ndarray, affine: np.ndarray, underlay: Template, threshold: float, slices: int = 6, name: str = "z"
) -> Figure:
    """Draw a statistical map where its absolute value exceeds a threshold.

    Parameters
    ----------
    values : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    underlay : Template
    threshold : float
        In units of the map. Slices lie where the map exceeds it, or spread over the brain where it never does.
    slices : int
        Per orientation.
    name : str
        What the values are, for the colour bar.
    """
    values = np.nan_to_num(np.asarray(values, float))
    above = np.abs(values) > threshold
    peak = np.unravel_index(np.argmax(values), values.shape)
    where = apply_affine(affine, np.array(peak, float)[:, None])[:, 0]
    chosen = np.array(np.nonzero(above if above.any() else values != 0), float)
    text = f"{above.sum():,} voxels beyond |{name}| = {threshold:g}; peak {values[peak]:.1f} at MNI "
    text = (text + f"{where[0]:.0f}, {where[1]:.0f}, {where[2]:.0f} mm").replace("-", "−")
    limit = max(float(np.abs(values).max()), threshold + 1)
    overlay = np.where(above, values, np.nan)
    return _draw(overlay, affine, underlay, apply_affine(affine, chosen), slices, text, "RdBu_r", (-limit, limit), name)


def _draw(
    overlay: np.ndarray, affine: np.ndarray, underlay: Template, points: np.ndarray, slices: int, text: str,
    colours: object, limits: tuple[float, float], bar: str | None = None,
) -> Figure:  # fmt: skip
    crop = _crop(underlay)
    with styled():
        figure = plt.figure(figsize=(WIDTH, _height(crop, underlay, slices)), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0.01)
        grid = figure.subplots(3, slices)
        image = None
        for line, (axis_name, axis, plane) in zip(grid, _PLANES, strict=True):
            for axes, place in zip(line, slice_positions(points[axis], slices, underlay.affine[axis, axis]), strict=True):
                image = _draw_slice(axes, overlay, affine, underlay, crop, axis, place, colours, limits) or image
                axes.set_title(f"{axis_name} = {place:.0f}".replace("-", "−"), fontsize=6.5, loc="center", weight="normal")
            line[0].text(-0.06, 0.5, plane, transform=line[0].transAxes, rotation=90, ha="right", va="center")
            if axis != 0:
                for side, where in (("L", 0.02), ("R", 0.98)):
                    line[0].text(where, 0.03, side, transform=line[0].transAxes, color=MUTED, ha="center", fontsize=6.5)
        figure.suptitle(text, fontsize=7.5, color=INK, x=0.01, ha="left")
        if bar and image is not None:
            figure.colorbar(image, ax=grid, shrink=0.4, aspect=20, pad=0.01, label=bar).outline.set_visible(False)
    return figure


def slice_positions(coordinates: np.ndarray, count: int, step: float) -> list[float]:
    """Choose slices that share the voxels out evenly, distinct where there is room.

    Parameters
    ----------
    coordinates : ndarray, shape (n,)
        Of the voxels along one axis, mm.
    count : int
    step : float
        Thickness of a slice, mm.
    """
    step = abs(float(step))
    wanted = np.quantile(coordinates, (np.arange(count) + 0.5) / count)
    places = np.round(wanted / step) * step
    for index in range(1, count):
        places[index] = max(places[index], places[index - 1] + step)
    return [float(place) for place in places]


def _crop(underlay: Template) -> list[slice]:
    """Bounding box of the brain, a voxel wider."""
    box = []
    for axis in range(3):
        used = np.flatnonzero(underlay.brain.any(axis=tuple(a for a in range(3) if a != axis)))
        box.append(slice(max(used[0] - 1, 0), used[-1] + 2))
    return box


def _height(crop: Sequence[slice], underlay: Template, slices: int) -> float:
    """Height of the figure (inches) at which the slices fill its width."""
    x, y, z = (part.stop - part.start for part in crop)
    wide = (WIDTH - 0.3) / slices
    return wide * max(y / x, 0.5) + wide * z / x + wide * z / y + 1.1


def _draw_slice(
    axes: Axes, overlay: np.ndarray, affine: np.ndarray, underlay: Template, crop: Sequence[slice], axis: int,
    place: float, colours: object, limits: tuple[float, float],
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
    return axes.imshow(
        values.reshape(shape).T, origin="lower", cmap=colours, vmin=limits[0], vmax=limits[1], interpolation="nearest",
        alpha=0.9,
    )  # fmt: skip
