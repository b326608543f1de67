"""What is wrong with a dataset, found before anything is computed; the doctor and the workflow share these checks."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from hyper.dataset.annex import is_unfetched, unfetched_fault
from hyper.dataset.events import read_events
from hyper.dataset.layout import Run, find_anatomical, has_anatomical
from hyper.dataset.trials import Reading, read_trials
from hyper.errors import DatasetError, HyperError
from hyper.io.volumes import load_image


def find_faults(runs: list[Run], reading: Reading, via: str = "auto") -> list[HyperError]:
    """Check every file the study will read: headers, sizes, events, stimuli, latents; no voxel is read.

    Parameters
    ----------
    runs : list of Run
        Of all subjects.
    reading : Reading
    via : {"auto", "T1w", "bold"}
        Whether a T1-weighted volume is read where there is one, is due, or is not read.

    Returns
    -------
    list of HyperError
        Every fault found, at most one per file and check.
    """
    if not runs:
        return []
    unfetched = unfetched_fault(runs[0].root, _needed(runs, reading, via))
    faults: list[HyperError] = [unfetched] if unfetched else []
    for subject in sorted({run.subject for run in runs}):
        own = [run for run in runs if run.subject == subject]
        found = [_fault_of(check_bold, run.bold) for run in own] + [_fault_of(check_events, run.events) for run in own]
        readable = not any(found) and not any(is_unfetched(path) for run in own for path in (run.bold, run.events))
        if _reads_anatomical(own[0].root, subject, via):
            found.append(_fault_of(_check_anatomical, own[0].root, subject))
        if readable and not (reading.latents and is_unfetched(reading.latents)):
            found.append(_fault_of(read_trials, own, reading))
        faults += [fault for fault in found if fault]
    return faults


def _needed(runs: list[Run], reading: Reading, via: str) -> list[Path]:
    """Every file of the dataset that the study reads, as far as its tables of events are there to name the images."""
    paths = [path for run in runs for path in (run.bold, run.events)]
    for subject in sorted({run.subject for run in runs}):
        if via != "bold" and has_anatomical(runs[0].root, subject):
            paths.append(find_anatomical(runs[0].root, subject))
    if reading.latents:
        paths.append(reading.latents)
    if reading.stimuli:
        names: dict[str, None] = {}
        for run in runs:
            try:
                names |= dict.fromkeys(read_events(run.events)["stim_file"].dropna())
            except HyperError:
                continue
        paths += [reading.stimuli / name for name in sorted(names)]
    return paths


def check_events(path: Path) -> None:
    """Check that a table of events is there; content that was not fetched is another fault.

    Raises
    ------
    DatasetError
    """
    if not path.exists() and not path.is_symlink():
        raise DatasetError(path, "the events file is missing", "Restore it")


def check_bold(path: Path) -> None:
    """Check that a BOLD run is there, whole, and a series of volumes; content not fetched is another fault.

    Raises
    ------
    DatasetError
    """
    if is_unfetched(path):
        return
    check_volume(path)
    image = load_image(path)
    if len(image.shape) != 4 or image.shape[3] < 2:
        raise DatasetError(
            path, f"its shape is {image.shape} where a series of volumes is due", "Give the 4-D image of the run"
        )


def check_volume(path: Path) -> None:
    """Check that a NIfTI file is there, readable, as long as its header says, and sanely placed.

    Raises
    ------
    DatasetError
    """
    if not path.exists():
        raise DatasetError(path, "the image is missing", "Restore it")
    if path.stat().st_size == 0:
        raise DatasetError(path, "the file is empty", "Fetch it again")
    image = load_image(path)
    if image.header.get_data_dtype().kind not in "iuf":
        raise DatasetError(path, f"its data type is {image.header.get_data_dtype()}", "Convert it to real numbers")
    expected = image.dataobj.offset + int(np.prod(image.shape, dtype=np.int64)) * image.header.get_data_dtype().itemsize
    _check_size(path, expected)
    if not np.isfinite(image.affine).all() or abs(np.linalg.det(image.affine[:3, :3])) < 1e-6:
        raise DatasetError(path, "its affine is singular", "Restore the header's sform or qform")


def _check_size(path: Path, expected: int) -> None:
    """Compare a file's length with its header's; a gzip file states its length, modulo 4 GiB, in its last 4 bytes."""
    if path.name.endswith(".gz"):
        with open(path, "rb") as stream:
            stream.seek(-4, os.SEEK_END)
            found, expected = int.from_bytes(stream.read(4), "little"), expected % 2**32
        short = found != expected
    else:
        found = path.stat().st_size
        short = found < expected
    if short:
        fault = f"it is truncated: the header announces {expected} bytes, the file has {found}"
        raise DatasetError(path, fault, "Fetch it again")


def _reads_anatomical(root: Path, subject: str, via: str) -> bool:
    return via == "T1w" or (via == "auto" and has_anatomical(root, subject))


def _check_anatomical(root: Path, subject: str) -> None:
    path = find_anatomical(root, subject)
    if not is_unfetched(path):
        check_volume(path)


def _fault_of(check: Callable[..., object], *arguments: object) -> HyperError | None:
    try:
        check(*arguments)
    except HyperError as fault:
        return fault
    return None
