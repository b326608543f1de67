"""Every estimate beside nilearn's own, trial by trial."""

import numpy as np
import pandas as pd
import pytest
from nilearn.glm.contrasts import compute_contrast
from nilearn.glm.first_level import run_glm
from scipy.signal import lfilter

from hyper.glm.design import design_matrix
from hyper.glm.single_trial import SingleTrialGLM

TR, VOLUMES, TRIALS, VOXELS = 1.5, 200, 24, 300


@pytest.fixture(scope="module")
def design():
    rng = np.random.default_rng(0)
    onsets = 12 + np.cumsum(rng.choice([9.0, 10.5, 12.0], TRIALS)) - 9
    trials = pd.DataFrame({"series": "run", "onset": onsets, "duration": 2.167})
    names = pd.Series([f"trial_{number:04d}" for number in range(TRIALS)])
    motion = pd.DataFrame(np.cumsum(rng.normal(size=(VOLUMES, 3)), axis=0), columns=list("xyz"))
    return design_matrix(trials, names, VOLUMES, TR, confounds=motion)


@pytest.fixture(scope="module")
def data(design):
    """Autocorrelation from -0.2 to 0.7, a baseline of 1000 to 9000, responses from none to strong."""
    rng = np.random.default_rng(1)
    rho = np.linspace(-0.2, 0.7, VOXELS)
    noise = np.stack([lfilter([1], [1, -r], rng.normal(size=VOLUMES)) for r in rho], axis=1)
    beta = rng.normal(size=(design.shape[1], VOXELS)) * rng.uniform(0, 3, VOXELS)
    return (design.to_numpy() @ beta + noise + rng.uniform(1000, 9000, VOXELS)).astype(np.float32)


def blocks_of(data, size=33):
    return [data[start : start + size] for start in range(0, len(data), size)]


def by_nilearn(data, design, noise_model, contrasts):
    labels, results = run_glm(data.astype(float), design, noise_model=noise_model)
    return np.stack([compute_contrast(labels, results, contrast, "t").z_score() for contrast in contrasts]), labels


def close(z, reference, tolerance):
    middle = np.abs(reference) < 8
    assert middle.mean() > 0.5
    assert np.abs(z - reference)[middle].max() < tolerance
    assert np.abs(z / reference - 1)[~middle].max(initial=0) < tolerance


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("stream", [list, iter], ids=["single precision", "double precision"])
def test_all_trials_at_once_by_ordinary_least_squares(design, data, stream, threads):
    contrasts = np.eye(design.shape[1])[:TRIALS]
    reference, _ = by_nilearn(data, design.to_numpy(), "ols", contrasts)
    glm = SingleTrialGLM(design.to_numpy(), range(TRIALS), threads=threads).fit(stream(blocks_of(data)))
    close(glm.z(contrasts), reference, 1e-4)


@pytest.mark.parametrize("stream", [list, iter], ids=["single precision", "double precision"])
def test_all_trials_at_once_with_autocorrelated_noise(design, data, stream):
    contrasts = np.vstack([np.eye(design.shape[1])[:TRIALS], np.eye(design.shape[1])[0] - np.eye(design.shape[1])[1]])
    reference, labels = by_nilearn(data, design.to_numpy(), "ar1", contrasts)
    glm = SingleTrialGLM(design.to_numpy(), range(TRIALS), noise_model="ar1").fit(stream(blocks_of(data)))
    own = np.trunc(glm.autocorrelation() * 100) / 100
    assert np.array_equal(own, labels.astype(float))
    assert len(np.unique(own)) > 30
    close(glm.z(contrasts), reference, 1e-4)


@pytest.mark.parametrize("noise_model", ["ols", "ar1"])
def test_a_model_for_each_trial(design, data, noise_model):
    glm = SingleTrialGLM(design.to_numpy(), range(TRIALS), noise_model=noise_model).fit(blocks_of(data))
    z, matrix = glm.lss(), design.to_numpy()
    for trial in (0, 7, TRIALS - 1):
        others = np.delete(matrix[:, :TRIALS], trial, axis=1).sum(axis=1)
        own = np.column_stack([matrix[:, trial], others, matrix[:, TRIALS:]])
        reference, _ = by_nilearn(data, own, noise_model, np.eye(own.shape[1])[:1])
        close(z[trial], reference[0], 1e-4)


def test_threads_change_no_bit(design, data):
    wide = np.hstack([data] * 30)
    contrasts = np.eye(design.shape[1])[:TRIALS]
    results = []
    for threads in (1, 3):
        glm = SingleTrialGLM(design.to_numpy(), range(TRIALS), "ar1", threads).fit(blocks_of(wide))
        results.append((glm.z(contrasts), glm.lss(), *glm.ridge()))
    for one, many in zip(*results, strict=True):
        assert np.array_equal(one, many)


def test_a_voxel_that_float32_would_spoil_is_read_again_in_float64(design, data):
    spoilt = data.astype(np.float64)
    spoilt[:, 5] += 1e4 * design.to_numpy()[:, TRIALS]  # a drift ten thousand times the noise
    blocks = blocks_of(spoilt)
    contrasts = np.eye(design.shape[1])[:TRIALS]
    glm = SingleTrialGLM(design.to_numpy(), range(TRIALS)).fit(blocks)
    reference, _ = by_nilearn(spoilt, design.to_numpy(), "ols", contrasts)
    close(glm.z(contrasts), reference, 1e-4)


def test_a_design_without_a_constant_keeps_the_mean(design, data):
    bare = design.to_numpy()[:, :TRIALS]
    contrasts = np.eye(TRIALS)
    glm = SingleTrialGLM(bare, range(TRIALS)).fit(blocks_of(data))
    reference, _ = by_nilearn(data, bare, "ols", contrasts)
    close(glm.z(contrasts), reference, 1e-4)
