"""What single regions carry, drawn and in a table."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hyper.report.metrics import ordered_predictors
from hyper.report.names import is_trivial, main_metrics, metric_label, number, p_value, predictor_label
from hyper.report.over_time import colour_of, region_label
from hyper.report.scores import Cell, Table
from hyper.report.style import INK, MARKERS, MUTED, RULE, WIDTH, styled

MEAN = "trivial-mean"


def draw_regional(table: pd.DataFrame, decoders: Sequence[str]) -> Figure:
    """Draw one panel per main metric: a dot with its standard error per decoder and region.

    Parameters
    ----------
    table : DataFrame
        metrics.tsv of one subject.
    decoders : sequence of str

    Returns
    -------
    Figure
        Dotted line: what the mean training latent scores. Dashed line: chance, the mean over dots.
    """
    own = table[table["decoder"].isin(list(decoders))]
    metrics, regions = main_metrics(own["metric"]), list(dict.fromkeys(own["region"]))
    names = ordered_predictors(own, decoders)
    columns = 2 if len(metrics) > 1 else 1
    rows = -(-len(metrics) // columns)
    panel = max(1.2, 0.36 * len(names) + 0.62)
    with styled():
        figure, grid = plt.subplots(
            rows, columns, figsize=(WIDTH, rows * panel + 0.35), squeeze=False, sharey=True, layout="constrained"
        )
        for axes, metric in zip(grid.flat, metrics, strict=False):
            part = own[own["metric"] == metric]
            offsets = np.linspace(-0.26, 0.26, len(regions))
            for place, (region, offset) in enumerate(zip(regions, offsets, strict=True)):
                scores = part[part["region"] == region].drop_duplicates("decoder").set_index("decoder")
                scores = scores.reindex(names)
                axes.errorbar(
                    scores["value"], np.arange(len(names)) + offset, xerr=scores["sem"], linestyle="",
                    marker=MARKERS[place % len(MARKERS)], color=colour_of(place), markersize=4, elinewidth=0.9,
                    capsize=1.8, label=region_label(region),
                )  # fmt: skip
            mean = table[(table["metric"] == metric) & (table["decoder"] == MEAN)]["value"]
            if len(mean):
                axes.axvline(float(mean.iloc[0]), color=MUTED, linewidth=1, linestyle=":", zorder=1)
            axes.axvline(float(part["chance"].mean()), color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
            for line in range(1, len(names)):
                axes.axhline(line - 0.5, color=RULE, linewidth=0.4, zorder=0)
            axes.set_ylim(len(names) - 0.4, -0.6)
            axes.set_yticks(range(len(names)), [predictor_label(name) for name in names])
            axes.tick_params(axis="y", length=0)
            axes.set_title(metric_label(metric))
            axes.grid(axis="x")
        for axes in grid.flat[len(metrics) :]:
            axes.set_visible(False)
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(regions))
    return figure


def regional_table(table: pd.DataFrame, decoders: Sequence[str]) -> Table:
    """Main metrics by decoder and region, the trivial predictors, which know no region, below.

    Parameters
    ----------
    table : DataFrame
        metrics.tsv of one subject.
    decoders : sequence of str
    """
    metrics = main_metrics(table["metric"])
    shown = [name for name in ordered_predictors(table, decoders) if name in decoders or is_trivial(name)]
    rows, muted = [], []
    for name in shown:
        own = table[table["decoder"] == name]
        for region in dict.fromkeys(own["region"]):
            label = region_label(region) if name in decoders else "–"
            cells = [Cell(predictor_label(name), name, word=True), Cell(label, region, word=True)]
            part = own[own["region"] == region].drop_duplicates("metric").set_index("metric").reindex(metrics)
            cells += [_score(row) for _, row in part.iterrows()]
            rows.append(cells)
            muted.append(is_trivial(name))
    columns = [("Predictor", "decoder"), ("Region", "region"), *((metric_label(name), name) for name in metrics)]
    return Table(columns, rows, [], muted)


def _score(row: pd.Series) -> Cell:
    if not np.isfinite(row["value"]):
        return Cell("–")
    text = number(row["value"]) + (f" ± {number(row['sem'])}" if np.isfinite(row["sem"]) else "")
    return Cell(text, repr(float(row["value"])), p_value(row["p"]))
