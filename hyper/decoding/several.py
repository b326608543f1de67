"""Response matrices in a space that subjects share, for decoders that learn from all subjects' training trials."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hyper.decoding.alignment import SharedSpace, check_common, fit_shared_space
from hyper.responses.matrices import Responses


def shared_responses(
    responses: Mapping[str, Responses], dimensions: int = 100, iterations: int = 10
) -> dict[str, Responses]:
    """Bring the responses of several subjects to a space learned on their training trials.

    Parameters
    ----------
    responses : mapping of str to Responses
        Of each subject, in the subject's own voxels.
    dimensions, iterations : int
        See `fit_shared_space`.

    Returns
    -------
    dict of str to Responses
        For each subject the single training trials of all subjects with their latents, stacked, and the subject's own
        test stimuli, brought there by its own map. A dimension stands in the place of a voxel: `ijk` is -1 and `affine`
        nan. `mean` and `std` are those of the stacked trials, `std` one number for all dimensions: the space is a
        rotation, in which the length of a dimension says how much subjects share of it.
        `train_series` is the run in which the first subject that saw a stimulus saw it: to leave a run out is to leave
        its stimuli out, whoever saw them.

    Raises
    ------
    DataError
        When a stimulus has other latents for another subject, or `fit_shared_space` refuses.
    """
    check_common({subject: (own.train_stimuli, own.train_latents) for subject, own in responses.items()})
    space = fit_shared_space(
        {subject: matrices.train for subject, matrices in responses.items()},
        {subject: matrices.train_stimuli for subject, matrices in responses.items()},
        dimensions,
        iterations,
    )
    train = np.concatenate([space.project(subject, own.train) for subject, own in responses.items()])
    size = train.shape[1]
    stimuli = np.concatenate([own.train_stimuli for own in responses.values()])
    mean, std = train.mean(axis=0), np.full(size, np.sqrt(train.var(axis=0).mean()))
    together: dict[str, Any] = {
        "train": train.astype(np.float32),
        "train_stimuli": stimuli,
        "train_series": _first_seen(stimuli, np.concatenate([own.train_series for own in responses.values()])),
        "train_latents": np.concatenate([own.train_latents for own in responses.values()]),
        "ijk": np.full((size, 3), -1),
        "affine": np.full((4, 4), np.nan),
        "mean": mean,
        "std": np.where(std > 0, std, 1.0),
    }
    return {subject: Responses(**together, **_own_test(space, subject, own)) for subject, own in responses.items()}


def _first_seen(stimuli: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Series of the first trial of each trial's stimulus."""
    _, first, place = np.unique(stimuli, return_index=True, return_inverse=True)
    return series[first][place]


def _own_test(space: SharedSpace, subject: str, own: Responses) -> dict[str, Any]:
    return {
        "test": space.project(subject, own.test).astype(np.float32),
        "test_stimuli": own.test_stimuli,
        "test_latents": own.test_latents,
        "test_repeats": own.test_repeats,
    }
