"""Motion of all runs of a person, drawn."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyper.preprocess.figures.style import COLOURS, CONTOUR, INK, save, styled, title_of
from hyper.preprocess.motion import COLUMNS


def plot_motion(
    png: str | Path,
    runs: dict[str, pd.DataFrame],
    title: str,
    displacement_mm: float = 0.5,
    svg: str | Path | None = None,
) -> None:
    """Draw translations, rotations and framewise displacement of all runs of a subject.

    Parameters
    ----------
    png, svg : str or Path
        Files to write.
    runs : dict of DataFrame
        Motion table of each run, in order.
    title : str
    displacement_mm : float
        Where to draw the line of framewise displacement.
    """
    borders = np.cumsum([0, *(len(run) for run in runs.values())])
    placed = [run.set_index(np.arange(len(run)) + start) for run, start in zip(runs.values(), borders, strict=False)]
    with styled():
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
        title_of(figure, title)
        save(figure, png, svg)


def _draw_parameters(axes: Axes, runs: list[pd.DataFrame], columns: tuple[str, ...], factor: float, label: str) -> None:
    for column, colour, name in zip(columns, COLOURS, "xyz", strict=True):
        for index, run in enumerate(runs):
            axes.plot(run[column] * factor, color=colour, linewidth=1, label=None if index else name)
    axes.axhline(0, color="#dddddd", linewidth=0.8, zorder=0)
    axes.set_ylabel(label)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 0.98), "borderpad": 0}
    axes.legend(ncols=3, frameon=False, handlelength=1.2, columnspacing=1, **place)


def _draw_displacement(axes: Axes, runs: list[pd.DataFrame], line_mm: float) -> None:
    for run in runs:
        values = run["framewise_displacement"].dropna()
        axes.plot(values, color=INK, linewidth=0.8)
        axes.fill_between(values.index, 0, values, color=INK, alpha=0.15, linewidth=0)
    values = pd.concat(runs)["framewise_displacement"].dropna()
    axes.axhline(line_mm, color=CONTOUR, linewidth=0.9, linestyle="--")
    axes.set_ylim(0, 1.25 * max(1.5 * line_mm, float(values.max())))
    text = f"mean {values.mean():.2f} mm, largest {values.max():.2f} mm"
    text += f"; {(values > line_mm).sum()} of {len(values)} above {line_mm:g} mm"
    axes.set_title(text, loc="right", fontsize=8, color="#555555", pad=3)
    axes.set_ylabel("framewise\ndisplacement (mm)")
