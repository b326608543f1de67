"""Arrays in, arrays out: one z per trial and voxel of a run, by any of the estimators."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hyper.errors import DataError
from hyper.glm.hrf import CANONICAL
from hyper.glm.single_trial import SingleTrialGLM, fit_groups
from hyper.glm.survey import Survey, survey_run

_OWN: dict[str, dict[str, Any]] = {
    "published": {"noise_model": "ols", "hrf": "spm", "noise_components": 0},
    "lsa": {"noise_model": "ar1", "hrf": "spm", "noise_components": 0},
    "lss": {"noise_model": "ar1", "hrf": "library", "noise_components": "auto"},
    "ridge": {"noise_model": "ar1", "hrf": "library", "noise_components": "auto"},
}


@dataclass(frozen=True)
class Recipe:
    """How responses to single trials are estimated.

    Attributes
    ----------
    estimator : {"lsa", "lss", "ridge"}
    noise_model : {"ols", "ar1"}
    hrf : str
        ``library`` for each voxel's own response; any other is the design's.
    noise_components : int or "auto"
    penalty : {"likelihood", "repeats"}
        What chooses each voxel's ridge penalty.
    """

    estimator: str = "lsa"
    noise_model: str = "ols"
    hrf: str = "spm"
    noise_components: int | str = 0
    penalty: str = "likelihood"

    @classmethod
    def of(cls, model: Mapping[str, Any]) -> "Recipe":
        """Read settings glm; what is null there is the estimator's own."""
        name = model.get("estimator") or "published"
        if model.get("regressors") == "condition" and name != "published":
            name = "lsa"
        own = {key: value if model.get(key) is None else model[key] for key, value in _OWN[name].items()}
        return cls("lsa" if name == "published" else name, penalty=model.get("penalty") or "likelihood", **own)


@dataclass
class Estimates:
    """Responses of a run.

    Attributes
    ----------
    z : ndarray, shape (trials, voxels), float32
    degrees_of_freedom : int
        Of the model with all trials.
    response : ndarray of int, shape (voxels,)
        Index into the library of responses (`hrf.STRETCHES`).
    components : ndarray, shape (volumes, components)
        Noise that was regressed out.
    fraction : ndarray, shape (voxels,), or None
        Of ridge: length of the shrunken deviations from the mean relative to the plain ones.
    """

    z: np.ndarray
    degrees_of_freedom: int
    response: np.ndarray
    components: np.ndarray
    fraction: np.ndarray | None = None


def estimate_trials(
    blocks: Iterable[np.ndarray],
    trials: np.ndarray,
    nuisance: np.ndarray,
    recipe: Recipe,
    library: np.ndarray | None = None,
    stimuli: Sequence[object] | None = None,
    threads: int = 1,
) -> Estimates:
    """Estimate the response of every voxel to every trial.

    Parameters
    ----------
    blocks : iterable of ndarray, shape (n, voxels)
        The run, some volumes at a time; must be iterable twice for a library or noise components.
    trials : ndarray, shape (volumes, trials)
        One regressor per trial.
    nuisance : ndarray, shape (volumes, n)
        Drift, confounds, a constant.
    recipe : Recipe
    library : ndarray, shape (responses, volumes, trials), optional
        Trials under each response of the library (`hrf.library_regressors`).
    stimuli : sequence, optional
        What each trial showed, for a penalty chosen by repeats.
    threads : int
        The result does not depend on it.

    Returns
    -------
    Estimates

    Raises
    ------
    DataError
        When the run does not fit the design, or a library or components are asked for of a generator.
    """
    survey = None
    if recipe.hrf == "library" or recipe.noise_components:
        if iter(blocks) is blocks:
            raise DataError("run", "a library or noise components need it twice", "Give a list or a MaskedSeries")
        survey = _survey(blocks, trials, nuisance, recipe, library, threads)
        nuisance = np.hstack([survey.components, nuisance])
    by_response = {CANONICAL: trials} if recipe.hrf != "library" else dict(enumerate(library))  # type: ignore[arg-type]
    groups = _groups(survey, by_response, recipe)
    glms = []
    for response, _ in groups:
        design = np.hstack([by_response[response], nuisance])
        glms.append(SingleTrialGLM(design, range(trials.shape[1]), recipe.noise_model, threads))
    places = [place for _, place in groups]
    fit_groups(glms, places, blocks)
    return _collect(glms, places, groups, survey, recipe, stimuli)


def _survey(
    blocks: Iterable[np.ndarray],
    trials: np.ndarray,
    nuisance: np.ndarray,
    recipe: Recipe,
    library: np.ndarray | None,
    threads: int,
) -> Survey:
    by_library = recipe.hrf == "library"
    if by_library and library is None:
        raise DataError("glm.hrf", "a library of responses needs the trials' regressors", "Give `library`")
    task = np.tile(trials.sum(axis=1)[:, None], CANONICAL + 1) if library is None else library.sum(axis=2).T
    return survey_run(blocks, nuisance, task, by_library, recipe.noise_components, threads)


def _groups(
    survey: Survey | None, by_response: Mapping[int, np.ndarray], recipe: Recipe
) -> list[tuple[int, np.ndarray | None]]:
    """Voxels that share a response: its number, and where they are (None: all)."""
    if survey is None or recipe.hrf != "library":
        return [(CANONICAL, None)]
    return [(int(found), np.flatnonzero(survey.response == found)) for found in np.unique(survey.response)]


def _collect(
    glms: list[SingleTrialGLM],
    places: list[np.ndarray | None],
    groups: list[tuple[int, np.ndarray | None]],
    survey: Survey | None,
    recipe: Recipe,
    stimuli: Sequence[object] | None,
) -> Estimates:
    voxels, trials = sum(glm.voxels for glm in glms), glms[0].regressors - glms[0].nuisance
    z = np.empty((trials, voxels), np.float32)
    fraction = np.ones(voxels, np.float32) if recipe.estimator == "ridge" else None
    for glm, place in zip(glms, places, strict=True):
        own = slice(None) if place is None else place
        if recipe.estimator == "ridge":
            z[:, own], fraction[own] = glm.ridge(stimuli if recipe.penalty == "repeats" else None)  # type: ignore[index]
        else:
            z[:, own] = glm.lss() if recipe.estimator == "lss" else glm.z(np.eye(glm.regressors)[:trials])
        del glm.sums
    response = np.full(voxels, groups[0][0]) if survey is None else survey.response
    components = np.zeros((glms[0].volumes, 0)) if survey is None else survey.components
    return Estimates(z, glms[0].degrees_of_freedom, response, components, fraction)
