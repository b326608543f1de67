"""The experiment: what is shown when, and events.tsv exactly as OpenNeuro ds004280 has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyper.generators.presented import image_name
from hyper.io.seeds import generator_of
from hyper.simulation.plan import run_number

NULL = 0


@dataclass(frozen=True)
class RunDesign:
    """One run as planned.

    Attributes
    ----------
    stimuli : ndarray of int, shape (trial,)
        Number of the image; 0 is the null trial.
    onsets : ndarray, shape (trial,)
        Seconds.
    durations : ndarray, shape (trial, row)
        Milliseconds, a column for each row that events.tsv gives the trial.
    volumes : int
        Length of the run.
    """

    stimuli: np.ndarray
    onsets: np.ndarray
    durations: np.ndarray
    volumes: int

    @property
    def duration(self) -> float:
        """How long a trial lasts, seconds: the longest of its rows, typically."""
        return float(np.median(self.durations.max(axis=1))) / 1000


def design_run(design: Mapping[str, Any], tr: float, seed: int, subject: str, series: str) -> RunDesign:
    """Plan one run of one subject.

    Parameters
    ----------
    design : mapping
        Settings simulation.design.
    tr : float
        Repetition time, seconds.
    seed : int
        The study's seed.
    subject, series : str
        Labels.

    Returns
    -------
    RunDesign
    """
    number = run_number(series)
    rng = generator_of(seed, "simulation", "design", subject, series)
    if number <= design["test_runs"]:
        stimuli, steps = _test_stimuli(design, number, rng), design["test_steps"]
    else:
        stimuli, steps = _train_stimuli(design, number, seed, subject, rng), design["train_steps"]
    onsets = _onsets(len(stimuli), steps, design["first_onset"], rng)
    end = onsets[-1] + design["rest"] + rng.uniform(0, design["rest_jitter"])
    durations = rng.normal(design["durations"], design["duration_jitter"], (len(stimuli), len(design["durations"])))
    return RunDesign(stimuli, onsets, durations.round(1), int(np.ceil(round(end / tr, 6))))


def events_text(run: RunDesign) -> str:
    """Return events.tsv: a trial in several rows with the same onset and stimulus, durations in milliseconds."""
    lines = ["onset\tduration\tstim_file"]
    for stimulus, onset, durations in zip(run.stimuli, run.onsets, run.durations, strict=True):
        lines += [f"{onset:.1f}\t{duration:.1f}\t{image_name(stimulus)}" for duration in durations]
    return "\n".join(lines) + "\n"


def _test_stimuli(design: Mapping[str, Any], number: int, rng: np.random.Generator) -> np.ndarray:
    """Each face of the run's share as often as the uneven repeats say, and the null trials, shuffled."""
    count = design["test_faces"] // design["test_runs"]
    faces = np.arange(1, count + 1) + (number - 1) * count
    repeats = _uneven_repeats(count, design["test_trials"] - design["test_nulls"], design["repeats"], rng)
    return rng.permutation(np.concatenate([np.repeat(faces, repeats), np.full(design["test_nulls"], NULL)]))


def _uneven_repeats(faces: int, total: int, bounds: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Numbers within bounds that add up to the total, drawn by handing out what exceeds the least, one by one."""
    repeats = np.full(faces, bounds[0])
    for _ in range(total - repeats.sum()):
        repeats[rng.choice(np.flatnonzero(repeats < bounds[1]))] += 1
    return repeats


def _train_stimuli(
    design: Mapping[str, Any], number: int, seed: int, subject: str, rng: np.random.Generator
) -> np.ndarray:
    """The run's share of the training faces in the subject's own order, and the null trials, shuffled."""
    faces = np.arange(1, design["train_faces"] + 1) + design["test_faces"]
    order = generator_of(seed, "simulation", "design", subject).permutation(faces)
    share = np.array_split(order, design["train_runs"])[number - design["test_runs"] - 1]
    return rng.permutation(np.concatenate([share, np.full(design["train_nulls"], NULL)]))


def _onsets(count: int, steps: list[float], first: float, rng: np.random.Generator) -> np.ndarray:
    """Every step as often as the others, shuffled, so that the length of a run hardly depends on the shuffle."""
    return first + np.concatenate([[0.0], np.cumsum(rng.permutation(np.resize(steps, count - 1)))])
