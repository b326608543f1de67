"""All trials of a subject with the identity of what was shown."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyper.dataset.events import collapse_rows, durations_in_seconds, read_events
from hyper.dataset.geometry import geometry_notes
from hyper.dataset.layout import Run
from hyper.dataset.stimuli import (
    among,
    check_identities,
    check_image,
    check_no_leak,
    latent_row_of,
    read_latents,
    stimulus_of,
)
from hyper.dataset.timing import repetition_time
from hyper.errors import DatasetError
from hyper.io.volumes import load_image

COLUMNS = ["series", "trial", "onset", "duration", "stimulus", "trial_type", "latent_row", "split", "repeat"]


@dataclass(frozen=True)
class Reading:
    """How events are to be read: the settings of section dataset that bear on trials."""

    collapse: str = "auto"
    duration_unit: str = "auto"
    duration: float | None = None
    repetition_time: float | None = None
    null_stimuli: list[str] | None = None
    test_stimuli: list[str] | None = None
    latents: Path | None = None
    stimuli: Path | None = None

    @classmethod
    def of(cls, section: Mapping[str, Any], root: Path) -> "Reading":
        """Build from the settings of section dataset and the dataset's folder."""
        folders: dict[str, Any] = {
            name: root / section[name] if section[name] else None for name in ("latents", "stimuli")
        }
        plain: dict[str, Any] = {name: section[name] for name in ("repetition_time", "null_stimuli", "test_stimuli")}
        return cls(**section["events"], **plain, **folders)


@dataclass
class Trials:
    """The trials of one subject.

    Attributes
    ----------
    table : DataFrame
        `COLUMNS`: times in seconds; ``split`` is train, test or null, missing in a study without latents;
        ``repeat`` counts the presentations of a stimulus from 1.
    repetition_times : dict of str to float
        Seconds, per series.
    readings : list of str
        How the files were understood, in words.
    """

    table: pd.DataFrame
    repetition_times: dict[str, float]
    readings: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """Number of trials per split."""
        return {str(name): int(n) for name, n in self.table["split"].fillna("unassigned").value_counts().items()}


def read_trials(
    runs: list[Run],
    reading: Reading,
    events: Callable[[Path], pd.DataFrame] = read_events,
    images: set[str] | None = None,
) -> Trials:
    """Read the events of all runs of one subject.

    Parameters
    ----------
    runs : list of Run
        Of one subject.
    reading : Reading
    events : callable
        Reads a table of events; one that remembers serves who asks for the trials of many subjects.
    images : set of str, optional
        Entries of stim_file whose images were found before; those found now are added.

    Returns
    -------
    Trials

    Raises
    ------
    DatasetError
        On the first fault of the events, stimuli, latents or timing.
    """
    tables, times = [], {}
    notes = geometry_notes(runs)
    shown: dict[str, set[str]] = {}
    images = set() if images is None else images
    for run in runs:
        times[run.series], timing_notes = repetition_time(run, reading.repetition_time)
        table, event_notes = _read_run(run, events(run.events), reading, times[run.series], shown)
        if reading.stimuli is not None:
            _check_images(table, run, reading.stimuli, images)
        notes += [("", note) for note in timing_notes] + [(run.series, note) for note in event_notes]
        tables.append(table)
    check_identities(shown, runs[0].events.parent)
    table = pd.concat(tables, ignore_index=True)
    readings = _merge_notes(notes, len(runs))
    if reading.latents is None:
        table["latent_row"], table["split"] = pd.NA, pd.NA
    else:
        readings += _assign(table, reading.latents, reading, runs[0].events)
    table["repeat"] = table.groupby("stimulus", dropna=False).cumcount() + 1
    return Trials(table[COLUMNS], times, readings)


def _read_run(
    run: Run, table: pd.DataFrame, reading: Reading, tr: float, shown: dict[str, set[str]]
) -> tuple[pd.DataFrame, list[str]]:
    table, notes = collapse_rows(table, reading.collapse, run.events)
    if reading.duration is not None:
        table, more = table.assign(duration=reading.duration), [f"durations set to {reading.duration:g} s"]
    else:
        table, more = durations_in_seconds(table, reading.duration_unit)
    shape = load_image(run.bold).shape
    end = shape[3] * tr if len(shape) == 4 else 0.0
    late = table[(table["onset"] >= end) | (table["onset"] < 0)]
    if len(late):
        extent = f"the run of {end:g} s ({shape[-1]} volumes of {tr:g} s)"
        raise DatasetError(
            run.events,
            f"a trial starts at {late['onset'].iloc[0]:g} s, outside {extent}",
            "Correct the onset, or the repetition time in the sidecar",
        )
    if end and reading.duration_unit == "auto" and table["duration"].max() > end:
        fault = f"a trial lasts {table['duration'].max():g} s, longer than the run of {end:g} s"
        raise DatasetError(run.events, fault, "Correct the duration, or set dataset.events.duration")
    stimuli: list[Any] = [
        stimulus_of(name, run.events) if isinstance(name, str) else pd.NA for name in table["stim_file"]
    ]
    for name, file in zip(stimuli, table["stim_file"], strict=True):
        if isinstance(name, str):
            shown.setdefault(name, set()).add(file)
    table = table.assign(series=run.series, trial=range(1, len(table) + 1))
    table["stimulus"] = pd.Series(stimuli, index=table.index, dtype=object)
    return table, notes + more + _overlap(table)


