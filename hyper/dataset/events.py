"""events.tsv -> one row per trial, times in seconds; every interpretation is said aloud."""

from pathlib import Path

import numpy as np
import pandas as pd

from hyper.errors import DataError, DatasetError
from hyper.io.tables import read_table


def read_events(path: str | Path) -> pd.DataFrame:
    """Read and check a table of events.

    Returns
    -------
    DataFrame
        Columns onset, duration (float, unit as in the file), stim_file and trial_type (str or missing), by onset.

    Raises
    ------
    DatasetError
        When the file is missing, empty, not tab-separated, or an onset or duration is no number.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError(
            path, "the events file is missing", "Restore it: without it nobody knows what was shown when"
        )
    try:
        table = read_table(path, dtype={"stim_file": str, "trial_type": str})
    except DataError as fault:
        raise DatasetError(path, fault.fault, "Write a tab-separated table with onset and duration") from fault
    if not isinstance(table.index, pd.RangeIndex):  # pandas takes columns without a name for one
        raise DatasetError(path, "its lines have more cells than its header", "Correct the table")
    for column in ("onset", "duration"):
        if column not in table:
            hint = " (is it comma-separated?)" if len(table.columns) == 1 and "," in str(table.columns[0]) else ""
            raise DatasetError(path, f"the column {column!r} is missing{hint}", "Write a tab-separated table with it")
        numbers = pd.to_numeric(table[column], errors="coerce").to_numpy(float)
        bad = np.flatnonzero(~np.isfinite(numbers) | ((numbers < 0) & (column == "duration")))
        if len(bad):
            value = table[column].iloc[bad[0]]
            said = "missing" if pd.isna(value) else f"{str(value)[:40]!r}, no usable number"
            raise DatasetError(path, f"line {bad[0] + 2}: {column} is {said}", "Correct the line")
        table[column] = numbers
    if table.empty:
        raise DatasetError(path, "it holds no event", "Restore the events of the run")
    for column in ("stim_file", "trial_type"):
        if column not in table:
            table[column] = pd.Series(pd.NA, index=table.index, dtype=object)
    return table[["onset", "duration", "stim_file", "trial_type"]].sort_values(
        "onset", kind="stable", ignore_index=True
    )


def collapse_rows(table: pd.DataFrame, how: str, path: str | Path) -> tuple[pd.DataFrame, list[str]]:
    """Merge the rows that describe one trial: same onset, stimulus and type.

    Parameters
    ----------
    table : DataFrame
        From `read_events`.
    how : {"auto", "first", "sum", "longest", "none"}
        Duration of the merged trial. ``auto`` merges (longest) only where every trial has the same number of rows.
    path : str or Path
        For messages.

    Returns
    -------
    table : DataFrame
        One row a trial.
    readings : list of str
        What was done, in words.

    Raises
    ------
    DatasetError
        In ``auto``, when only some trials are repeated.
    """
    alike = ["onset", "stim_file", "trial_type"]
    if how == "none" or not table.duplicated(alike).any():
        return table, []
    groups = table.groupby(alike, dropna=False, sort=False)["duration"]
    counts = groups.size().to_numpy()
    if how == "auto" and counts.min() != counts.max():
        raise DatasetError(
            path,
            f"some trials have one row and others up to {counts.max()} with the same onset and stimulus",
            "Correct the table, or set dataset.events.collapse to first, sum, longest or none",
        )
    merge = {"auto": "max", "longest": "max"}.get(how, how)
    merged = groups.agg(merge).reset_index()[list(table.columns)]
    rule = {"max": "the longest", "sum": "the sum of the", "first": "the first"}[merge]
    rows = f"{counts.max()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    return merged, [
        f"every trial stands in {rows} rows with the same onset and stimulus; read as one trial with {rule} duration "
        f"({len(table)} rows, {len(merged)} trials)"
    ]


def durations_in_seconds(table: pd.DataFrame, unit: str) -> tuple[pd.DataFrame, list[str]]:
    """Convert durations to seconds.

    In ``auto`` they are milliseconds when, as seconds, the typical trial would last beyond ten onset steps, and as
    milliseconds it fits between its neighbours.
    """
    if unit == "auto":
        step = float(np.median(np.diff(table["onset"]))) if len(table) > 1 else np.inf
        typical = float(table["duration"].median())
        unit = "ms" if typical > 10 * step and typical / 1000 <= 2 * step else "s"
    if unit == "s":
        return table, []
    seconds = table.assign(duration=table["duration"] / 1000)
    typical = table["duration"].median()
    return seconds, [f"durations (median {typical:g}) are milliseconds, not the seconds BIDS asks for; converted"]
