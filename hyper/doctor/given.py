"""What is wrong with response matrices that a study starts from."""

from collections.abc import Mapping
from pathlib import Path

import h5py

from hyper.errors import DataError, HyperError

_NAMES = "train", "test", "train_latents", "test_latents"
_MEND = "Write it by `hyper convert released data_1.dat OUT.h5`"


def find_response_faults(files: Mapping[str, str]) -> list[HyperError]:
    """Check that every file is there and holds matrices that fit each other; no value is read.

    Parameters
    ----------
    files : mapping of str to str
        Response matrices by subject.
    """
    faults = (_fault_of(Path(file).expanduser()) for file in files.values())
    return [fault for fault in faults if fault is not None]


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