def _overlap(table: pd.DataFrame) -> list[str]:
    early = int((table["onset"].to_numpy()[1:] < (table["onset"] + table["duration"]).to_numpy()[:-1] - 1e-3).sum())
    return [f"trials overlap: some start before the one before ends ({early} of {len(table)})"] if early else []


def _check_images(table: pd.DataFrame, run: Run, folder: Path, found: set[str]) -> None:
    if not folder.is_dir():
        raise DatasetError(folder, "there is no such folder of stimuli", "Correct dataset.stimuli, or set it to null")
    for name in table["stim_file"].dropna().unique():
        if name not in found:
            check_image(folder, name, run.root, run.events.name)
            found.add(name)


def _assign(table: pd.DataFrame, latents: Path, reading: Reading, events: Path) -> list[str]:
    """Fill latent_row and split in place; return what is to be said."""
    values = read_latents(latents)
    count = len(values)
    if table["stimulus"].isna().any():
        raise DatasetError(events, "a trial has no stim_file, so its latent is unknown", "Add the column stim_file")
    shown = table["stimulus"].value_counts()
    times_shown = {str(name): int(count) for name, count in shown.items()}
    names = set(times_shown)
    numbered_zero = {name for name in names if name.isdecimal() and int(name) == 0}
    idle: list[str] = []
    null = numbered_zero
    if reading.null_stimuli is not None:
        null, idle = among(names, reading.null_stimuli)
    if reading.test_stimuli is None:
        test, how = {name for name in names - null if times_shown[name] > 1}, "shown more than once"
    else:
        (test, more), how = among(names - null, reading.test_stimuli), "named in dataset.test_stimuli"
        idle += more
    train = names - test - null
    if not test or not train:
        fault = f"{len(train)} training and {len(test)} test stimuli were found"
        raise DatasetError(events, fault, "Set dataset.test_stimuli")
    rows = {name: None if name in null else latent_row_of(name, count, latents) for name in sorted(names)}
    table["latent_row"] = pd.array([rows[name] for name in table["stimulus"]], dtype="Int64")
    table["split"] = ["null" if n in null else "test" if n in test else "train" for n in table["stimulus"]]
    train_rows, test_rows = ([row for n in sorted(part) if (row := rows[n]) is not None] for part in (train, test))
    check_no_leak(values, train_rows, test_rows, latents)
    repeats = shown[sorted(test)]
    times = f"{repeats.min()} to {repeats.max()} times each"
    readings = [
        f"{len(train)} training stimuli and {len(test)} test stimuli ({how}, {times})",
        "image k belongs to row k - 1 of the latents",
    ]
    still = np.flatnonzero(np.ptp(values[train_rows], axis=0) == 0)
    if len(still):
        readings.append(
            f"{len(still)} of {values.shape[1]} latents never vary over the training stimuli (first: column "
            f"{still[0]}): nothing can be learned of them"
        )
    if idle:
        readings.append(f"the settings name stimuli that were never shown: {', '.join(idle)}")
    if null:
        readings.append(f"{shown[sorted(null)].sum()} null trials show {', '.join(sorted(null))}, which has no latent")
    return readings


def _merge_notes(notes: list[tuple[str, str]], runs: int) -> list[str]:
    """Join what is said of several runs alike into one sentence."""
    kinds: dict[str, list[tuple[str, str]]] = {}
    for series, note in notes:
        kinds.setdefault(note.split("(")[0] if series else note, []).append((series, note))
    merged = []
    for group in kinds.values():
        series, note = group[0]
        where = f"all {runs} runs" if len(group) == runs and runs > 1 else ", ".join(s for s, _ in group if s)
        if len(group) > 1:
            note = re.sub(r" \([^)]*\)", "", note)
        merged.append(f"{where}: {note}" if series else note)
    return merged
