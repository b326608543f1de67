"""Arrays in HDF5 with named dimensions and attributes."""

from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any

import h5py
import numpy as np

from hyper.errors import DataError
from hyper.io.atomic import atomic_path

# what NumPy raises on a damaged .npy: its header is a Python literal
NPY_FAULTS = (OSError, EOFError, ValueError, TypeError, KeyError, SyntaxError, MemoryError, OverflowError, TokenError)

Named = tuple[np.ndarray, tuple[str, ...]]


def write_arrays(path: str | Path, arrays: Mapping[str, Named], attributes: Mapping[str, Any] | None = None) -> None:
    """Write arrays, each with the names of its dimensions.

    Parameters
    ----------
    path : str or Path
    arrays : mapping of str to (ndarray, tuple of str)
        Values and the name of each dimension. A ``/`` in a key makes groups; text arrays are stored as UTF-8.
    attributes : mapping, optional
        Attributes of the file.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        for name, (values, dimensions) in arrays.items():
            _write_dataset(file, name, np.asarray(values), dimensions)
        file.attrs.update(attributes or {})


def _write_dataset(file: h5py.File, name: str, values: np.ndarray, dimensions: tuple[str, ...]) -> None:
    if len(dimensions) != values.ndim:
        raise ValueError(f"{name}: {values.ndim} dimensions but {len(dimensions)} names")
    if values.dtype.kind in "UO":
        dataset = file.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    else:
        dataset = file.create_dataset(name, data=values)
    for index, dimension in enumerate(dimensions):
        dataset.dims[index].label = dimension


def read_arrays(
    path: str | Path, names: list[str] | None = None, most: int | None = None
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read arrays and attributes of a file written by `write_arrays`.

    Parameters
    ----------
    path : str or Path
    names : list of str, optional
        Which datasets; all when not given.
    most : int, optional
        Entries to read along the first dimension, from the start.

    Returns
    -------
    arrays : dict of ndarray
        Text as ``str`` objects.
    attributes : dict

    Raises
    ------
    DataError
        When the file is no HDF5 file or lacks a dataset.
    """
    try:
        with h5py.File(path, "r") as file:
            found: list[str] = []
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
            missing = sorted(set(names or []) - set(found))
            if missing:
                raise DataError(path, f"the dataset {missing[0]!r} is missing", "Run the rule that writes it again")
            arrays = {name: _read_dataset(file[name], most) for name in names or found}
            return arrays, dict(file.attrs)
    except OSError as fault:
        raise DataError(path, f"it cannot be read as HDF5 ({fault})", "Run the rule that writes it again") from fault


def _read_dataset(dataset: h5py.Dataset, most: int | None) -> np.ndarray:
    chosen = () if most is None or not dataset.shape else slice(most)
    if h5py.check_string_dtype(dataset.dtype):
        return np.asarray(dataset.asstr()[chosen])
    return dataset[chosen]
