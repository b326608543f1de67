"""Decoding over time, drawn and in words."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyper.report.names import metric_label, number, p_value
from hyper.report.scores import Cell, Table
from hyper.report.style import INK, MARKERS, MUTED, PALETTE, RULE, WIDTH, styled

_ONSET = 1e-6  # ms
MAIN = "latent_pearson_dimension"  # its chance is 0 whatever the mean of latents, and it grows evenly with the signal


def region_label(name: str) -> str:
    """Name of a region in print."""
    return "All channels" if name == "all" else name


def colour_of(place: int) -> str:
    """Colour of a region: ink for all channels, which come first, then the palette."""
    return INK if place == 0 else PALETTE[(place - 1) % len(PALETTE)]


def draw_curves(curves: pd.DataFrame, latencies: pd.DataFrame) -> Figure:
    """Draw one panel per metric: a line per region with its interval, at the middle of each window.

    Parameters
    ----------
    curves, latencies : DataFrame
        Of `hyper.evaluation.over_time.score_windows` and `find_latencies`.

    Returns
    -------
    Figure
        Shading: time before the onset. Dashed line: chance, each region's mean. Marks at the foot: latency with its
        interval. Filled dots: windows above chance.
    """
    metrics, regions = list(dict.fromkeys(curves["metric"])), list(dict.fromkeys(curves["region"]))
    with styled():
        figure, grid = plt.subplots(
            len(metrics), 1, figsize=(WIDTH, 2.1 * len(metrics) + 0.3), squeeze=False, sharex=True,
            layout="constrained",
        )  # fmt: skip
        for axes, metric in zip(grid.flat, metrics, strict=True):
            _draw_panel(axes, curves[curves["metric"] == metric], latencies[latencies["metric"] == metric], regions)
            axes.set_title(metric_label(metric))
        grid[-1, 0].set_xlabel("Middle of the window, ms from the onset of the stimulus")
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=len(regions))
    return figure


def _draw_panel(axes: Axes, curves: pd.DataFrame, latencies: pd.DataFrame, regions: list[str]) -> None:
    axes.axvspan(float(curves["start_ms"].min()), 0, color=RULE, alpha=0.45, linewidth=0)
    axes.axhline(float(curves["chance"].mean()), color=INK, linewidth=0.8, linestyle=(0, (4, 3)), zorder=1)
    for place, region in enumerate(regions):
        own, colour = curves[curves["region"] == region].sort_values("window"), colour_of(place)
        centres = (own["start_ms"] + own["end_ms"]) / 2
        axes.fill_between(centres, own["ci_low"], own["ci_high"], color=colour, alpha=0.15, linewidth=0)
        axes.plot(centres, own["value"], color=colour, linewidth=1.2, label=region_label(region))
        above = (own["p_corrected"] < 0.05).to_numpy()
        for mask, face in ((above, colour), (~above, "white")):
            axes.plot(
                centres[mask], own["value"][mask], MARKERS[place % len(MARKERS)], color=colour, markerfacecolor=face,
                markersize=3.8, markeredgewidth=0.8,
            )  # fmt: skip
    low, high = axes.get_ylim()
    step = 0.05 * (high - low)
    for place, region in enumerate(regions):
        row = latencies[latencies["region"] == region].iloc[0]
        if np.isfinite(row["latency_ms"]):
            level = low - step * (place + 0.5)
            axes.plot([row["ci_low"], row["ci_high"]], [level, level], color=colour_of(place), linewidth=1.6)
            axes.plot(row["latency_ms"], level, "|", color=colour_of(place), markersize=6)
    axes.set_ylim(low - step * (len(regions) + 0.3), high)
    axes.set_xlim(float(curves["start_ms"].min()), float(curves["end_ms"].max()))
    axes.grid(axis="y")


def draw_generalisation(matrices: Mapping[str, np.ndarray], starts: np.ndarray, ends: np.ndarray) -> Figure:
    """Draw one matrix per region: the decoder of each window, a row, on every window, a column.

    Parameters
    ----------
    matrices : mapping of str to ndarray, shape (window, window)
        Trained on the window of the row, tested on that of the column.
    starts, ends : ndarray, shape (window,)
        ms from the onset.
    """
    most = max(float(matrix.max()) for matrix in matrices.values())
    least = min(0.0, *(float(matrix.min()) for matrix in matrices.values()))
    width = ends[0] - starts[0]
    centres, half = (starts + ends) / 2, (starts[1] - starts[0] if len(starts) > 1 else width) / 2
    unseen = centres[ends <= _ONSET]
    extent = (centres[0] - half, centres[-1] + half, centres[0] - half, centres[-1] + half)
    with styled():
        figure, grid = plt.subplots(
            1, len(matrices), figsize=(WIDTH, WIDTH / len(matrices) + 0.55), squeeze=False, sharey=True,
            layout="constrained",
        )  # fmt: skip
        for axes, (region, matrix) in zip(grid.flat, matrices.items(), strict=True):
            drawn = axes.imshow(matrix, origin="lower", extent=extent, vmin=least, vmax=most, cmap="viridis")
            # windows below and left of these lines end before anything is shown
            for draw in (axes.axvline, axes.axhline) if len(unseen) else ():
                draw(unseen[-1] + half, color="white", linewidth=0.8, linestyle=(0, (4, 3)))
            axes.plot(extent[:2], extent[:2], color="white", linewidth=0.5, alpha=0.6)
            axes.set_title(region_label(region))
            axes.set_xlabel("tested at, ms")
        grid[0, 0].set_ylabel("trained at, ms")
        bar = figure.colorbar(drawn, ax=grid, fraction=0.05, pad=0.01, shrink=0.72)
        bar.set_label("correlation of latent dimensions")
        bar.outline.set_visible(False)
    return figure


def draw_frames(stimuli: np.ndarray, made: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Figure:
    """Draw one row per stimulus: reconstructions from each window, and what was seen on the right.

    Parameters
    ----------
    stimuli : ndarray of uint8, shape (stimulus, height, width, 3)
    made : ndarray of uint8, shape (window, stimulus, height, width, 3)
    starts, ends : ndarray, shape (window,)
    """
    rows, columns, gap = len(stimuli), len(made) + 1, 0.02
    head, size = 0.36, WIDTH / max(columns, 6)
    width, height = columns * size, head + rows * size
    with styled():
        figure = plt.figure(figsize=(width, height))
        for column in range(columns):
            last = column == len(made)
            label = "Seen" if last else f"{_ms(starts[column])} to\n{_ms(ends[column])} ms"
            colour = MUTED if not last and ends[column] <= 0 else INK
            figure.text(
                (column + 0.5) * size / width, 1 - 0.5 * head / height, label, ha="center", va="center", color=colour,
                weight="bold" if last else "normal", fontsize=6.5,
            )  # fmt: skip
            for row in range(rows):
                bottom, side = height - head - (row + 1) * size, size - 2 * gap
                place = (column * size + gap) / width, (bottom + gap) / height, side / width, side / height
                axes = figure.add_axes(place)
                axes.imshow(stimuli[row] if last else made[column][row], interpolation="antialiased")
                axes.set_axis_off()
    return figure


def time_sentences(curves: pd.DataFrame, latencies: pd.DataFrame) -> list[str]:
    """Say in words what was decoded before the onset, and in which order the regions follow."""
    own = curves[curves["metric"] == MAIN]
    before = own[own["before_onset"] == 1]
    windows, width = own["window"].nunique(), float((own["end_ms"] - own["start_ms"]).iloc[0])
    starts = sorted(own["start_ms"].unique())
    stride = f" at a stride of {starts[1] - starts[0]:g} ms" if len(starts) > 1 else ""
    sentences = [f"{windows} windows of {width:g} ms{stride}, {_ms(starts[0])} to {_ms(own['end_ms'].max())} ms."]
    if before.empty:
        sentences.append("No window ends before the onset, so that chance stands for the noise floor.")
    else:
        least = before.sort_values("p").iloc[0]
        clean = "Nothing is decodable" if least["p_corrected"] >= 0.05 else "Something seems to be decodable"
        sentences.append(
            f"{clean} before the onset: the least of {len(before)} p-values there is {number(least['p'])} "
            f"({region_label(str(least['region']))}), {number(least['p_corrected'])} corrected over windows and "
            "regions."
        )
    for _, row in latencies[latencies["metric"] == MAIN].iterrows():
        name = region_label(str(row["region"]))
        if not np.isfinite(row["latency_ms"]):
            sentences.append(f"{name}: the curve does not rise.")
            continue
        planted = f"; planted {row['planted_ms']:.0f} ms" if np.isfinite(row.get("planted_ms", np.nan)) else ""
        sentences.append(
            f"{name}: the correlation of latent dimensions has risen halfway at {number(row['latency_ms'], 0)} ms "
            f"(95 % from {number(row['ci_low'], 0)} to {number(row['ci_high'], 0)} ms){planted}."
        )
    return sentences


def latency_table(latencies: pd.DataFrame) -> Table:
    """Latencies of every region and metric."""
    columns = [("Region", "region"), ("Metric", "metric"), ("Latency (ms)", "latency_ms"), ("95 %", "ci_low")]
    columns += [("Later than the first region by (ms)", "later_ms"), ("95 %", "later_ci_low")]
    columns += [("Above chance from", "first_start_ms"), ("Floor", "floor"), ("Peak", "peak")]
    rows = []
    for _, row in latencies.iterrows():
        risen = np.isfinite(row["first_start_ms"])
        first = f"{_ms(row['first_start_ms'])} to {_ms(row['first_end_ms'])} ms" if risen else "–"
        cells = [Cell(region_label(row["region"]), row["region"], word=True)]
        cells.append(Cell(metric_label(row["metric"]), row["metric"], word=True))
        cells += [_time(row["latency_ms"]), _range(row["ci_low"], row["ci_high"])]
        cells += [_time(row["later_ms"]), _range(row["later_ci_low"], row["later_ci_high"])]
        rows.append([*cells, Cell(first), Cell(number(row["floor"])), Cell(number(row["peak"]))])
    return Table(columns, rows)


def curve_table(curves: pd.DataFrame) -> Table:
    """Every window's main score by region, with its p."""
    own, regions = curves[curves["metric"] == MAIN], list(dict.fromkeys(curves["region"]))
    rows = []
    for _, part in own.groupby("window"):
        start, end = float(part["start_ms"].iloc[0]), float(part["end_ms"].iloc[0])
        cells = [Cell(f"{_ms(start)} to {_ms(end)} ms", repr(start))]
        for region in regions:
            row = part[part["region"] == region].iloc[0]
            cells.append(Cell(f"{number(row['value'])} ± {number(row['sem'])}", repr(row["value"]), p_value(row["p"])))
        rows.append(cells)
    return Table([("Window", ""), *((region_label(name), name) for name in regions)], rows)


def _ms(value: float) -> str:
    """A time without needless digits, with a true minus sign."""
    return f"{value:g}".replace("-", "−")


def _time(value: float) -> Cell:
    return Cell(number(value, 0), repr(float(value)) if np.isfinite(value) else "")


def _range(low: float, high: float) -> Cell:
    return Cell(f"{number(low, 0)} to {number(high, 0)}" if np.isfinite(low) else "–")
