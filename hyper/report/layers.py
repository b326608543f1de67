"""Layers by region, and how well each layer's activation is decoded, drawn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyper.report.brain import label_colours
from hyper.report.names import p_value
from hyper.report.style import INK, MUTED, WIDTH, styled


def draw_layer_bars(layers: pd.DataFrame, regions: pd.DataFrame) -> Figure:
    """Draw the activation similarity of each layer, and the share of each layer in the voxels of each region.

    Parameters
    ----------
    layers : DataFrame
        From `hyper.mapping.tables.layer_table`.
    regions : DataFrame
        From `hyper.mapping.regions.region_table`.
    """
    names = layers["layer"].astype(str).tolist()
    with styled():
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(WIDTH, 2.7), gridspec_kw={"width_ratios": [1, 2.6]}, constrained_layout=True
        )
        _draw_similarity(left, layers, names)
        _draw_shares(right, regions, names)
    return figure


def _draw_similarity(axes: Axes, layers: pd.DataFrame, names: list[str]) -> None:
    places = np.arange(len(names))
    axes.bar(places, layers["similarity"], 0.7, yerr=layers["sem"], color=label_colours(len(names)), ecolor=INK)
    for place, row in enumerate(layers.to_dict("records")):
        axes.plot([place - 0.35, place + 0.35], [row["chance"]] * 2, color=INK, linewidth=1, linestyle=(0, (2, 1.5)))
        top = row["similarity"] + row["sem"] + 0.01
        axes.text(place, top, p_value(row["p"]), ha="center", fontsize=5.5, color=MUTED)
    axes.set_xticks(places, names)
    axes.set_ylim(0, max(float((layers["similarity"] + layers["sem"]).max()) * 1.12, 0.1))
    axes.set_ylabel("1 / (1 + MSE); dashed: chance")
    axes.set_title("Activation similarity", fontsize=7.5)


def _draw_shares(axes: Axes, regions: pd.DataFrame, names: list[str]) -> None:
    width = 0.8 / len(names)
    colours = label_colours(len(names))
    for number, (name, colour) in enumerate(zip(names, colours, strict=True)):
        places = np.arange(len(regions)) + (number - (len(names) - 1) / 2) * width
        axes.bar(places, 100 * regions[f"{name}_share"], 0.92 * width, color=colour, label=name)
    ticks = [str(row.region).replace(" ", "\n", 1) + f"\n{row.voxels}" for row in regions.itertuples()]
    axes.set_xticks(np.arange(len(regions)), ticks, fontsize=6 if len(ticks) > 7 else None)
    axes.set_ylabel("Share of the region's voxels (%)")
    axes.set_title("Layers by region (last line: voxels)", fontsize=7.5)
    axes.legend(ncols=len(names), loc="upper right", handlelength=0.9, handleheight=0.9, fontsize=6.5)
    axes.set_ylim(0, min(115, 118 * float(max(regions[f"{name}_share"].max() for name in names))))
