"""What every decoder offers, and the checks they share."""

from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from hyper.errors import DataError

Pair = tuple[np.ndarray, np.ndarray]


@runtime_checkable
class Decoder(Protocol):
    """A map from responses to latents, learned on single trials.

    Attributes
    ----------
    kind : str
        Name in the registry.
    random : bool
        Whether it takes a ``seed`` beside its settings.
    settings : dict
        What the decoder was made with.
    curve : DataFrame
        How the fit went: a training curve or a cross-validation curve; empty after loading.
    """

    kind: ClassVar[str]
    random: ClassVar[bool]
    settings: dict[str, Any]
    curve: pd.DataFrame

    def fit(
        self,
        responses: np.ndarray,
        latents: np.ndarray,
        *,
        scaling: Pair | None = None,
        series: np.ndarray | None = None,
        watched: Pair | None = None,
    ) -> Self:
        """Learn from training trials.

        Parameters
        ----------
        responses : ndarray, shape (trial, voxel)
            z of single trials.
        latents : ndarray, shape (trial, latent)
        scaling : (ndarray, ndarray), optional
            Mean and standard deviation per voxel to scale with; those of `responses` if not given.
        series : ndarray of str, shape (trial,), optional
            Run of each trial, for cross-validation.
        watched : (ndarray, ndarray), optional
            Responses and latents whose loss is noted in the curve; nothing else depends on them.

        Raises
        ------
        DataError
            When a value is not finite or the shapes do not fit.
        """
        ...

    def decode(self, responses: np.ndarray, n_repeats: np.ndarray | int | None = None) -> np.ndarray:
        """Decode raw (unscaled) responses.

        Parameters
        ----------
        responses : ndarray, shape (stimulus, voxel)
        n_repeats : ndarray of int or int, optional
            Trials averaged in each row, for decoders that know about noise.

        Returns
        -------
        ndarray of float64, shape (stimulus, latent)
        """
        ...

    def save(self, path: str | Path) -> None:
        """Write weights, scaling and settings as safetensors."""
        ...

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote."""
        ...


def check_training(responses: np.ndarray, latents: np.ndarray) -> None:
    """Refuse training data that no decoder can learn from.

    Raises
    ------
    DataError
    """
    check_matrix("training responses", responses)
    check_matrix("training latents", latents)
    if len(responses) != len(latents):
        raise DataError(
            "training data", f"{len(responses)} responses for {len(latents)} latents", "Assemble the responses again"
        )
    if len(responses) < 2:
        raise DataError("training data", f"{len(responses)} trials are too few", "Check the split of the stimuli")


def check_matrix(name: str, values: np.ndarray, columns: int | None = None) -> None:
    """Refuse an array that is no finite matrix, or has another number of columns.

    Raises
    ------
    DataError
    """
    if values.ndim != 2 or 0 in values.shape:
        raise DataError(name, f"the shape {values.shape} is that of no matrix", "Give one row per trial")
    if columns is not None and values.shape[1] != columns:
        raise DataError(
            name, f"{values.shape[1]} columns where {columns} are due", "Use the voxels that the decoder was fitted on"
        )
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise DataError(name, f"{bad} values are not finite", "Check the z-maps and the voxel mask")


def folds_of(trials: int, series: np.ndarray | None, number: int) -> np.ndarray:
    """Number of the fold that leaves each trial out: its run, or stretches of neighbours where all are of one run.

    Parameters
    ----------
    trials : int
    series : ndarray of str, shape (trial,), optional
    number : int
        Stretches, when there are no runs to leave out.
    """
    if series is not None and len(set(series)) > 1:
        return np.unique(series, return_inverse=True)[1]
    number = min(number, trials)
    return np.arange(trials) * number // trials
