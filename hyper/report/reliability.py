"""How reliable the responses are: figures, table and the word of the leakage audit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hyper.io.tables import read_json, read_table
from hyper.preprocess.template import Template
from hyper.report.brain import draw_strength
from hyper.report.names import number
from hyper.report.scores import Cell, Table
from hyper.report.style import MUTED, PALETTE, WIDTH, styled

_QUANTITIES = {
    "ncsnr": "Noise-ceiling SNR",
    "noise_ceiling": "Noise ceiling, % of variance",
    "reliability": "Split-half reliability",
    "identification_2way_independent": "Perfect model, 2-way identification",
    "identification_2way_correlated": "… that knows how noise is correlated",
    "identification_2way_independent_single_trial": "Perfect model shown single trials",
    "identification_2way_correlated_single_trial": "… single trials, and knows how noise is correlated",
    "repeats": "Repeats of a test stimulus",
}


def read_ceiling(path: str | Path) -> pd.DataFrame:
    """Read ceiling.tsv."""
    return read_table(path, dtype={"quantity": str, "voxels": str, "unit": str, "note": str})


def draw_ceiling(ncsnr: np.ndarray, affine: np.ndarray, table: pd.DataFrame, underlay: Template, slices: int) -> Figure:
    """Draw the noise-ceiling signal-to-noise ratio on the template brain.

    Parameters
    ----------
    ncsnr : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    table : DataFrame
        ceiling.tsv.
    underlay : Template
    slices : int
        Per orientation.
    """
    limit = _value(table, "ncsnr_without_signal", "brain")
    if not np.isfinite(limit):
        return draw_strength(np.zeros_like(ncsnr), affine, underlay, 0.0, slices, _why(table), "ncsnr")
    text = (
        f"{(ncsnr > limit).sum():,} voxels above {limit:.2f}, which 99.9 % of voxels without signal stay below; median "
        f"of the active voxels {_value(table, 'ncsnr', 'active'):.2f}"
    )
    return draw_strength(ncsnr, affine, underlay, limit, slices, text, "ncsnr")


def draw_reliability(maps: Mapping[str, np.ndarray], brain: np.ndarray, active: np.ndarray, why: str = "") -> Figure:
    """Draw histograms over the voxels of the brain and over the active ones.

    Parameters
    ----------
    maps : mapping of str to ndarray, shape (x, y, z)
        ncsnr, noise_ceiling and reliability.
    brain, active : ndarray of bool, shape (x, y, z)
    why : str
        Why there are no values.
    """
    with styled():
        figure, panels = plt.subplots(1, len(maps), figsize=(WIDTH, 2.2), layout="constrained")
        for panel, (name, values) in zip(panels, maps.items(), strict=True):
            _histogram(panel, values[brain], values[active & brain], why)
            panel.set_xlabel(_QUANTITIES[name])
        panels[0].set_ylabel("Share of voxels")
        panels[-1].legend(loc="upper left", fontsize=6.5, handlelength=1.2)
    return figure


def _histogram(panel: Axes, brain: np.ndarray, active: np.ndarray, why: str) -> None:
    finite = brain[np.isfinite(brain)]
    if not len(finite):
        panel.text(0.5, 0.5, why or "no values", transform=panel.transAxes, ha="center", color=MUTED, wrap=True)
        panel.set_yticks([])
        return
    edges = np.linspace(finite.min(), max(np.quantile(finite, 0.999), active.max(), finite.min() + 1e-6), 41)
    for values, colour, label in ((finite, MUTED, "brain"), (active, PALETTE[1], "active voxels")):
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        # a voxel without signal has exactly 0 by definition: the first bar may be cut
        panel.stairs(
            share, edges, color=colour, fill=label == "brain", alpha=0.5 if label == "brain" else 1, label=label
        )
    tall = np.sort(np.histogram(finite, edges)[0] / len(finite))[-2:]
    own = np.histogram(active, edges)[0].max() / max(len(active), 1)
    top = 1.15 * max(tall[0], own)
    panel.set_ylim(0, top)
    if tall[1] > top:
        panel.text(edges[1], top, f" {tall[1]:.0%} at 0", va="top", fontsize=6.5, color=MUTED)
    panel.axvline(np.median(active), color=PALETTE[1], linewidth=0.8, linestyle="--")


def audit_words(path: str | Path) -> dict[str, Any]:
    """Say what the leakage audit found.

    Returns
    -------
    dict
        text, and checks: a list of (question, number examined); notes.
    """
    content = read_json(path)
    checks = [(str(check["what"]), int(check["examined"])) for check in content["checks"]]
    verdict = "passed" if content["passed"] else "failed"
    return {
        "text": f"The leakage audit {verdict}: {len(checks)} questions put to the files.",
        "checks": checks,
        "notes": [str(note) for note in content["notes"]],
    }


def ceiling_table(paths: Mapping[str, Path]) -> Table:
    """Quantities down, people across, from the ceiling.tsv of each."""
    tables = {subject: read_ceiling(path) for subject, path in paths.items()}
    first = next(iter(tables.values()))
    rows = []
    for quantity, voxels in dict.fromkeys(zip(first["quantity"], first["voxels"], strict=True)):
        if quantity not in _QUANTITIES:
            continue
        where = "all of the brain" if voxels == "brain" else "active"
        cells = [Cell(_QUANTITIES[quantity], quantity), Cell(where, voxels, word=True)]
        rows.append(cells + [_cell(table, quantity, voxels) for table in tables.values()])
    return Table([("Quantity", ""), ("Voxels", ""), *((f"sub-{name}", "") for name in tables)], rows)


def _cell(table: pd.DataFrame, quantity: str, voxels: str) -> Cell:
    row = table[(table["quantity"] == quantity) & (table["voxels"] == voxels)]
    if row.empty or pd.isna(row["value"].iloc[0]):
        return Cell("–", small=str(row["note"].iloc[0]) if len(row) else "")
    value, lower, upper = (float(row[name].iloc[0]) for name in ("value", "lower", "upper"))
    digits = 1 if quantity in ("noise_ceiling", "repeats") else 3
    small = f"{number(lower, digits)} to {number(upper, digits)}"
    if "do not differ" in str(row["note"].iloc[0]):
        small += "; not beyond noise"
    return Cell(number(value, digits), repr(value), small)


def _value(table: pd.DataFrame, quantity: str, voxels: str) -> float:
    found = table.loc[(table["quantity"] == quantity) & (table["voxels"] == voxels), "value"]
    return float(found.iloc[0]) if len(found) else float("nan")


def _why(table: pd.DataFrame) -> str:
    notes = table.loc[table["quantity"] == "ncsnr", "note"].dropna()
    return f"no noise ceiling: {notes.iloc[0]}" if len(notes) else "no noise ceiling"
