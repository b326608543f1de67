"""Several subjects: a shared response space, learned on training trials alone.

The published follow-up aligned its subjects on training and test responses together, and z-scored the test set by
itself. Test responses then shape the space that they are decoded in. Here `fit` takes training responses only, and a
test response passes through the map and the scaling that training left behind.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hyper.errors import DataError


@dataclass
class SharedSpace:
    """Orthonormal map of each subject's voxels to a shared space.

    Attributes
    ----------
    maps : dict of str to ndarray, shape (voxel, dimension)
    scaling : dict of str to (ndarray, ndarray)
        Mean and standard deviation per voxel of the subject's training trials.
    shared : ndarray, shape (trial, dimension)
        Shared responses to the training stimuli, in the order of `stimuli`.
    stimuli : ndarray of str, shape (trial,)
    """

    maps: dict[str, np.ndarray]
    scaling: dict[str, tuple[np.ndarray, np.ndarray]]
    shared: np.ndarray
    stimuli: np.ndarray

    def project(self, subject: str, responses: np.ndarray) -> np.ndarray:
        """Bring raw responses of a subject, shape (stimulus, voxel), to the shared space.

        Raises
        ------
        DataError
            When the subject was not in training, or has other voxels.
        """
        if subject not in self.maps:
            raise DataError(f"sub-{subject}", "no shared space was fitted with it", "Add it to the training subjects")
        mean, std = self.scaling[subject]
        if responses.shape[1:] != mean.shape:
            raise DataError(f"sub-{subject}", f"{responses.shape} is no matrix of {len(mean)} voxels", "Same mask")
        return (responses - mean) / std @ self.maps[subject]


def fit_shared_space(
    responses: Mapping[str, np.ndarray],
    stimuli: Mapping[str, np.ndarray],
    dimensions: int = 100,
    iterations: int = 10,
) -> SharedSpace:
    """Learn the space that the subjects' training responses share.

    Parameters
    ----------
    responses : mapping of str to ndarray, shape (trial, voxel)
        Single training trials of each subject; voxels may differ in number.
    stimuli : mapping of str to ndarray of str, shape (trial,)
        What was shown. Repeats of a stimulus are averaged; only stimuli that all subjects saw are used.
    dimensions : int
        At most as many as the voxels of any subject and the common stimuli.
    iterations : int

    Returns
    -------
    SharedSpace

    Raises
    ------
    DataError
        When there is one subject alone, or fewer than ten stimuli are common to all.

    Notes
    -----
    Deterministic shared response model (Chen et al., 2015, NeurIPS): minimises the sum over subjects of
    ||X_i - S W_i'||^2 with W_i'W_i = I, by turns: W_i from the singular vectors of X_i'S (Procrustes, as in
    hyperalignment: Haxby et al., 2011), S as the mean of X_i W_i.
    """
    common = common_stimuli(stimuli)
    scaling, scaled = {}, {}
    for subject, values in responses.items():
        std = values.std(axis=0, dtype=np.float64)
        scaling[subject] = values.mean(axis=0, dtype=np.float64), np.where(std > 0, std, 1.0)
        standard = (values - scaling[subject][0]) / scaling[subject][1]
        scaled[subject] = np.stack([standard[stimuli[subject] == name].mean(axis=0) for name in common])
    size = min(dimensions, len(common), *(values.shape[1] for values in scaled.values()))
    left, values, _ = np.linalg.svd(np.hstack(list(scaled.values())), full_matrices=False)
    shared = left[:, :size] * values[:size]
    for _ in range(iterations):
        maps = {subject: _procrustes(values, shared) for subject, values in scaled.items()}
        shared = np.mean([scaled[subject] @ maps[subject] for subject in maps], axis=0)
    return SharedSpace(maps, scaling, shared, np.array(common))


def common_stimuli(stimuli: Mapping[str, Iterable[str]]) -> list[str]:
    """Name the training stimuli that all subjects saw, in alphabetical order.

    Parameters
    ----------
    stimuli : mapping of str to iterable of str
        Of each subject.

    Raises
    ------
    DataError
        When there is one subject alone, or fewer than ten stimuli are common to all.
    """
    if len(stimuli) < 2:
        raise DataError("alignment", "there is one subject alone", "Give at least two")
    common = sorted(set.intersection(*(set(names) for names in stimuli.values())))
    if len(common) < 10:
        raise DataError(
            "alignment", f"{len(common)} training stimuli were seen by all subjects", "Decode each subject by itself"
        )
    return common


def check_common(training: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """Refuse subjects who saw too little in common, or for whom stimuli of one name are not the same.

    Parameters
    ----------
    training : mapping of str to (ndarray of str, ndarray)
        Stimulus and latent of each training trial of each subject.

    Raises
    ------
    DataError
    """
    common_stimuli({subject: stimuli for subject, (stimuli, _) in training.items()})
    first: dict[str, tuple[str, np.ndarray]] = {}
    for subject, (stimuli, latents) in training.items():
        for name, latent in zip(stimuli, latents, strict=True):
            owner, known = first.setdefault(str(name), (subject, latent))
            if known.shape != latent.shape or not np.allclose(known, latent, rtol=1e-4, atol=1e-4):
                raise DataError(
                    f"training stimulus {name}",
                    f"its latent for sub-{subject} is not that for sub-{owner}",
                    "Name the stimuli alike for all subjects, or set `subjects: own` for every decoder",
                )


def _procrustes(values: np.ndarray, shared: np.ndarray) -> np.ndarray:
    left, _, right = np.linalg.svd(values.T @ shared, full_matrices=False)
    return left @ right
