"""Decoding from windows of time."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from hyper.decoding.base import Decoder
from hyper.errors import DataError

WHOLE = "all"  # channels of all regions together


def region_masks(region: np.ndarray) -> dict[str, np.ndarray]:
    """Mask of the channels of all regions together, then of each, in the order of the channels."""
    names = list(dict.fromkeys(map(str, region)))
    whole = {WHOLE: np.ones(len(region), bool)}
    return whole | {name: np.asarray(region) == name for name in names} if len(names) > 1 else whole


def decode_windows(
    make: Callable[[int], Decoder], train: np.ndarray, latents: np.ndarray, test: np.ndarray, repeats: int = 1
) -> Iterator[np.ndarray]:
    """Fit a decoder on each window and decode every window with it.

    Parameters
    ----------
    make : callable
        Returns an unfitted decoder, given the window's number.
    train : ndarray, shape (window, trial, channel)
    latents : ndarray, shape (trial, latent)
    test : ndarray, shape (window, stimulus, channel)
        Scaled as the training responses of the window that the decoder learned from.
    repeats : int
        Trials averaged in each test response.

    Yields
    ------
    ndarray of float64, shape (window, stimulus, latent)
        By the decoder of the first window, of the second, and so on.

    Raises
    ------
    DataError
        When there are other windows or channels in test than in training responses.
    """
    if train.ndim != 3 or test.ndim != 3 or (len(train), train.shape[2]) != (len(test), test.shape[2]):
        fault = f"training responses are {train.shape} and test responses {test.shape}"
        raise DataError("windows", fault, "Average both over the same windows and channels")
    for number, responses in enumerate(train):
        decoder = make(number).fit(responses, latents)
        yield np.stack([decoder.decode(window, repeats) for window in test])


def of_regions(arrays: Mapping[str, np.ndarray], kind: str) -> dict[str, np.ndarray]:
    """Arrays called ``<kind>/<region>``, by region, in the order of ``regions``: HDF5 keeps none."""
    return {str(name): arrays[f"{kind}/{name}"] for name in arrays["regions"]}


def window_at(starts: np.ndarray, start: float) -> int:
    """Return the number of the window with a start, ms from the onset.

    Raises
    ------
    DataError
        When there is none.
    """
    found = np.flatnonzero(np.abs(starts - start) < 1e-6)
    if not len(found):
        known = ", ".join(f"{value:g}" for value in starts)
        raise DataError(
            "decoding.over_time.train_window", f"no window starts at {start:g} ms", f"Choose one of {known}"
        )
    return int(found[0])
