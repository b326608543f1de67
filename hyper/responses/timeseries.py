"""Responses over time, (trial, channel, time): read in parts, written in one layout, averaged over windows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from hyper.errors import DataError
from hyper.io.atomic import atomic_path
from hyper.responses.implants import (
    NAMES,
    ChannelLayout,
    check_finite,
    dataset_of,
    is_transposed,
    open_recording,
)
from hyper.responses.matrices import numbered

_BLOCK = 64  # trials held at a time
_MEND = "Run the rule that writes it again"


@dataclass(frozen=True)
class Windows:
    """Windows of time, ms from the onset of the stimulus; each has its start and lacks its end.

    Attributes
    ----------
    starts, ends : ndarray, shape (window,)
    """

    starts: np.ndarray
    ends: np.ndarray

    @property
    def centres(self) -> np.ndarray:
        """Middle of each window."""
        return (self.starts + self.ends) / 2

    @property
    def before_onset(self) -> np.ndarray:
        """Mask of the windows that end before anything is shown."""
        return self.ends <= 1e-6

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.starts)


def windows_of(time_ms: np.ndarray, width: float, stride: float) -> Windows:
    """Lay windows over a trial, from its first sample on.

    Parameters
    ----------
    time_ms : ndarray, shape (time,)
        Evenly spaced samples, ms from the onset; the last one lasts as long as the others.
    width, stride : float
        In ms; 100 and 25 make 9 windows of a trial of 300 ms, as published.

    Raises
    ------
    DataError
        When a trial is shorter than a window, or a window holds no sample.
    """
    step = step_of(time_ms)
    duration = len(time_ms) * step
    if width > duration * (1 + 1e-9):
        fault = f"a window of {width:g} ms is longer than a trial of {duration:g} ms"
        raise DataError("decoding.over_time", fault, "Make width smaller, or correct dataset.implants.sampling")
    if width < step * (1 - 1e-9):
        fault = f"a window of {width:g} ms can be without a sample: they are {step:g} ms apart"
        raise DataError("decoding.over_time", fault, "Make width larger, or correct dataset.implants.sampling")
    count = int(np.floor((duration - width) / stride + 1e-9)) + 1
    starts = float(time_ms[0]) + stride * np.arange(count)
    return Windows(starts, starts + width)


def step_of(time_ms: np.ndarray) -> float:
    """Return the time between samples.

    Raises
    ------
    DataError
        When they are not evenly spaced.
    """
    steps = np.diff(time_ms)
    if not len(steps) or steps.min() <= 0 or np.ptp(steps) > 1e-3 * steps.mean():
        raise DataError("time_ms", "the samples are not evenly spaced in time", "Resample the responses")
    return float(steps.mean())


def average_windows(path: str | Path, split: str, windows: Windows) -> np.ndarray:
    """Mean response of each window, trial and channel.

    Parameters
    ----------
    path : str or Path
        A file of `convert_timeseries`.
    split : {'train', 'test'}
    windows : Windows

    Returns
    -------
    ndarray of float32, shape (window, trial, channel)
    """
    with _opened(path) as file:
        source, time = file[split], file["time_ms"][()]
        slack = 1e-6 * step_of(time)
        inside = [
            (time >= start - slack) & (time < end - slack)
            for start, end in zip(windows.starts, windows.ends, strict=True)
        ]
        weights = np.stack([mask / mask.sum() for mask in inside]).astype(np.float32)
        means = np.empty((len(windows), *source.shape[:2]), np.float32)
        for start in range(0, len(source), _BLOCK):
            block = source[start : start + _BLOCK]
            means[:, start : start + len(block)] = np.moveaxis(block @ weights.T, 2, 0)
    return means


def read_facts(path: str | Path) -> dict[str, np.ndarray]:
    """Read all of a file of `convert_timeseries` but the responses: latents, stimuli, region, array, time_ms."""
    with _opened(path) as file:
        return {
            name: item.asstr()[()] if h5py.check_string_dtype(item.dtype) else item[()]
            for name, item in file.items()
            if name not in ("train", "test")
        }


def convert_timeseries(
    source: str | Path,
    target: str | Path,
    train_latents: np.ndarray,
    test_latents: np.ndarray,
    layout: ChannelLayout,
    names: Sequence[str] = NAMES,
    onset: float = 100.0,
    sampling: float = 1.0,
) -> tuple[int, ...]:
    """Write responses over time in one layout, a few trials at a time.

    Parameters
    ----------
    source : str or Path
        HDF5 with two arrays (trial, channel, time), or reversed as MATLAB writes them.
    target : str or Path
        HDF5 with ``train`` and ``test``, (trial, channel, time), ``time_ms`` from the onset, ``region``, ``array``,
        and latents and stimuli of both.
    train_latents, test_latents : ndarray, shape (trial, latent)
    layout : ChannelLayout
    names : sequence of str
    onset, sampling : float
        Time of the onset within a trial, and between samples, ms; a dataset ``time_ms`` of the source goes before
        both.

    Returns
    -------
    tuple of int
        Shape of ``train``.

    Raises
    ------
    DataError
        As `hyper.responses.implants.implant_responses`, and when training and test differ in time.
    """
    latents = {"train": train_latents, "test": test_latents}
    with open_recording(source) as file, atomic_path(target) as temporary, h5py.File(temporary, "w") as out:
        found, reverse, length = _series(source, file, [len(part) for part in latents.values()], layout, names)
        for split, dataset in found.items():
            written = _create(out, split, (len(latents[split]), int(layout.kept.sum()), length))
            _copy(source, dataset, written, reverse[split], layout)
            _put(out, f"{split}_latents", latents[split], (f"{split}_trial", "latent"))
            _put(out, f"{split}_stimuli", numbered(split, len(latents[split])), (f"{split}_trial",))
        _put(out, "time_ms", _time(source, file, length, onset, sampling), ("time",))
        _put(out, "region", layout.region, ("channel",))
        _put(out, "array", layout.arrays, ("channel",))
        shape: tuple[int, ...] = out["train"].shape
    return shape


def count_samples(
    source: str | Path, counts: Sequence[int], layout: ChannelLayout, names: Sequence[str] = NAMES
) -> int:  # fmt: skip
    """Count the samples of a trial in a file that `convert_timeseries` would take, from its shapes alone.

    Parameters
    ----------
    source : str or Path
    counts : sequence of int
        Training and test trials.
    layout : ChannelLayout
    names : sequence of str

    Raises
    ------
    DataError
        As `convert_timeseries`, but for values that are not finite.
    """
    with open_recording(source) as file:
        return _series(source, file, counts, layout, names)[2]


def _series(
    source: str | Path, file: h5py.File, counts: Sequence[int], layout: ChannelLayout, names: Sequence[str]
) -> tuple[dict[str, h5py.Dataset], dict[str, bool], int]:
    """Datasets of training and test trials, whether each stands in reverse, and how many samples a trial has."""
    found = {split: dataset_of(source, file, name) for split, name in zip(("train", "test"), names, strict=True)}
    reverse = {
        split: is_transposed(source, dataset, count, layout, time=True)
        for (split, dataset), count in zip(found.items(), counts, strict=True)
    }
    train, test = (found[split].shape[0 if reverse[split] else 2] for split in found)
    if train != test:
        fault = f"training trials have {train} samples and test trials {test}"
        raise DataError(source, fault, "Cut them to the same length")
    return found, reverse, train


def _time(path: str | Path, file: h5py.File, length: int, onset: float, sampling: float) -> np.ndarray:
    if "time_ms" not in file:
        return np.arange(length) * sampling - onset
    time = np.asarray(dataset_of(path, file, "time_ms")[()], np.float64).ravel()
    if len(time) != length:
        raise DataError(path, f"time_ms has {len(time)} values for {length} samples", "Correct or delete it")
    return time


def _create(out: h5py.File, split: str, shape: tuple[int, int, int]) -> h5py.Dataset:
    dataset = out.create_dataset(split, shape, np.float32, chunks=(min(8, shape[0]), *shape[1:]))
    for place, name in enumerate((f"{split}_trial", "channel", "time")):
        dataset.dims[place].label = name
    return dataset


def _put(out: h5py.File, name: str, values: np.ndarray, dimensions: tuple[str, ...]) -> None:
    kind: dict[str, Any] = {"dtype": h5py.string_dtype()} if values.dtype.kind == "U" else {}
    dataset = out.create_dataset(name, data=values.astype(object) if kind else values, **kind)
    for place, dimension in enumerate(dimensions):
        dataset.dims[place].label = dimension


def _copy(
    path: str | Path, source: h5py.Dataset, target: h5py.Dataset, reverse: bool, layout: ChannelLayout
) -> None:  # fmt: skip
    columns = layout.columns(source.shape[1])
    bad = np.zeros(layout.channels, bool)
    for start in range(0, len(target), _BLOCK):
        rows = slice(start, min(start + _BLOCK, len(target)))
        block = source[:, :, rows].T if reverse else source[rows]
        block = block[:, columns].astype(np.float32)
        bad[np.flatnonzero(layout.kept)] |= ~np.isfinite(block).all(axis=(0, 2))
        target[rows] = block
    check_finite(path, str(source.name).lstrip("/"), bad)


def _opened(path: str | Path) -> "h5py.File":
    try:
        return h5py.File(path, "r")
    except OSError as fault:
        raise DataError(path, f"it cannot be read as HDF5 ({fault})", _MEND) from fault
