"""Linear kernels of features that may be larger than memory."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg.blas import dsyrk

from hyper.io.ahead import read_ahead

COLUMNS = 2048  # of the features that are held at a time


class Columns(Protocol):
    """A matrix that is read by slices: an array, or a dataset of HDF5."""

    @property
    def shape(self) -> tuple[int, ...]:  # noqa: D102
        ...

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray: ...


class Kernels(NamedTuple):
    """What a kernel method sees of the features.

    Attributes
    ----------
    train : ndarray, shape (training trial, training trial)
    test : ndarray, shape (test stimulus, training trial)
    width : int, optional
        Number of features, which bounds the rank.
    """

    train: np.ndarray
    test: np.ndarray
    width: int | None = None


def gram(features: Columns, columns: int = COLUMNS) -> np.ndarray:
    """Compute features @ features.T from blocks of columns, in double precision.

    Parameters
    ----------
    features : array-like, shape (stimulus, feature)
        Not held in memory as a whole.
    columns : int
        Features at a time; at most two such blocks are held.

    Returns
    -------
    ndarray, shape (stimulus, stimulus)
    """
    count = features.shape[0]
    # BLAS wants its matrices with the first axis fastest, and needs one triangle only
    total = np.zeros((count, count), order="F")
    for block in read_ahead(_blocks(features, columns)):
        total = dsyrk(1.0, block.T, beta=1.0, c=total, trans=1, lower=0, overwrite_c=1)
    for start in range(0, count, 512):
        stop = min(start + 512, count)
        total[stop:, start:stop] = total[start:stop, stop:].T
        corner = total[start:stop, start:stop]
        corner[...] = np.triu(corner) + np.triu(corner, 1).T
    return total


def _blocks(features: Columns, columns: int) -> Iterator[np.ndarray]:
    for start in range(0, features.shape[1], columns):
        yield np.ascontiguousarray(features[:, start : start + columns], np.float64)


def split_kernel(
    whole: np.ndarray, train: np.ndarray, test: np.ndarray, centre: bool = True, width: int | None = None
) -> Kernels:
    """Take the kernels of training and test stimuli from that of all.

    Parameters
    ----------
    whole : ndarray, shape (stimulus, stimulus)
    train, test : ndarray of int
        Rows, the same as often as a stimulus was shown.
    centre : bool
        Whether the mean of the training stimuli is subtracted from every feature.
    width : int, optional
        Number of features.
    """
    inside, across = whole[np.ix_(train, train)], whole[np.ix_(test, train)]
    if centre:
        mean, level = inside.mean(axis=0), inside.mean()
        across = across - across.mean(axis=1, keepdims=True) - mean + level
        inside = inside - mean
        inside -= mean[:, None]
        inside += level
    return Kernels(inside, across, width)
