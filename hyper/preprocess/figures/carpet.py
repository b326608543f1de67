"""The signals of a run at a glance: a carpet of voxels below its traces."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyper.preprocess.figures.style import COLOURS, CONTOUR, INK, save, styled, title_of

_TISSUE_COLOURS = {"grey matter": "#5b6770", "white matter": "#c9ced3", "cerebrospinal fluid": "#56b4e9"}
_SPREAD = 2.0


def plot_carpet(
    png: str | Path,
    carpet: np.ndarray,
    tissues: np.ndarray,
    confounds: pd.DataFrame,
    title: str,
    displacement_mm: float = 0.5,
    svg: str | Path | None = None,
) -> None:
    """Draw standardised voxel signals, tissue by tissue, below framewise displacement, DVARS and the global signal.

    After Power (2017), NeuroImage 154, 150.

    Parameters
    ----------
    png, svg : str or Path
        Files to write.
    carpet : ndarray, shape (row, volume)
        In standard deviations.
    tissues : ndarray of str, shape (row,)
        Rows of one tissue stand together.
    confounds : DataFrame
        framewise_displacement, std_dvars, global_signal.
    title : str
    displacement_mm : float
        Where to draw the line of framewise displacement.
    """
    with styled():
        figure = Figure(figsize=(12, 6.6), layout="constrained")
        panels = figure.subplots(4, 1, sharex=True, gridspec_kw={"height_ratios": [1, 1, 1, 5.5]})
        displacement = confounds["framewise_displacement"].fillna(0)
        _trace(panels[0], displacement, "FD (mm)", INK, fill=True)
        panels[0].axhline(displacement_mm, color=CONTOUR, linewidth=0.9, linestyle="--")
        panels[0].set_ylim(0, 1.15 * max(1.4 * displacement_mm, float(displacement.max())))
        _trace(panels[1], confounds["std_dvars"], "std DVARS", COLOURS[1])
        signal = confounds["global_signal"]
        _trace(panels[2], 100 * (signal / signal.mean() - 1), "global (%)", COLOURS[2])
        _draw_carpet(panels[3], carpet)
        _draw_tissues(panels[3], tissues)
        title_of(figure, title)
        save(figure, png, svg)


def _trace(axes: Axes, values: pd.Series, label: str, colour: str, fill: bool = False) -> None:
    axes.plot(np.arange(len(values)), values, color=colour, linewidth=0.8)
    if fill:
        axes.fill_between(np.arange(len(values)), 0, values, color=colour, alpha=0.15, linewidth=0)
    axes.set_ylabel(label, fontsize=8)
    axes.tick_params(labelsize=7, bottom=False)
    axes.spines["bottom"].set_visible(False)
    axes.locator_params(axis="y", nbins=3)
    axes.margins(x=0)


def _draw_carpet(axes: Axes, carpet: np.ndarray) -> None:
    axes.imshow(carpet, cmap="gray", vmin=-_SPREAD, vmax=_SPREAD, aspect="auto", interpolation="antialiased")
    axes.set_xlim(-0.5, carpet.shape[1] - 0.5)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"volume   (voxels within ±{_SPREAD:g} standard deviations, trend removed)")


def _draw_tissues(axes: Axes, tissues: np.ndarray) -> None:
    strip = axes.inset_axes((-0.013, 0, 0.009, 1))
    start = 0
    for name in dict.fromkeys(tissues):
        count = int((tissues == name).sum())
        strip.axhspan(start - 0.5, start + count - 0.5, color=_TISSUE_COLOURS.get(name, INK), linewidth=0)
        text = name.replace("cerebrospinal fluid", "CSF")
        strip.text(-0.5, start + count / 2, text, rotation=90, ha="right", va="center", fontsize=8, clip_on=False)
        start += count
    strip.set_ylim(start - 0.5, -0.5)
    strip.set_xlim(0, 1)
    strip.set_axis_off()
