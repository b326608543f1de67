"""Encoding models, drawn and told: features by region, correlations, and where the channels lie."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from hyper.io.tables import read_table
from hyper.report.brain import label_colours
from hyper.report.encoding_labels import feature_label
from hyper.report.names import number
from hyper.report.scores import Cell, Table
from hyper.report.style import INK, MUTED, RULE, WIDTH, styled

ACROSS = 4  # regions side by side
EDGE = 8  # electrodes along an array
FADED = 0.22  # opacity of channels that are not significant
EVERY = "all"
BESIDE = 4  # features whose legend fits beside a line of text
LEGEND = 8  # in a line of its own


def read_shares(path: str | Path) -> pd.DataFrame:
    """Read the table of features by region; labels stay text."""
    return read_table(path, dtype={"region": str, "feature": str})


def read_channels(path: str | Path) -> pd.DataFrame:
    """Read the table of channels; labels stay text."""
    return read_table(path, dtype={"region": str, "feature": str, "array": str})


def draw_encoding(shares: pd.DataFrame, channels: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw for each region the share of channels that each feature predicts best, and below it the correlations.

    Parameters
    ----------
    shares : DataFrame
        From `hyper.encoding.scores.share_table`. Light bars: all channels; full ones: significant channels alone.
    channels : DataFrame
        From `hyper.encoding.files.channel_table`. Boxes hold the middle half of a region's channels, whiskers 90 %.
    names : sequence of str
        Features.
    """
    regions = list(dict.fromkeys(shares["region"]))
    columns = min(len(regions), ACROSS)
    blocks = -(-len(regions) // columns)
    with styled():
        figure, grid = plt.subplots(
            2 * blocks, columns, figsize=(WIDTH, 0.35 + 3.1 * blocks), squeeze=False, layout="constrained",
            height_ratios=[1.2, 1] * blocks,
        )  # fmt: skip
        head = _head(names)
        figure.get_layout_engine().set(rect=(0, 0, 1, 1 - head / figure.get_figheight()))
        limits = _limits(channels, names)
        for place in range(blocks * columns):
            block, column = divmod(place, columns)
            upper, lower = grid[2 * block, column], grid[2 * block + 1, column]
            if place >= len(regions):
                upper.set_axis_off()
                lower.set_axis_off()
                continue
            region = regions[place]
            _draw_shares(upper, shares[shares["region"] == region], names, unit_of(channels))
            inside = channels if region == EVERY else channels[channels["region"] == region]
            _draw_correlations(lower, inside, names, limits)
            if column == 0:
                upper.set_ylabel(f"Best feature (% of {unit_of(channels)})")
                lower.set_ylabel("Correlation r")
        _legend(figure, f"Light: all {unit_of(channels)}; full: significant ones", names)
    return figure


def unit_of(channels: pd.DataFrame) -> str:
    """What the rows of a table of channels are."""
    return "voxels" if "i" in channels else "channels"


def _head(names: Sequence[str]) -> float:
    """Inches above the panels: a line of text, and lines of the legend where it does not fit beside that."""
    return 0.3 if len(names) <= BESIDE else 0.24 + 0.16 * -(-len(names) // LEGEND)


def _legend(figure: Figure, text: str, names: Sequence[str]) -> None:
    height = figure.get_figheight()
    figure.text(0.012, 1 - 0.05 / height, text, va="top")
    colours = label_colours(len(names))
    handles = [Patch(color=colour, label=feature_label(name)) for colour, name in zip(colours, names, strict=True)]
    beside = len(names) <= BESIDE
    figure.legend(
        handles=handles, loc="upper right" if beside else "upper left", ncols=len(names) if beside else LEGEND,
        bbox_to_anchor=(1, 1) if beside else (0, 1 - 0.17 / height), borderaxespad=0.2, handlelength=0.9,
        handleheight=0.9, columnspacing=1.2, handletextpad=0.4,
    )  # fmt: skip


def _draw_shares(axes: Axes, table: pd.DataFrame, names: Sequence[str], unit: str) -> None:
    rows = table.set_index("feature").loc[list(names)]
    places, colours = np.arange(len(names)), label_colours(len(names))
    axes.bar(places, rows["share"], 0.8, color=[to_rgba(colour, 0.35) for colour in colours])
    axes.bar(places, rows["significant_share"].fillna(0), 0.4, color=colours)
    row = rows.iloc[0]
    axes.set_title(str(table["region"].iloc[0]), fontsize=7.5, pad=11)
    text = f"{row['channels']:,} {unit}, {row['significant_channels']:,} significant"
    axes.text(0, 1.02, text, transform=axes.transAxes, fontsize=6, color=MUTED)
    axes.set_xticks([])
    axes.set_ylim(0, 105)
    axes.grid(axis="y")


def _draw_correlations(axes: Axes, table: pd.DataFrame, names: Sequence[str], limits: tuple[float, float]) -> None:
    values = [table[f"r_{name}"].to_numpy(float) for name in names]
    boxes = axes.boxplot(
        values, positions=np.arange(len(names)), widths=0.6, whis=(5, 95), showfliers=False, patch_artist=True,
        medianprops={"color": INK, "linewidth": 1}, whiskerprops={"color": MUTED, "linewidth": 0.7},
        capprops={"color": MUTED, "linewidth": 0.7}, boxprops={"linewidth": 0},
    )  # fmt: skip
    for patch, colour in zip(boxes["boxes"], label_colours(len(names)), strict=True):
        patch.set_facecolor(colour)
    axes.axhline(0, color=INK, linewidth=0.7, linestyle=(0, (4, 3)), zorder=1)
    axes.set_xticks([])
    axes.set_ylim(*limits)
    axes.grid(axis="y")


def _limits(channels: pd.DataFrame, names: Sequence[str]) -> tuple[float, float]:
    values = channels[[f"r_{name}" for name in names]].to_numpy(float)
    low, high = np.nanquantile(values, [0.01, 0.99])
    return min(-0.1, low - 0.05), min(1.02, max(0.2, high + 0.05))


def draw_arrays(channels: pd.DataFrame, names: Sequence[str]) -> Figure:
    """Draw the best feature of every channel, arrays of 8 x 8 side by side, those of a region in a row.

    Channels of an array are laid out row by row as published. Where no array is known, the channels of a region are
    taken 64 at a time. Channels that are not significant are faint.

    Parameters
    ----------
    channels : DataFrame
        From `hyper.encoding.files.channel_table`.
    names : sequence of str
        Features.
    """
    rows = {region: arrays_of(own) for region, own in channels.groupby("region", sort=False)}
    most = max(map(len, rows.values()))
    across = min(most, 8)
    lines = [
        (region, arrays[start : start + across])
        for region, arrays in rows.items()
        for start in range(0, len(arrays), across)
    ]
    margin, head, gap = 0.75, _head(names) + 0.04, 0.22
    size = (WIDTH - margin) / max(across, 5)
    height = head + len(lines) * (size + gap)
    colours = np.array([to_rgba(colour) for colour in label_colours(len(names))])
    count = int(channels["significant"].sum())
    with styled():
        figure = plt.figure(figsize=(WIDTH, height))
        text = f"{count:,} of {len(channels):,} {unit_of(channels)} are significant; the others are faint"
        _legend(figure, text, names)
        before = None
        for line, (region, arrays) in enumerate(lines):
            bottom = height - head - (line + 1) * (size + gap) + gap / 2
            if region != before:
                figure.text(0.1 / WIDTH, (bottom + size / 2) / height, region, va="center", weight="bold")
            before = region
            for column, (label, own) in enumerate(arrays):
                inset = 0.04
                box = (margin + column * size + inset, bottom + inset, size - 2 * inset, size - 2 * inset)
                axes = figure.add_axes((box[0] / WIDTH, box[1] / height, box[2] / WIDTH, box[3] / height))
                _draw_array(axes, own, names, colours)
                axes.set_title(label, fontsize=6, weight="normal", pad=2)
    return figure


def arrays_of(channels: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Label and channels of the arrays of a region, at most 64 channels each."""
    if "array" in channels:
        groups = [(f"array {label}", own) for label, own in channels.groupby("array", sort=False)]
    else:
        groups = [("", channels)]
    found = []
    for label, own in groups:
        for start in range(0, len(own), EDGE**2):
            part = own.iloc[start : start + EDGE**2]
            found.append((label or f"{part['channel'].iloc[0]} to {part['channel'].iloc[-1]}", part))
    return found


def _draw_array(axes: Axes, own: pd.DataFrame, names: Sequence[str], colours: np.ndarray) -> None:
    picture = np.ones((EDGE**2, 4))
    picture[:, 3] = 0
    index = own["feature"].map({name: place for place, name in enumerate(names)}).to_numpy(int)
    picture[: len(own)] = colours[index]
    picture[: len(own), 3] = np.where(own["significant"].to_numpy() == 1, 1, FADED)
    axes.imshow(picture.reshape(EDGE, EDGE, 4), interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(RULE)


def share_overview(shares: pd.DataFrame) -> Table:
    """Percent of the channels of each region that each feature predicts best; in small print, of significant ones."""
    names = list(dict.fromkeys(shares["feature"]))
    rows = []
    for region, own in shares.groupby("region", sort=False):
        by_feature = own.set_index("feature")
        first = own.iloc[0]
        cells = [
            Cell(str(region)),
            Cell(f"{first['channels']:,}", small=f"{first['significant_channels']:,} significant"),
        ]
        for name in names:
            row = by_feature.loc[name]
            cells.append(Cell(number(row["share"], 1), f"{row['share']:.6f}", number(row["significant_share"], 1)))
        rows.append(cells)
    return Table([("Region", ""), ("Channels", ""), *((feature_label(name), name) for name in names)], rows)


def planted_sentence(channels: pd.DataFrame) -> str:
    """How many significant channels have the feature that was planted in them as their best; empty if none is known.

    Parameters
    ----------
    channels : DataFrame
        From `hyper.encoding.files.channel_table`, with the column ``planted`` in a simulated study.
    """
    if "planted" not in channels:
        return ""
    names = [column.removeprefix("r_") for column in map(str, channels.columns) if column.startswith("r_")]
    own = channels[(channels["significant"] == 1) & channels["planted"].isin(names)]
    if own.empty:
        return ""
    found = own["feature"] == own["planted"]
    regions = [
        f"{region} ({', '.join(map(feature_label, dict.fromkeys(part['planted'])))}) "
        f"{number(100 * found[part.index].mean(), 1)} %"
        for region, part in own.groupby("region", sort=False)
    ]
    return (
        f"What was planted is known: it is the best feature of {found.sum():,} of {len(own):,} significant channels "
        f"({number(100 * found.mean(), 1)} %): {'; '.join(regions)}."
    )


def partition_overview(table: pd.DataFrame) -> Table:
    """Mean R2 of the joint model by region, and what of it is unique to each feature or shared."""
    columns = list(map(str, table.columns))
    names = [column.removeprefix("unique_") for column in columns if column.startswith("unique_")]
    keys = ["joint", *(f"unique_{name}" for name in names), "shared"]
    labels = ["Joint", *(f"Only {feature_label(name)}" for name in names), "Shared"]
    rows = [
        [
            Cell(str(row["region"])),
            Cell(f"{row['channels']:,}"),
            *(Cell(number(row[key]), f"{row[key]:.6f}") for key in keys),
        ]
        for row in table.to_dict("records")
    ]
    return Table([("Region", ""), ("Significant channels", ""), *zip(labels, keys, strict=True)], rows)


def encoding_people(tables: Mapping[str, Path], figures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the page shows of each subject.

    Parameters
    ----------
    tables : mapping of str to Path
        Table of features by region; that of the partition lies beside it, where there is one.
    figures : sequence of mapping
        Embedded, each with its ``subject``.
    """
    people = []
    for subject, path in tables.items():
        partition = path.with_name(f"sub-{subject}_partition.tsv")
        people.append(
            {
                "subject": subject,
                "figures": [figure for figure in figures if figure["subject"] == subject],
                "table": share_overview(read_shares(path)),
                "planted": planted_sentence(read_channels(path.with_name(f"sub-{subject}_channels.tsv"))),
                "partition": partition_overview(read_table(partition, dtype={"region": str}))
                if partition.exists()
                else None,
            }
        )
    return people
