"""What is wrong with a dataset, found before anything is computed; the doctor and the workflow share these checks."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

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
    faults: list[HyperError] = []
    for subject in sorted({run.subject for run in runs}):
        own = [run for run in runs if run.subject == subject]
        found = [_fault_of(check_bold, run.bold) for run in own] + [_fault_of(check_events, run.events) for run in own]
        readable = not any(found)
        found.append(_fault_of(_check_anatomical, own[0].root, subject, via))
        if readable:
            found.append(_fault_of(read_trials, own, reading))
        faults += [fault for fault in found if fault]
    return faults


def check_events(path: Path) -> None:
    """Check that a table of events is there.

    Raises
    ------
    DatasetError
    """
    if not path.exists():
        raise _absent(path, "the events file is missing")


def check_bold(path: Path) -> None:
    """Check that a BOLD run is there, whole, and a series of volumes.

    Raises
    ------
    DatasetError
    """
    check_volume(path)
    image = load_image(path)
    if len(image.shape) != 4 or image.shape[3] < 2:
        raise DatasetError(
            path, f"its shape is {image.shape} where a series of volumes is due", "Give the 4-D image of the run"
        )


def check_volume(path: Path) -> None:
    """Check that a NIfTI file is fetched, readable, as long as its header says, and sanely placed.

    Raises
    ------
    DatasetError
    """
    if not path.exists():
        raise _absent(path, "the image is missing")
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


def _absent(path: Path, fault: str) -> DatasetError:
    if path.is_symlink():
        return DatasetError(path, "it is a link to content that was not fetched", f"Run: datalad get {path}")
    return DatasetError(path, fault, "Restore it")


def _check_anatomical(root: Path, subject: str, via: str) -> None:
    if via == "T1w" or (via == "auto" and has_anatomical(root, subject)):
        check_volume(find_anatomical(root, subject))


def _fault_of(check: Callable[..., object], *arguments: object) -> HyperError | None:
    try:
        check(*arguments)
    except HyperError as fault:
        return fault
    return None
