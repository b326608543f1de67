"""The scores of decoders and trivial predictors, drawn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hyper.io.tables import read_table
from hyper.report.names import is_trivial, main_metrics, metric_label, number, predictor_label
from hyper.report.style import INK, MARKERS, MUTED, PALETTE, RULE, WIDTH, styled


def read_metrics(path: str | Path) -> pd.DataFrame:
    """Read metrics.tsv; labels of subjects, decoders and regions stay text."""
    labels = dict.fromkeys(("study", "subject", "decoder", "metric", "region"), str)
    return read_table(path, dtype=labels)


def draw_metrics(table: pd.DataFrame, decoders: Sequence[str]) -> Figure:
    """Draw one panel per metric: a dot with its standard error per predictor and subject.

    Parameters
    ----------
    table : DataFrame
        metrics.tsv. Where it has several regions, the first is drawn; of many metrics, one of each kind.
    decoders : sequence of str
        Order of the rows; other predictors follow, trivial ones hollow.

    Returns
    -------
    Figure
        Dashed line: chance; dotted line: ceiling; of each predictor where they differ.
    """
    table = first_region(table)
    metrics, subjects = main_metrics(table["metric"]), list(dict.fromkeys(table["subject"]))
    predictors = ordered_predictors(table, decoders)
    columns = 2 if len(metrics) > 1 else 1
    rows = -(-len(metrics) // columns)
    panel = max(1.25, 0.21 * len(predictors) * max(1, 0.55 * len(subjects)) + 0.62)
    legend = 0.4
    with styled():
        figure, grid = plt.subplots(
            rows, columns, figsize=(WIDTH, rows * panel + legend), squeeze=False, sharey=True, layout="constrained"
        )
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - legend / (rows * panel + legend)), wspace=0.05)
        for axes, metric in zip(grid.flat, metrics, strict=False):
            _draw_panel(axes, table[table["metric"] == metric], metric, predictors, subjects)
        for axes in grid.flat[len(metrics) :]:
            axes.set_visible(False)
        figure.legend(handles=_legend(subjects), loc="upper left", ncols=len(subjects) + 3, bbox_to_anchor=(0, 1))
    return figure


def first_region(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the table's first region; all where the region is not stated."""
    regions = table["region"].dropna()
    return table if regions.empty else table[table["region"] == regions.iloc[0]]


def ordered_predictors(table: pd.DataFrame, decoders: Sequence[str]) -> list[str]:
    """Predictors of a table: `decoders` first, the trivial ones last."""
    present = list(dict.fromkeys(table["decoder"]))
    first = [name for name in decoders if name in present]
    return first + sorted((name for name in present if name not in first), key=is_trivial)


def _draw_panel(axes: Axes, part: pd.DataFrame, metric: str, predictors: list[str], subjects: list[str]) -> None:
    axes.set_ylim(len(predictors) - 0.4, -0.6)
    for place in range(1, len(predictors)):
        axes.axhline(place - 0.5, color=RULE, linewidth=0.4, zorder=0)
    offsets = np.linspace(-0.22, 0.22, len(subjects)) if len(subjects) > 1 else [0.0]
    for index, (subject, offset) in enumerate(zip(subjects, offsets, strict=True)):
        colour, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
        own = part[part["subject"] == subject].drop_duplicates("decoder").set_index("decoder")
        for place, name in enumerate(predictors):
            if name in own.index:
                face = "white" if is_trivial(name) else colour
                row = own.loc[name]
                axes.errorbar(
                    row["value"], place + offset, xerr=row["sem"] if np.isfinite(row["sem"]) else None, fmt=marker,
                    color=colour, markerfacecolor=face, markersize=4, markeredgewidth=0.9, elinewidth=0.9, capsize=1.8,
                )  # fmt: skip
    _draw_bound(axes, part, "ceiling", predictors, {"color": MUTED, "linewidth": 1, "linestyle": ":"})
    _draw_bound(axes, part, "chance", predictors, {"color": INK, "linewidth": 0.8, "linestyle": (0, (4, 3))})
    axes.set_yticks(range(len(predictors)), [predictor_label(name) for name in predictors])
    for label, name in zip(axes.get_yticklabels(), predictors, strict=False):  # inner panels have none
        label.set_color(MUTED if is_trivial(name) else INK)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.set_title(metric_label(metric))
    axes.set_xlabel(_stated(part), color=MUTED)
    axes.margins(x=0.08)


def _draw_bound(axes: Axes, part: pd.DataFrame, column: str, predictors: list[str], style: Mapping[str, Any]) -> None:
    """Draw chance or ceiling through the panel, or, where predictors differ in it, beside each (mean over people)."""
    values = part[[column, "decoder"]].dropna().groupby("decoder")[column].mean()
    if values.empty:
        return
    if np.ptp(values) < 0.01 * np.ptp(part["value"].dropna()):
        axes.axvline(values.mean(), zorder=1, **style)
        return
    for place, name in enumerate(predictors):
        value = values.get(name, np.nan)
        axes.plot([value, value], [place - 0.42, place + 0.42], zorder=1, **style)


def _stated(part: pd.DataFrame) -> str:
    """Chance and ceiling in words."""
    words = []
    for column in ("chance", "ceiling"):
        if len(values := part[column].dropna()):
            digits = 2 if np.ptp(part["value"].dropna()) > 0.05 else 4
            low, high = number(values.min(), digits), number(values.max(), digits)
            words.append(f"{column} {low}" if low == high else f"{column} {low} to {high}")
    return ", ".join([*words, *(["no ceiling"] if part["ceiling"].isna().all() else [])])


def _legend(subjects: list[str]) -> list[Line2D]:
    marks = [
        Line2D([], [], color=PALETTE[i % 6], marker=MARKERS[i % 6], markersize=4, linestyle="", label=f"sub-{name}")
        for i, name in enumerate(subjects)
    ]
    hollow = Line2D([], [], color=MUTED, marker="o", markerfacecolor="white", linestyle="", markersize=4)
    hollow.set_label("trivial predictor")
    chance = Line2D([], [], color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label="chance")
    return [*marks, hollow, chance, Line2D([], [], color=MUTED, linewidth=1, linestyle=":", label="ceiling")]
