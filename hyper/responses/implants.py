"""Responses of implanted electrodes in the published formats (Dado et al., 2024)."""

import io
import logging
import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np

from hyper.dataset.stimuli import same_in_layers
from hyper.errors import DataError
from hyper.io.unpickle import StoredArray, read_pickle
from hyper.responses.matrices import Responses

_logger = logging.getLogger(__name__)
NAMES = "train_MUA", "test_MUA"
SERIES = "implants"
_PICKLES = ".pkl", ".pickle", ".dat", ".p"
_LATENTS = "Give the latents as a pickled mapping with `train` and `test`, or two .npy files, (n, latent)"


@dataclass(frozen=True)
class ChannelLayout:
    """How the columns of a recording are to be read; the defaults are those of the published study.

    Attributes
    ----------
    regions : mapping of str to int
        Channels of each region, in the order of the columns without the broken ones.
    array : int
        Channels of an array.
    broken : tuple of int, optional
        Columns that a file may still have and that are left out: the first, and one past the last.
    exclude : sequence of int
        Further channels to leave out, counted from 0 without the broken ones.
    """

    regions: Mapping[str, int] = field(default_factory=lambda: {"V1": 448, "V4": 256, "IT": 256})
    array: int = 64
    broken: tuple[int, int] | None = (320, 384)
    exclude: Sequence[int] = ()

    @property
    def channels(self) -> int:
        """Channels of all regions."""
        return sum(self.regions.values())

    @property
    def wired(self) -> int:
        """Columns of a file that still has the broken ones."""
        return self.channels + (self.broken[1] - self.broken[0] if self.broken else 0)

    @property
    def kept(self) -> np.ndarray:
        """Mask of the channels that are used, shape (channels,)."""
        return ~np.isin(np.arange(self.channels), list(self.exclude))

    def columns(self, count: int) -> np.ndarray:
        """Columns of a file with so many that are used."""
        columns = np.arange(self.channels) if count == self.channels else self._unbroken
        return columns[self.kept]

    @property
    def region(self) -> np.ndarray:
        """Region of each channel that is used, str."""
        return np.repeat(list(self.regions), list(self.regions.values()))[self.kept]

    @property
    def arrays(self) -> np.ndarray:
        """Number of the array of each channel that is used, counted from 1 over all columns, the broken ones too."""
        return (self._unbroken // self.array + 1)[self.kept]

    @property
    def _unbroken(self) -> np.ndarray:
        columns = np.arange(self.wired)
        return columns if self.broken is None else np.delete(columns, np.arange(*self.broken))


def implant_responses(
    path: str | Path,
    train_latents: np.ndarray,
    test_latents: np.ndarray,
    layout: ChannelLayout,
    names: Sequence[str] = NAMES,
    repeats: int = 1,
) -> Responses:
    """Read one response per trial and channel as the responses that decoders learn from.

    Parameters
    ----------
    path : str or Path
        HDF5 with two matrices (trial, channel), or (channel, trial) as MATLAB 7.3 writes its own.
    train_latents, test_latents : ndarray, shape (trial, latent)
        From `read_latents_of`; their counts tell the dimensions apart.
    layout : ChannelLayout
    names : sequence of str
        Datasets of training and test responses.
    repeats : int
        Trials averaged in each test response.

    Returns
    -------
    Responses
        With `region` and `array`; `ijk` is -1 and `affine` nan, since electrodes have no place in a volume.

    Raises
    ------
    DataError
        When a dataset is missing, has another shape, disagrees with the latents or holds values that are not finite.
    """
    counts = len(train_latents), len(test_latents)
    with open_recording(path) as file:
        train, test = (
            _read_matrix(path, dataset_of(path, file, name), count, layout)
            for name, count in zip(names, counts, strict=True)
        )
    return Responses.of_matrices(
        train, test, train_latents, test_latents, repeats, SERIES, region=layout.region, array=layout.arrays
    )


@contextmanager
def open_recording(path: str | Path) -> Iterator[h5py.File]:
    """Open an HDF5 file that somebody else wrote.

    Raises
    ------
    DataError
        When it is missing or no HDF5 file.
    """
    if not Path(path).is_file():
        raise DataError(path, "the file does not exist", "Correct dataset.implants.subjects")
    try:
        file = h5py.File(path, "r")
    except OSError as fault:
        with open(path, "rb") as start:
            old = start.read(19) == b"MATLAB 5.0 MAT-file"
        mend = "Save it in MATLAB by save(..., '-v7.3')" if old else "Give a MATLAB 7.3 file or another HDF5 file"
        wrong = "it is a MATLAB file of a version before 7.3" if old else f"it cannot be read as HDF5 ({fault})"
        raise DataError(path, wrong, mend) from fault
    with file:
        yield file


def dataset_of(path: str | Path, file: h5py.File, name: str) -> h5py.Dataset:
    """Return a dataset of numbers.

    Raises
    ------
    DataError
        When there is none of that name, or it holds something else.
    """
    if not isinstance(file.get(name), h5py.Dataset):
        held = ", ".join(sorted(key for key in file if not key.startswith("#"))) or "nothing"
        fault = f"the dataset {name!r} is missing; the file holds {held}"
        raise DataError(path, fault, "Give its datasets in dataset.implants.names")
    dataset = file[name]
    if dataset.dtype.kind not in "fiu":
        raise DataError(path, f"{name} holds {dataset.dtype}, not numbers", "Give the matrix of responses")
    return dataset


def is_transposed(path: str | Path, dataset: h5py.Dataset, trials: int, layout: ChannelLayout, time: bool) -> bool:
    """Tell whether the dimensions of a dataset stand in reverse, as MATLAB writes them.

    The numbers of trials and channels decide; where they are the same, that MATLAB wrote it.

    Raises
    ------
    DataError
        When neither order fits.
    """
    name, shape = str(dataset.name).lstrip("/"), dataset.shape
    channels = {layout.channels, layout.wired}
    fits = [
        len(ordered) == 2 + time and ordered[0] == trials and ordered[1] in channels and 0 not in ordered
        for ordered in (shape, shape[::-1])
    ]
    if not any(fits):
        due = " or ".join(map(str, sorted(channels)))
        kind = " x time" if time else ""
        fault = f"{name} is {' x '.join(map(str, shape))} where {trials} trials (as many as latents) x {due} channels"
        mend = "Give the latents of these trials, and the channels in dataset.implants.regions and broken"
        raise DataError(path, f"{fault}{kind} are due, or the reverse", mend)
    return "MATLAB_class" in dataset.attrs if all(fits) else fits[1]


def check_finite(path: str | Path, name: str, bad: np.ndarray) -> None:
    """Refuse channels with values that are not finite, given their mask.

    Raises
    ------
    DataError
    """
    if bad.any():
        first = ", ".join(map(str, np.flatnonzero(bad)[:8])) + (", ..." if bad.sum() > 8 else "")
        held = f"{bad.sum()} channels of {name} hold values that are not finite: {first}"
        mend = "Add them to dataset.implants.exclude (counted from 0, without the broken ones), or correct the file"
        raise DataError(path, held, mend)


def read_latents_of(path: str | Path, test: str | Path | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Read the latents of training and test stimuli; nothing of a pickle is executed.

    Parameters
    ----------
    path : str or Path
        A pickled mapping with ``train`` and ``test``, or an .npy file of the training latents.
    test : str or Path, optional
        .npy file of the test latents.

    Returns
    -------
    train, test : ndarray of float32 or float64, shape (n, latent)
        Of latents (n, layer, latent) that are the same in all layers, as a style repeated over them is, the first.

    Raises
    ------
    DataError
        When a file is missing, damaged or holds something else.
    """
    for file in (path, test):
        if file is not None and not Path(file).is_file():
            raise DataError(file, "the file does not exist", _LATENTS)
    if Path(path).suffix.lower() in _PICKLES:
        if test is not None:
            raise DataError(test, f"{Path(path).name} has test latents already", "Leave out test_latents")
        parts = _pickled(Path(path))
    elif test is None:
        raise DataError(path, "the latents of the test stimuli are missing", f"Give test_latents. {_LATENTS}")
    else:
        parts = _array(Path(path)), _array(Path(test))
    train, tested = (_one_layer(path, name, values) for name, values in zip(("train", "test"), parts, strict=True))
    if train.shape[1] != tested.shape[1]:
        fault = f"training latents have {train.shape[1]} numbers and test latents {tested.shape[1]}"
        raise DataError(path, fault, _LATENTS)
    return train, tested


def _pickled(path: Path) -> tuple[np.ndarray, np.ndarray]:
    try:
        content = read_pickle(io.BytesIO(path.read_bytes()))
    except pickle.UnpicklingError as fault:
        raise DataError(path, str(fault), _LATENTS) from fault
    if not isinstance(content, dict):
        raise DataError(path, "it holds no mapping with `train` and `test`", _LATENTS)
    for name in ("train", "test"):
        if not isinstance(content.get(name), StoredArray):
            raise DataError(path, f"it has no array {name!r}; it holds {', '.join(map(str, content))}", _LATENTS)
    return content["train"].values, content["test"].values


def _array(path: Path) -> np.ndarray:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError) as fault:
        raise DataError(path, f"it cannot be read ({str(fault).splitlines()[0]})", _LATENTS) from fault


def _one_layer(path: str | Path, name: str, values: np.ndarray) -> np.ndarray:
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu" or values.ndim not in (2, 3):
        shape = getattr(values, "shape", "unknown")
        raise DataError(path, f"the {name} latents have the shape {shape}, not (n, latent)", _LATENTS)
    if 0 in values.shape:
        raise DataError(path, f"there are no {name} latents: their shape is {values.shape}", _LATENTS)
    if values.ndim == 3:
        layers, one = values.shape[1], same_in_layers(values)
        if one is None:
            fault = f"the {name} latents differ between the {layers} layers"
            raise DataError(path, fault, "Give one style per picture, (n, latent): decoders learn one")
        values = one
        _logger.info("%s: the %s latents of %d layers are the same, and are read as one", path, name, layers)
    if not np.isfinite(values).all():
        raise DataError(path, f"{int((~np.isfinite(values)).sum())} {name} latents are not finite", _LATENTS)
    return np.ascontiguousarray(values if values.dtype == np.float64 else values.astype(np.float32))


def _read_matrix(path: str | Path, dataset: h5py.Dataset, trials: int, layout: ChannelLayout) -> np.ndarray:
    transposed = is_transposed(path, dataset, trials, layout, time=False)
    values = dataset[()].T if transposed else dataset[()]
    values = np.ascontiguousarray(values[:, layout.columns(values.shape[1])], np.float32)
    channels = np.flatnonzero(layout.kept)
    bad = np.zeros(layout.channels, bool)
    bad[channels] = ~np.isfinite(values).all(axis=0)
    check_finite(path, str(dataset.name).lstrip("/"), bad)
    return values
