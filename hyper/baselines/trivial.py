"""Trivial predictors: what latents score that know nothing, or next to nothing, of the test responses."""

from collections.abc import Callable

import numpy as np

from hyper.errors import DataError, SettingsError
from hyper.io.seeds import generator_of
from hyper.responses.matrices import Responses

PREFIX = "trivial-"
Predictor = Callable[[Responses, int, np.ndarray | None], np.ndarray]


def predict_trivially(name: str, responses: Responses, seed: int, decoded: np.ndarray | None = None) -> np.ndarray:
    """Predict the latents of the test stimuli.

    Parameters
    ----------
    name : str
        Key of `PREDICTORS`.
    responses : Responses
    seed : int
        For the predictor that draws.
    decoded : ndarray, shape (stimulus, latent), optional
        A decoder's latents of the same stimuli, for ``trivial-shuffled``.

    Returns
    -------
    ndarray of float64, shape (stimulus, latent)

    Raises
    ------
    SettingsError
        When there is no such predictor.
    """
    if name not in PREDICTORS:
        raise SettingsError("baselines.trivial", f"there is no {name!r}", f"Choose from {', '.join(PREDICTORS)}")
    return PREDICTORS[name](responses, seed, decoded)


def _zero(responses: Responses, seed: int, decoded: np.ndarray | None) -> np.ndarray:
    """The mean of the prior N(0, I)."""
    return np.zeros(responses.test_latents.shape)


def _mean(responses: Responses, seed: int, decoded: np.ndarray | None) -> np.ndarray:
    """The mean latent of the training trials."""
    mean = responses.train_latents.mean(axis=0, dtype=np.float64)
    return np.repeat(mean[None], len(responses.test), axis=0)


def _random(responses: Responses, seed: int, decoded: np.ndarray | None) -> np.ndarray:
    """A draw from the prior N(0, I) for each stimulus."""
    return generator_of(seed, "random latents").standard_normal(responses.test_latents.shape)


def _nearest(responses: Responses, seed: int, decoded: np.ndarray | None) -> np.ndarray:
    """The latent of the training trial whose response (z-scored voxels) correlates best with the test response."""
    train, test = (
        _unit_rows((values.astype(np.float64) - responses.mean) / responses.std)
        for values in (responses.train, responses.test)
    )
    return responses.train_latents[(test @ train.T).argmax(axis=1)].astype(np.float64)


def _shuffled(responses: Responses, seed: int, decoded: np.ndarray | None) -> np.ndarray:
    """A decoder's latents, each given to the next stimulus (the last one's to the first)."""
    if decoded is None or decoded.shape != responses.test_latents.shape:
        raise DataError("trivial-shuffled", "there are no decoded latents of these stimuli", "Run a decoder first")
    return np.roll(decoded.astype(np.float64), 1, axis=0)


def _unit_rows(values: np.ndarray) -> np.ndarray:
    """Rows centred and of length 1; a constant row becomes zero."""
    centred = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    return centred / np.where(lengths > 0, lengths, 1)


PREDICTORS: dict[str, Predictor] = {
    "trivial-zero": _zero,
    "trivial-mean": _mean,
    "trivial-random": _random,
    "trivial-nearest": _nearest,
    "trivial-shuffled": _shuffled,
}
