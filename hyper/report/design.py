"""The design matrix of a run, drawn."""

import re
from itertools import groupby

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyper.glm.diagnostics import TOO_ALIKE, condition_number, variance_inflation
from hyper.report.style import INK, MUTED, PALETTE, WIDTH, styled

_TRIAL = re.compile(r"trial[_-]?\d+")

_GROUPS = [
    (re.compile(r"trial[_-]?\d+"), "trials"),
    (re.compile(r"null"), "null"),
    (re.compile(r"(trans|rot)_[xyz]"), "motion"),
    (re.compile(r"(csf|white_matter|global_signal|(std_)?dvars|framewise)"), "other confounds"),
    (re.compile(r"drift|cosine"), "drift"),
    (re.compile(r"constant|intercept"), "constant"),
]


def draw_design(design: pd.DataFrame, repetition_time: float | None = None, series: str = "") -> Figure:
    """Draw a design matrix as an image, each column scaled to its largest absolute value.

    Beneath it the variance inflation of each trial.

    Parameters
    ----------
    design : DataFrame, shape (volumes, regressors)
    repetition_time : float, optional
        Seconds; the axis counts volumes without it.
    series : str
        Label of the run.
    """
    values = design.to_numpy(float)
    peaks = np.abs(values).max(axis=0)
    scaled = values / np.where(peaks > 0, peaks, 1)
    step = repetition_time or 1.0
    groups = _column_groups([str(name) for name in design.columns])
    trials = [place for place, name in enumerate(design.columns) if _TRIAL.fullmatch(str(name))]
    with styled():
        rows, heights = (2, [5, 1]) if trials else (1, [1])
        figure, panels = plt.subplots(
            rows, 1, figsize=(WIDTH, 4.6 if trials else 3.9), layout="constrained", squeeze=False, sharex=True,
            height_ratios=heights,
        )  # fmt: skip
        axes = panels[0, 0]
        extent = (-0.5, values.shape[1] - 0.5, values.shape[0] * step, 0)
        # columns repeated: resampling that keeps brief peaks in time would blur neighbouring regressors
        wide = np.repeat(scaled, -(-2000 // values.shape[1]), axis=1)
        image = axes.imshow(
            wide, cmap="gray", vmin=-1, vmax=1, aspect="auto", interpolation="antialiased", extent=extent
        )
        axes.set_ylabel("Time (s)" if repetition_time else "Volume")
        about = f"{values.shape[1]} regressors, {values.shape[0]:,} volumes"
        about += f", condition number {condition_number(values):.1f}"
        panels[-1, 0].set_xlabel(f"{series}: {about}" if series else about, color=MUTED)
        axes.set_xticks([])
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        _bracket(axes, groups, values.shape[1])
        bar = figure.colorbar(image, ax=axes, shrink=0.5, aspect=18, pad=0.01, ticks=[-1, 0, 1])
        bar.set_label("Regressor, relative to its peak")
        bar.outline.set_visible(False)
        if trials:
            _draw_inflation(panels[1, 0], trials, variance_inflation(values, trials))
    return figure


def _draw_inflation(axes: Axes, trials: list[int], inflation: np.ndarray) -> None:
    """Draw the variance inflation of each trial under its column; those hard to tell apart stand out."""
    alike = inflation > TOO_ALIKE
    axes.vlines(trials, 1, inflation, color=[PALETTE[1] if bad else INK for bad in alike], linewidth=0.8)
    axes.set_ylim(1, max(2.0, 1.05 * inflation.max()))
    axes.set_ylabel("Variance\ninflation")
    axes.spines[["top", "right"]].set_visible(False)


def _column_groups(names: list[str]) -> list[tuple[str, int, int]]:
    """Label, first column and number of columns of each kind of regressor."""
    kinds = [next((label for pattern, label in _GROUPS if pattern.search(name)), name) for name in names]
    groups, start = [], 0
    for label, members in groupby(kinds):
        count = len(list(members))
        groups.append((label, start, count))
        start += count
    return groups


def _bracket(axes: Axes, groups: list[tuple[str, int, int]], columns: int) -> None:
    """Name the kinds of regressors above the matrix; names of narrow groups are turned to fit."""
    place = axes.get_xaxis_transform()
    for label, start, count in groups:
        gap = min(0.2, 0.0015 * columns)
        left, right = start - 0.5 + gap, start + count - 0.5 - gap
        axes.plot(
            [left, right], [1.015, 1.015], color=INK, linewidth=1, transform=place, clip_on=False, solid_capstyle="butt"
        )
        text = f"{count} {label}" if count > 1 else label
        wide = count / columns > 0.015 * len(text)
        axes.text(
            (left + right) / 2, 1.03, text, transform=place, ha="center", va="bottom",
            rotation=0 if wide else 90, fontsize=7 if wide else 6.5,
        )  # fmt: skip
