"""What was recovered of the planted truth, as tables."""

from typing import Any

import pandas as pd

from hyper.report.names import significant, spell_out
from hyper.report.scores import Cell, Table


def truth_overview(table: pd.DataFrame) -> Table:
    """Quantities down, people across; where a quantity has a value per run, their mean and range.

    Parameters
    ----------
    table : DataFrame
        truth.tsv: subject, series (missing for a person as a whole), quantity, value, unit.
    """
    subjects = list(dict.fromkeys(table["subject"]))
    rows = []
    for quantity, part in table.groupby("quantity", sort=False):
        unit = part["unit"].dropna()
        cells = [Cell(spell_out(str(quantity)), str(quantity)), Cell(str(unit.iloc[0]) if len(unit) else "", word=True)]
        rows.append(cells + [_summary(part.loc[part["subject"] == subject, "value"].dropna()) for subject in subjects])
    columns = [("Quantity", ""), ("Unit", ""), *((f"sub-{subject}", "") for subject in subjects)]
    return Table(columns, rows)


def _summary(values: pd.Series) -> Cell:
    if values.empty:
        return Cell("–")
    mean = float(values.mean())
    several = f"{_short(values.min())} to {_short(values.max())} in {len(values)} runs" if len(values) > 1 else ""
    return Cell(_short(mean), repr(mean), several)


def _short(value: float) -> str:
    return significant(float(value), 3 if abs(value) < 1000 else 6)


def truth_rows(table: pd.DataFrame) -> Table:
    """Return the whole of truth.tsv, in print."""
    table = table.dropna(axis=1, how="all").drop(columns="study", errors="ignore")
    rows = [[_cell(str(name), value) for name, value in row.items()] for _, row in table.iterrows()]
    return Table([(spell_out(str(name)), str(name)) for name in table.columns], rows)


def _cell(name: str, value: Any) -> Cell:
    if isinstance(value, (int, float)) and not pd.isna(value):
        return Cell(significant(float(value)), repr(float(value)))
    if pd.isna(value):
        return Cell("–", word=True)
    return Cell(f"sub-{value}" if name == "subject" else str(value), str(value), word=True)
