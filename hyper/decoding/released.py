"""What the authors released: pickled matrices of responses and latents, and a trained linear decoder."""

import io
import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from hyper.decoding.base import Pair
from hyper.decoding.linear import LinearDecoder
from hyper.errors import DataError
from hyper.generators.checkpoints.chainer import read_linear_decoder
from hyper.io.unpickle import StoredArray, read_pickle
from hyper.responses.matrices import Responses

REPEATS = 14  # of each test face, nominally; the matrices do not say
SERIES = "released"
NAMES = "X_tr", "T_tr", "X_te", "T_te"
_MEND = "Give the file that the authors call data_1.dat or data_2.dat"


def read_released(path: str | Path) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Read a pickled tuple (X_tr, T_tr, X_te, T_te) of any protocol; nothing of the file is executed.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    responses, latents, test_responses, test_latents : ndarray of float32 or float64
        Shapes (trial, voxel), (trial, latent), (stimulus, voxel), (stimulus, latent).

    Raises
    ------
    DataError
        When the file is missing or damaged, or holds anything but four matrices of numbers that fit each other.
    """
    if not Path(path).is_file():
        raise DataError(path, "the file does not exist", _MEND)
    try:
        content = read_pickle(io.BytesIO(Path(path).read_bytes()))
    except pickle.UnpicklingError as fault:
        raise DataError(path, str(fault), _MEND) from fault
    if not isinstance(content, (tuple, list)) or not all(isinstance(part, StoredArray) for part in content):
        raise DataError(path, "it holds no tuple of arrays", _MEND)
    if len(content) != len(NAMES):
        raise DataError(path, f"it holds {len(content)} arrays where {', '.join(NAMES)} are due", _MEND)
    responses, latents, test_responses, test_latents = (part.values for part in content)
    for name, values in zip(NAMES, (responses, latents, test_responses, test_latents), strict=True):
        _check_matrix(path, name, values)
    _check_agreement(path, "trials", 0, X_tr=responses, T_tr=latents)
    _check_agreement(path, "test stimuli", 0, X_te=test_responses, T_te=test_latents)
    _check_agreement(path, "voxels", 1, X_tr=responses, X_te=test_responses)
    _check_agreement(path, "latents", 1, T_tr=latents, T_te=test_latents)
    return responses, latents, test_responses, test_latents


def released_responses(path: str | Path, repeats: int = REPEATS) -> Responses:
    """Read the authors' matrices as the responses that decoders learn from.

    Parameters
    ----------
    path : str or Path
    repeats : int
        Trials behind each test response.

    Returns
    -------
    Responses
        Stimuli are numbered in the order of the rows, the trials belong to one series, and the voxels have no place:
        `ijk` is -1 and `affine` nan, since the matrices hold none of these.

    Raises
    ------
    DataError
        As `read_released`.
    """
    if repeats < 1:
        raise DataError("repeats", f"{repeats} trials cannot be averaged", "Give 1 or more")
    responses, latents, test_responses, test_latents = read_released(path)
    return Responses.of_matrices(responses, test_responses, latents, test_latents, repeats, SERIES)


class ChainerDecoder(LinearDecoder):
    """The authors' trained decoder, a Chainer ``.model`` (npz with ``fc1/W`` and ``fc1/b``): it learns nothing more.

    It takes responses as they are, unscaled, as the authors' matrices hold them.

    Parameters
    ----------
    file : str
        The ``.model``; read when the decoder is "fitted", and kept with it from then on.
    """

    kind: ClassVar[str] = "chainer"

    def __init__(self, file: str) -> None:
        super().__init__(file=file)

    def _set_scaling(self, responses: np.ndarray, scaling: Pair | None) -> None:
        self.mean, self.std = np.zeros(responses.shape[1]), np.ones(responses.shape[1])

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        weight, bias = read_linear_decoder(self.settings["file"])
        due = latents.shape[1], responses.shape[1]
        if weight.shape != due:
            raise DataError(
                self.settings["file"], f"its weight is {weight.shape} where {due} (latents, voxels) is due",
                "Give the decoder that was trained on these responses",
            )  # fmt: skip
        self.weight, self.bias, self.curve = weight, bias, pd.DataFrame()


def _check_matrix(path: str | Path, name: str, values: np.ndarray) -> None:
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(path, f"the shape of {name} is {values.shape}, that of no matrix", _MEND)
    if values.dtype not in (np.float32, np.float64):
        raise DataError(path, f"{name} holds {values.dtype}, not float32 or float64", _MEND)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise DataError(path, f"{bad} values of {name} are not finite", _MEND)


def _check_agreement(path: str | Path, what: str, axis: int, **matrices: np.ndarray) -> None:
    counts = {name: values.shape[axis] for name, values in matrices.items()}
    if len(set(counts.values())) > 1:
        told = " and ".join(f"{count} in {name}" for name, count in counts.items())
        raise DataError(path, f"the numbers of {what} differ: {told}", f"The order is {', '.join(NAMES)}")
