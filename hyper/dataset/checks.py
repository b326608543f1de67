"""What is wrong with a dataset, found before anything is computed; the doctor and the workflow share these checks."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.dataset.annex import is_unfetched, unfetched_fault
from hyper.dataset.events import read_events
from hyper.dataset.geometry import check_placed
from hyper.dataset.layout import Run, find_anatomical, has_anatomical
from hyper.dataset.trials import Reading, read_trials
from hyper.errors import DatasetError, HyperError
from hyper.io.volumes import iterate_volumes, load_image, read_volume

_DENSEST = 1040  # what one byte of gzip unpacks to at most, rounded up


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
        Every fault found, at most one per file and check; what several subjects share stands once.
    """
    if not runs:
        return []
    events = cache(read_events)
    unfetched = unfetched_fault(runs[0].root, _needed(runs, reading, via, events))
    faults: list[HyperError] = [unfetched] if unfetched else []
    images: set[str] = set()
    for subject in sorted({run.subject for run in runs}):
        own = [run for run in runs if run.subject == subject]
        found = [_fault_of(check_bold, run.bold) for run in own] + [_fault_of(check_events, run.events) for run in own]
        readable = not any(found) and not any(is_unfetched(path) for run in own for path in (run.bold, run.events))
        if _reads_anatomical(own[0].root, subject, via):
            found.append(_fault_of(_check_anatomical, own[0].root, subject))
        if readable and not (reading.latents and is_unfetched(reading.latents)):
            found.append(_fault_of(read_trials, own, reading, events, images))
        faults += [fault for fault in found if fault]
    return list({str(fault): fault for fault in faults}.values())


def _needed(runs: list[Run], reading: Reading, via: str, events: Callable[[Path], pd.DataFrame]) -> list[Path]:
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
                names |= dict.fromkeys(events(run.events)["stim_file"].dropna())
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
    shape = check_volume(path)
    if len(shape) != 4 or shape[3] < 2:
        fault = f"its shape is {shape} where a series of volumes is due"
        raise DatasetError(path, fault, "Give the 4-D image of the run")


def check_volume(path: Path) -> tuple[int, ...]:
    """Check that a NIfTI file is there, readable, as long as its header says, and sanely placed; return its shape.

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
    if min(image.shape, default=0) < 1:
        raise DatasetError(path, f"its shape is {image.shape}, which holds no voxel", "Convert or fetch it again")
    if not np.isfinite([image.dataobj.slope, image.dataobj.inter]).all():
        fault = f"its scaling is not finite ({image.dataobj.slope:g}, {image.dataobj.inter:g})"
        raise DatasetError(path, fault, "Correct scl_slope and scl_inter, or convert it again")
    expected = image.dataobj.offset + int(np.prod(image.shape, dtype=np.int64)) * image.header.get_data_dtype().itemsize
    _check_size(path, expected)
    check_placed(path, image)
    if not np.isfinite(image.affine).all() or abs(np.linalg.det(image.affine[:3, :3])) < 1e-6:
        raise DatasetError(path, "its affine is singular", "Restore the header's sform or qform")
    return tuple(image.shape)


def _check_size(path: Path, expected: int) -> None:
    """Compare a file's length with its header's; a gzip file states its length, modulo 4 GiB, in its last 4 bytes."""
    announced = f"the header announces {expected} bytes"
    size = path.stat().st_size
    fault = None
    if path.name.endswith(".gz"):
        with open(path, "rb") as stream:
            stream.seek(-4, os.SEEK_END)
            stated = int.from_bytes(stream.read(4), "little")
        if expected > _DENSEST * size:
            fault = f"it is truncated: {announced}, which {size} of gzip cannot hold"
        elif stated != expected % 2**32:
            fault = f"it is truncated or damaged: {announced}, the end of the gzip file states {stated}"
    elif size < expected:
        fault = f"it is truncated: {announced}, the file has {size}"
    if fault:
        raise DatasetError(path, fault, "Fetch it again")


def _reads_anatomical(root: Path, subject: str, via: str) -> bool:
    return via == "T1w" or (via == "auto" and has_anatomical(root, subject))


def _check_anatomical(root: Path, subject: str) -> None:
    path = find_anatomical(root, subject)
    if not is_unfetched(path):
        shape = check_volume(path)
        if len([size for size in shape if size > 1]) != 3:
            raise DatasetError(path, f"its shape is {shape} where one volume is due", "Give a 3-D image")


def find_voxel_faults(
    runs: list[Run], via: str = "auto", said: Callable[[Path], object] = lambda path: None
) -> list[HyperError]:
    """Read every voxel: damage that headers do not show, and volumes without content.

    Parameters
    ----------
    runs : list of Run
        Whose headers were found sound.
    via : {"auto", "T1w", "bold"}
        As in `find_faults`.
    said : callable, optional
        Told each file before it is read.

    Returns
    -------
    list of HyperError
    """
    faults = []
    for run in runs:
        said(run.bold)
        faults.append(_fault_of(_check_voxels, run.bold))
    for subject in sorted({run.subject for run in runs}):
        if _reads_anatomical(runs[0].root, subject, via):
            path = find_anatomical(runs[0].root, subject)
            said(path)
            faults.append(_fault_of(_check_content, path))
    return [fault for fault in faults if fault]


def _check_voxels(path: Path) -> None:
    start = 0
    for block in iterate_volumes(path):
        for index in range(block.shape[3]):
            _check_varied(path, block[..., index], f"volume {start + index + 1}")
        start += block.shape[3]


def _check_content(path: Path) -> None:
    _check_varied(path, read_volume(path)[0], "the volume")


def _check_varied(path: Path, volume: np.ndarray, name: str) -> None:
    finite = volume[np.isfinite(volume)]
    if not finite.size or finite.min() == finite.max():
        fault = f"{name} is constant" if finite.size else f"{name} holds no finite voxel"
        raise DatasetError(path, fault, "Fetch the file again, cut that volume out of it or leave the run out")


def _fault_of(check: Callable[..., object], *arguments: object) -> HyperError | None:
    try:
        check(*arguments)
    except HyperError as fault:
        return fault
    return None
