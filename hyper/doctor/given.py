"""What is wrong with response matrices that a study starts from."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import h5py

from hyper.decoding.alignment import check_common
from hyper.errors import DataError, HyperError
from hyper.io.arrays import read_arrays

_NAMES = "train", "test", "train_latents", "test_latents"
_MEND = "Write it by `hyper convert released data_1.dat OUT.h5`"


def find_response_faults(files: Mapping[str, str], shared: bool = False) -> list[HyperError]:
    """Check that every file is there and holds matrices that fit each other; no response is read.

    Parameters
    ----------
    files : mapping of str to str
        Response matrices by subject.
    shared : bool
        Whether a decoder learns from all of them: then enough training stimuli must be common to all, and the same.
    """
    paths = {subject: Path(file).expanduser() for subject, file in files.items()}
    faults: list[HyperError] = [fault for fault in map(_fault_of, paths.values()) if fault is not None]
    if shared and not faults and len(paths) > 1:
        read = {name: read_arrays(path, ["train_stimuli", "train_latents"])[0] for name, path in paths.items()}
        try:
            check_common({name: (own["train_stimuli"], own["train_latents"]) for name, own in read.items()})
        except DataError as fault:
            faults.append(fault)
    return faults


def find_implant_faults(files: Iterable[Mapping[str, str | None]]) -> list[HyperError]:
    """Check that the files of every animal with implants are there; what they hold is checked as they are read."""
    return [
        DataError(file, "the file does not exist", f"Correct {name} in dataset.implants.subjects")
        for own in files
        for name, file in own.items()
        if file is not None and not Path(file).is_file()
    ]


def _fault_of(path: Path) -> DataError | None:
    if not path.is_file():
        return DataError(path, "the file does not exist", f"{_MEND}, or correct dataset.responses")
    try:
        with h5py.File(path, "r") as file:
            missing = [name for name in _NAMES if name not in file]
            if missing:
                return DataError(path, f"the dataset {missing[0]!r} is missing", _MEND)
            train, test, latents, test_latents = (file[name].shape for name in _NAMES)
    except OSError as fault:
        return DataError(path, f"it cannot be read as HDF5 ({fault})", _MEND)
    if len(train) != 2 or (train[0], test[1:], test[0]) != (latents[0], train[1:], test_latents[0]):
        return DataError(path, f"train {train}, test {test}, latents {latents} and {test_latents} do not fit", _MEND)
    return None
