"""Attributes of faces: what moving along them does, and how well decoded faces keep them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from hyper.io.arrays import read_arrays
from hyper.io.tables import read_table
from hyper.report.names import number, p_value, predictor_label, spell_out
from hyper.report.scores import Cell, Table
from hyper.report.style import INK, MARKERS, MUTED, PALETTE, RULE, WIDTH, styled

SHOWN = 256  # pixels, of a picture's edge in print
ENDS = {
    "gender": ("female", "male"),
    "age": ("younger", "older"),
    "eyeglasses": ("without", "with"),
    "pose": ("to the left", "to the right"),
    "smile": ("serious", "smiling"),
}
_LABELS = dict.fromkeys(("study", "subject", "decoder", "directions", "attribute", "metric", "stimulus"), str)
_CORRELATION, _AGREEMENT = "attribute_correlation", "attribute_agreement"


def read_attributes(path: str | Path) -> pd.DataFrame:
    """Read attributes.tsv or attribute_scores.tsv; labels stay text."""
    return read_table(path, dtype=_LABELS)


def attribute_label(name: str) -> str:
    """Name of an attribute, or of a closed-form direction, in print."""
    return f"SeFa {name[4:]}" if name.startswith("sefa") and name[4:].isdigit() else spell_out(name)


def named_first(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the decision boundaries, or of the closed-form directions where there are no boundaries."""
    own = table[table["directions"] == "boundary"]
    return own if len(own) else table[table["directions"] == "sefa"]


def draw_edits(path: str | Path) -> Figure:
    """Draw a face moved along each direction, one row each, the face itself in the middle (edits.h5)."""
    arrays, facts = read_arrays(path, ["images", "names", "sets"])
    images, names, sets = arrays["images"], list(map(str, arrays["names"])), list(map(str, arrays["sets"]))
    distances = np.linspace(-facts["reach"], facts["reach"], images.shape[1])
    rows, columns = images.shape[:2]
    margin, head, gap, between = 1.15, 0.24, 0.02, 0.16
    size = (WIDTH - margin) / max(columns, 6)
    breaks = [row > 0 and sets[row] != sets[row - 1] for row in range(rows)]
    width, height = margin + columns * size, head + rows * size + between * sum(breaks)
    with styled():
        figure = plt.figure(figsize=(width, height))
        top = height - head
        for row, name in enumerate(names):
            top -= between * breaks[row]
            _row_label(figure, name, (margin - 0.1) / width, (top - size / 2) / height, 0.1 / height)
            for column in range(columns):
                box = (margin + column * size + gap, top - size + gap, size - 2 * gap, size - 2 * gap)
                axes = figure.add_axes((box[0] / width, box[1] / height, box[2] / width, box[3] / height))
                axes.imshow(_shrunk(images[row, column]), interpolation="antialiased")
                axes.set_axis_off()
            top -= size
        for column, distance in enumerate(distances):
            middle = (margin + (column + 0.5) * size) / width
            text = "face" if abs(distance) < 1e-9 else f"{distance:+.3g}".replace("-", "−")
            colour = INK if text == "face" else MUTED
            figure.text(middle, 1 - 0.5 * head / height, text, ha="center", va="center", color=colour)
    return figure


def _row_label(figure: Figure, name: str, x: float, y: float, line: float) -> None:
    ends = ENDS.get(name)
    figure.text(x, y + (line * 0.6 if ends else 0), attribute_label(name), ha="right", va="center", weight="bold")
    if ends:
        text = f"{ends[0]} → {ends[1]}"
        figure.text(x, y - line * 0.8, text, ha="right", va="center", fontsize=6, color=MUTED)


def _shrunk(image: np.ndarray) -> np.ndarray:
    if image.shape[0] <= SHOWN:
        return image
    return np.asarray(Image.fromarray(image).resize((SHOWN, SHOWN), Image.Resampling.LANCZOS))


def draw_attributes(table: pd.DataFrame, scores: pd.DataFrame, subject: str, decoders: Sequence[str]) -> Figure:
    """Draw the correlation of each attribute by decoder, and below it the scores by which the first decoder got there.

    Parameters
    ----------
    table : DataFrame
        attributes.tsv.
    scores : DataFrame
        attribute_scores.tsv.
    subject : str
    decoders : sequence of str
        Of the subject, in the order of the legend.
    """
    table, scores = (named_first(part[part["subject"] == subject]) for part in (table, scores))
    names = list(dict.fromkeys(table["attribute"]))
    with styled():
        figure = plt.figure(figsize=(WIDTH, 4.1), layout="constrained")
        grid = figure.add_gridspec(2, len(names), height_ratios=(1.25, 1))
        _draw_correlations(figure.add_subplot(grid[0, :]), table, names, decoders)
        own = scores[scores["decoder"] == decoders[0]]
        for column, name in enumerate(names):
            axes = figure.add_subplot(grid[1, column])
            row = _row(table, decoders[0], name, _CORRELATION)
            _draw_scores(axes, own[own["attribute"] == name], row, name)
            if column == 0:
                axes.set_ylabel(f"Score of the face decoded\n({predictor_label(decoders[0])})")
        figure.supxlabel("Score of the face seen, standard deviations of the latent", fontsize=7.5)
    return figure


