from typing import get_args

import numpy as np
import pytest
from scipy.stats import pearsonr

from hyper.baselines.trivial import PREDICTORS, predict_trivially
from hyper.errors import DataError, SettingsError
from hyper.responses.matrices import Responses
from hyper.settings.baselines import Baselines, Trivial


@pytest.fixture
def responses():
    rng = np.random.default_rng(3)
    train, test = rng.normal(size=(20, 15)).astype(np.float32) + 1, rng.normal(size=(4, 15)).astype(np.float32)
    train *= np.linspace(0.1, 9, 15, dtype=np.float32)
    test *= np.linspace(0.1, 9, 15, dtype=np.float32)
    return Responses(
        train=train,
        test=test,
        train_stimuli=np.arange(20).astype(str),
        test_stimuli=np.arange(4).astype(str),
        train_series=np.full(20, "run-1"),
        train_latents=rng.normal(size=(20, 6)),
        test_latents=rng.normal(size=(4, 6)),
        test_repeats=np.full(4, 2),
        ijk=np.zeros((15, 3), int),
        affine=np.eye(4),
        mean=train.mean(axis=0),
        std=train.std(axis=0),
    )


def test_settings_name_the_predictors():
    assert list(get_args(Trivial)) == list(PREDICTORS) == Baselines().trivial


@pytest.mark.parametrize("name", PREDICTORS)
def test_shape_and_no_look_at_the_test_latents(responses, name):
    decoded = np.random.default_rng(0).normal(size=(4, 6))
    first = predict_trivially(name, responses, 1, decoded)
    responses.test_latents = responses.test_latents * np.nan
    assert first.shape == (4, 6)
    assert first.dtype == np.float64
    assert np.array_equal(predict_trivially(name, responses, 1, decoded), first)


def test_values(responses):
    assert not predict_trivially("trivial-zero", responses, 0).any()
    mean = predict_trivially("trivial-mean", responses, 0)
    assert np.allclose(mean, responses.train_latents.mean(axis=0)[None])
    draws = [predict_trivially("trivial-random", responses, seed) for seed in (0, 1)]
    assert np.abs(draws[0] - draws[1]).min() > 0
    decoded = np.arange(24.0).reshape(4, 6)
    shuffled = predict_trivially("trivial-shuffled", responses, 0, decoded)
    assert np.array_equal(shuffled[1:], decoded[:3])
    assert np.array_equal(shuffled[0], decoded[3])


def test_nearest_is_by_correlation_of_scaled_voxels(responses):
    train, test = ((values - responses.mean) / responses.std for values in (responses.train, responses.test))
    best = [max(range(20), key=lambda k: pearsonr(row, train[k])[0]) for row in test]
    assert np.array_equal(predict_trivially("trivial-nearest", responses, 0), responses.train_latents[best])


def test_misuse(responses):
    with pytest.raises(DataError, match="trivial-shuffled"):
        predict_trivially("trivial-shuffled", responses, 0)
    with pytest.raises(SettingsError, match="trivial-one"):
        predict_trivially("trivial-one", responses, 0)
