"""Mean and temporal signal-to-noise ratio before and after preprocessing; the brain mask on the whole head."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure, SubFigure

from hyper.io.arrays import read_arrays
from hyper.preprocess.figures.style import (
    CONTOUR,
    cuts_through,
    draw_slice,
    place_of,
    save,
    styled,
    title_of,
)
from hyper.preprocess.grids import resample_to, working_grid

_HEAD_MM = 2.0


@dataclass(frozen=True)
class Quality:
    """Mean and temporal signal-to-noise ratio on the template grid, averaged over runs; shape (x, y, z) each."""

    mean: np.ndarray
    signal_to_noise: np.ndarray


def average(files: Sequence[str | Path]) -> Quality:
    """Average what was measured of several runs.

    Parameters
    ----------
    files : sequence of path
        HDF5 with ``mean`` and ``signal_to_noise``.
    """
    names = ["mean", "signal_to_noise"]
    runs = [read_arrays(file, names)[0] for file in files]
    return Quality(*(np.mean([run[name] for run in runs], axis=0) for name in names))


def plot_quality(
    png: str | Path,
    before: Quality,
    after: Quality,
    mask: np.ndarray,
    affine: np.ndarray,
    title: str,
    slices: int = 7,
    svg: str | Path | None = None,
) -> None:
    """Draw mean and temporal signal-to-noise ratio as measured and as preprocessed, on the same slices and scale.

    Parameters
    ----------
    png, svg : str or Path
        Files to write.
    before, after : Quality
    mask : ndarray of bool, shape (x, y, z)
        Voxels every run covers; its outline is drawn.
    affine : ndarray, shape (4, 4)
    title : str
    slices : int
        Axial slices per row.
    """
    cuts = cuts_through(mask, slices)
    brightest = float(np.quantile(after.mean[mask], 0.995))
    steadiest = float(np.quantile(after.signal_to_noise[mask], 0.98))
    medians = [float(np.median(part.signal_to_noise[mask])) for part in (before, after)]
    rows = [
        ("mean as measured", before.mean, "gray", brightest),
        ("mean as preprocessed  ·  contour: brain mask of the runs", after.mean, "gray", brightest),
        (f"temporal SNR as measured, median {medians[0]:.1f}", before.signal_to_noise, "inferno", steadiest),
        (f"temporal SNR as preprocessed, median {medians[1]:.1f}", after.signal_to_noise, "inferno", steadiest),
    ]
    with styled():
        figure = Figure(figsize=(1.5 * (slices + 2) + 0.6, 8.6), layout="constrained", facecolor="white")
        parts: list[SubFigure] = list(figure.subfigures(4, 1, hspace=0.03))  # type: ignore[arg-type]
        for part, (name, volume, cmap, top) in zip(parts, rows, strict=True):
            part.suptitle(name, x=0.01, ha="left", fontsize=8.5, color="#444444")
            panels = part.subplots(1, len(cuts))
            contours = [(mask.astype(float), CONTOUR, 1.0)] if "contour" in name else []
            for panel, cut in zip(panels, cuts, strict=True):
                drawn = draw_slice(panel, volume, cut, mask, affine, (0, top), contours, cmap)
                panel.set_title(place_of(cut, affine), fontsize=7, pad=2)
            bar = part.colorbar(drawn, ax=list(panels), shrink=0.8, pad=0.005, aspect=14)  # type: ignore[arg-type]
            bar.outline.set_visible(False)  # type: ignore[operator]
            bar.ax.tick_params(labelsize=7, length=0)
            bar.ax.locator_params(nbins=4)
        title_of(figure, title)
        save(figure, png, svg)


def plot_brain_mask(
    png: str | Path,
    t1w: np.ndarray,
    mask: np.ndarray,
    affine: np.ndarray,
    title: str,
    slices: int = 7,
    svg: str | Path | None = None,
) -> None:
    """Draw the outline of the brain mask on the T1w volume as it was measured, face and all.

    Parameters
    ----------
    png, svg : str or Path
        Files to write; never part of a report meant for sharing.
    t1w, mask : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    title : str
    slices : int
        Axial slices; as many coronal and sagittal ones.
    """
    shape, grid = working_grid(mask, affine, _HEAD_MM, margin_mm=24.0)
    head = resample_to(np.nan_to_num(t1w), affine, shape, grid)
    brain = resample_to(mask, affine, shape, grid) > 0.5
    limits = (0.0, float(np.quantile(head[brain], 0.995)))
    contours = [(brain.astype(float), CONTOUR, 1.0)]
    with styled():
        figure = Figure(figsize=(1.7 * slices, 6.4), layout="constrained", facecolor="white")
        panels = figure.subplots(3, slices)
        for panel, cut in zip(panels.ravel(), cuts_through(brain, slices, slices, slices), strict=True):
            draw_slice(panel, head, cut, brain, grid, limits, contours, margin=12)
            panel.set_title(place_of(cut, grid), fontsize=7, pad=2)
        title_of(figure, title)
        save(figure, png, svg)