def _row(table: pd.DataFrame, decoder: str, attribute: str, metric: str) -> pd.Series | None:
    chosen = (table["decoder"] == decoder) & (table["attribute"] == attribute) & (table["metric"] == metric)
    return table[chosen].iloc[0] if chosen.any() else None


def _draw_correlations(axes: Axes, table: pd.DataFrame, names: Sequence[str], decoders: Sequence[str]) -> None:
    offsets = np.linspace(-0.3, 0.3, len(decoders)) if len(decoders) > 1 else np.zeros(1)
    for index, (decoder, offset) in enumerate(zip(decoders, offsets, strict=True)):
        colour, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
        face = "white" if index // len(PALETTE) % 2 else colour  # hollow when the colours begin again
        found = [_row(table, decoder, name, _CORRELATION) for name in names]
        places = [place + offset for place, row in enumerate(found) if row is not None]
        values = np.array([row["value"] for row in found if row is not None], float)
        ends = np.array([(row["ci_low"], row["ci_high"]) for row in found if row is not None], float).reshape(-1, 2)
        reach = np.nan_to_num(np.abs(ends - values[:, None])).T
        axes.errorbar(
            places, values, yerr=reach, fmt=marker, color=colour, markerfacecolor=face, markersize=4, elinewidth=0.9,
            capsize=1.8, label=predictor_label(decoder),
        )  # fmt: skip
    axes.axhline(0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for place in range(1, len(names)):
        axes.axvline(place - 0.5, color=RULE, linewidth=0.4, zorder=0)
    axes.set_xticks(range(len(names)), [attribute_label(name) for name in names])
    axes.set_xlim(-0.5, len(names) - 0.5)
    shown = table[table["decoder"].isin(list(decoders)) & (table["metric"] == _CORRELATION)]
    axes.set_ylim(max(-1.02, min(-0.1, np.nanmin([0, *shown["ci_low"], *shown["value"]]) - 0.05)), 1.02)
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="y")
    axes.set_ylabel("Correlation r over the test faces")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(decoders), 6))


def _draw_scores(axes: Axes, part: pd.DataFrame, row: pd.Series | None, name: str) -> None:
    x, y = part["true"].to_numpy(float), part["decoded"].to_numpy(float)
    axes.axhline(0, color=RULE, linewidth=0.6, zorder=0)
    axes.axvline(0, color=RULE, linewidth=0.6, zorder=0)
    if len(x) > 2 and np.ptp(x) > 0:
        slope, level = np.polyfit(x, y, 1)
        ends = np.array([x.min(), x.max()])
        axes.plot(ends, level + slope * ends, color=MUTED, linewidth=1)
    axes.plot(x, y, MARKERS[0], color=PALETTE[0], markersize=3, alpha=0.8, markeredgewidth=0)
    axes.margins(0.08)
    axes.set_title(attribute_label(name))
    if row is not None:
        axes.set_xlabel(f"r = {number(row['value'], 2)}, {p_value(row['p'])}", fontsize=6.5, color=MUTED)


def attribute_table(table: pd.DataFrame, decoders_of: Mapping[str, Sequence[str]]) -> Table:
    """Correlation, with its p, and agreement of every attribute for the decoders of every subject."""
    table = named_first(table)
    names = list(dict.fromkeys(table["attribute"]))
    rows = []
    for subject, decoders in decoders_of.items():
        own = table[table["subject"] == subject]
        for decoder in decoders:
            cells = [_cell(own, decoder, name) for name in names]
            rows.append([Cell(f"sub-{subject}"), Cell(predictor_label(decoder), word=True), *cells])
    columns = [("Person", ""), ("Decoder", ""), *((attribute_label(name), name) for name in names)]
    return Table(columns, rows)


def _cell(table: pd.DataFrame, decoder: str, name: str) -> Cell:
    row, agreement = (_row(table, decoder, name, metric) for metric in (_CORRELATION, _AGREEMENT))
    if row is None:
        return Cell("–")
    small = [p_value(row["p"]), "" if agreement is None else f"{100 * agreement['value']:.0f} %"]
    return Cell(number(row["value"], 2), f"{row['value']:.6f}", "; ".join(word for word in small if word))
