"""Each voxel's own response, noise components, ridge: on runs whose truth is planted."""

import numpy as np
import pytest
from scipy.signal import lfilter

from hyper.errors import DataError
from hyper.glm.estimate import Recipe, estimate_trials
from hyper.glm.estimators import ridge
from hyper.glm.hrf import CANONICAL, STRETCHES, library_regressors, spm_response
from hyper.glm.single_trial import SingleTrialGLM
from hyper.glm.survey import survey_run

TR, VOLUMES, TRIALS, VOXELS = 1.5, 500, 60, 400


@pytest.fixture(scope="module")
def run():
    """The first half of the voxels responds, by early, canonical and late responses in turn; two shared noises."""
    rng = np.random.default_rng(0)
    onsets = 12 + np.cumsum(rng.choice([9.0, 10.5, 12.0], TRIALS)) - 9
    library = library_regressors(onsets, np.full(TRIALS, 2.0), VOLUMES, TR)
    drift = np.cos(np.pi * np.outer(np.arange(VOLUMES) + 0.5, np.arange(1, 8)) / VOLUMES)
    nuisance = np.column_stack([drift, np.ones(VOLUMES)])
    kind = np.array([3, CANONICAL, 17])[np.arange(VOXELS) % 3]
    planted = (3 + rng.normal(size=(TRIALS, VOXELS))) * (np.arange(VOXELS) < VOXELS // 2)
    signal = np.stack([library[kind[v]] @ planted[:, v] for v in range(VOXELS)], axis=1)
    shared = lfilter([1], [1, -0.5], rng.normal(size=(VOLUMES, 2)), axis=0) @ rng.normal(size=(2, VOXELS))
    noise = lfilter([1], [1, -0.3], rng.normal(size=(VOLUMES, VOXELS)), axis=0)
    data = (1000 + signal / library.max() * 2 + noise + shared).astype(np.float32)
    blocks = [data[start : start + 64] for start in range(0, VOLUMES, 64)]
    return {"blocks": blocks, "library": library, "nuisance": nuisance, "kind": kind, "planted": planted}


def correlations(z, planted):
    on = planted.std(axis=0) > 0
    return np.array([np.corrcoef(z[:, v], planted[:, v])[0, 1] for v in np.flatnonzero(on)])


def estimated(run, recipe, **more):
    return estimate_trials(run["blocks"], run["library"][CANONICAL], run["nuisance"], recipe, run["library"], **more)


def test_the_library_holds_spms_response_and_peaks_from_three_to_eight_seconds():
    time = np.arange(0, 30, 0.01)
    peaks = [time[np.argmax(spm_response(time / stretch))] for stretch in STRETCHES]
    assert STRETCHES[CANONICAL] == 1
    assert len(STRETCHES) == 20
    assert 3 <= min(peaks) < 3.2
    assert 7.6 < max(peaks) < 8


def test_regressors_are_the_boxcar_through_the_response():
    fine = 0.01
    time = np.arange(0, 60, fine)
    box = ((time >= 6) & (time < 8)).astype(float)
    expected = np.convolve(box, spm_response(time / STRETCHES[4]) / STRETCHES[4])[: len(time)] * fine
    found = library_regressors(np.array([6.0]), np.array([2.0]), 40, 1.5)[4, :, 0]
    assert np.abs(found - expected[:: int(1.5 / fine)][:40]).max() < 0.01 * expected.max()


def test_each_voxel_gets_the_response_it_was_given(run):
    found = estimated(run, Recipe("lsa", "ols", "library")).response
    on = np.arange(VOXELS) < VOXELS // 2
    for kind in (3, CANONICAL, 17):
        away = np.abs(found[on & (run["kind"] == kind)] - kind)
        assert np.median(away) <= 1
        assert np.mean(away <= 4) > 0.9
    assert (found[~on] == CANONICAL).mean() > 0.5


def test_voxels_of_one_response_are_those_of_a_model_with_it(run):
    estimates = estimated(run, Recipe("lsa", "ols", "library"))
    chosen = int(estimates.response[0])
    design = np.hstack([run["library"][chosen], run["nuisance"]])
    z = SingleTrialGLM(design).fit(run["blocks"]).z(np.eye(design.shape[1])[:TRIALS])
    alike = estimates.response == chosen
    assert np.abs(estimates.z[:, alike] - z[:, alike]).max() < 1e-4


def test_components_are_the_noise_that_voxels_share(run):
    task = run["library"].sum(axis=2).T
    survey = survey_run(run["blocks"], run["nuisance"], task, True, "auto")
    assert survey.components.shape == (VOLUMES, 2)
    assert survey.errors[2] < 0.9 * survey.errors[0]
    assert np.allclose(survey.components.T @ survey.components, np.eye(2), atol=1e-6)
    plain = correlations(estimated(run, Recipe("lsa", "ols", "library")).z, run["planted"])
    cleaned = correlations(estimated(run, Recipe("lsa", "ols", "library", "auto")).z, run["planted"])
    assert cleaned.mean() > plain.mean() + 0.03


def test_no_component_is_taken_of_white_noise():
    rng = np.random.default_rng(2)
    data = rng.normal(size=(VOLUMES, VOXELS)).astype(np.float32)
    task = np.tile((np.arange(VOLUMES) % 8 < 3).astype(float)[:, None], 20)
    data[:, :60] += task[:, :1]
    survey = survey_run([data], np.ones((VOLUMES, 1)), task, False, "auto")
    assert survey.components.shape[1] == 0
    assert (survey.response == CANONICAL).all()


def test_ridge_shrinks_noise_more_than_signal_and_beats_least_squares(run):
    crowded = library_regressors(10 + 3.0 * np.arange(TRIALS), np.full(TRIALS, 1.0), 200, TR)[CANONICAL]
    rng = np.random.default_rng(3)
    planted = 2 + rng.normal(size=(TRIALS, VOXELS)) * np.where(np.arange(VOXELS) < VOXELS // 2, 1, 0.02)
    data = crowded @ planted / crowded.max() + rng.normal(size=(200, VOXELS)) * 0.7
    glm = SingleTrialGLM(np.column_stack([crowded, np.ones(200)]), range(TRIALS)).fit([data])
    plain = correlations(glm.z(np.eye(TRIALS + 1)[:TRIALS]), planted)[: VOXELS // 2].mean()
    z, fraction = glm.ridge()
    assert np.median(fraction[: VOXELS // 2]) > 2 * np.median(fraction[VOXELS // 2 :])
    assert correlations(z, planted)[: VOXELS // 2].mean() > plain + 0.02
    stimuli = np.arange(TRIALS) % 12
    repeated = 2 + rng.normal(size=(12, VOXELS))[stimuli]
    data = crowded @ repeated / crowded.max() + rng.normal(size=(200, VOXELS)) * 0.7
    glm = SingleTrialGLM(np.column_stack([crowded, np.ones(200)]), range(TRIALS)).fit([data])
    plain = correlations(glm.z(np.eye(TRIALS + 1)[:TRIALS]), repeated).mean()
    assert correlations(glm.ridge(stimuli.tolist())[0], repeated).mean() > plain + 0.02


def test_ridge_without_noise_is_least_squares(run):
    trials, rng = run["library"][CANONICAL], np.random.default_rng(4)
    planted = 50 * (1 + rng.normal(size=(TRIALS, 30)))
    data = trials / trials.max() @ planted + 0.01 * rng.normal(size=(VOLUMES, 30))
    glm = SingleTrialGLM(np.hstack([trials, run["nuisance"]]), range(TRIALS)).fit(iter([data]))
    part = next(iter(glm.parts()))()
    found, fraction = ridge(part, glm.nuisance, glm.degrees_of_freedom)
    t = glm.t(np.eye(glm.regressors)[:TRIALS])
    assert fraction.min() > 0.99
    assert np.allclose(found, t, rtol=1e-3, atol=1e-2 * np.abs(t).max())


def test_a_generator_cannot_be_read_twice(run):
    with pytest.raises(DataError, match="twice"):
        estimate_trials(iter(run["blocks"]), run["library"][0], run["nuisance"], Recipe(noise_components=2))


def test_what_is_null_is_the_estimators_own():
    assert Recipe.of({"estimator": "published"}) == Recipe("lsa", "ols", "spm", 0)
    assert Recipe.of({"estimator": "lss", "noise_model": None}) == Recipe("lss", "ar1", "library", "auto")
    assert Recipe.of({"estimator": "ridge", "noise_components": 0}) == Recipe("ridge", "ar1", "library", 0)
    assert Recipe.of({"estimator": "ridge", "regressors": "condition"}) == Recipe("lsa", "ar1", "spm", 0)
