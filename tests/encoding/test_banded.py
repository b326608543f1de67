import numpy as np
import pytest

from hyper.encoding.banded import cross_validate_penalty, fit_banded, weights_to_try
from hyper.encoding.kernels import Kernels, gram, split_kernel
from hyper.encoding.partition import explained, partition_variance

TRIALS, TESTS = 240, 80


@pytest.fixture(scope="module")
def planted():
    """Three features; channels carry the first alone, the second alone, both of them, or what the third shares."""
    rng = np.random.default_rng(11)
    every = TRIALS + TESTS
    a, b = rng.standard_normal((every, 12)), rng.standard_normal((every, 20))
    c = a + 0.05 * rng.standard_normal(a.shape)
    unit = [values / values.std() for values in (a @ rng.standard_normal((12, 4)), b @ rng.standard_normal((20, 4)))]
    signal = np.stack([unit[0][:, 0], unit[1][:, 0], (unit[0][:, 1] + unit[1][:, 1]) / np.sqrt(2)], axis=1)
    responses = signal + 0.4 * rng.standard_normal(signal.shape) + 5
    rows = np.arange(every)
    kernels = {
        name: split_kernel(gram(values), rows[:TRIALS], rows[TRIALS:])
        for name, values in {"a": a, "b": b, "c": c}.items()
    }
    return kernels, responses[:TRIALS], responses[TRIALS:], np.arange(TRIALS) * 4 // TRIALS


def test_predictions_are_those_of_the_weighted_kernel(planted):
    kernels, train, _, folds = planted
    chosen = [kernels["a"], kernels["b"]]
    fit = fit_banded(chosen, train, folds, candidates=4)
    assert fit.weights.shape == (2, 3)
    np.testing.assert_allclose(fit.weights.sum(axis=0), 1)
    level = train.mean(axis=0)
    for channel in range(3):
        scaled = [Kernels(k.train / np.trace(k.train) * TRIALS, k.test / np.trace(k.train) * TRIALS) for k in chosen]
        inside = sum(w * k.train for w, k in zip(fit.weights[:, channel], scaled, strict=True))
        across = sum(w * k.test for w, k in zip(fit.weights[:, channel], scaled, strict=True))
        dual = np.linalg.solve(inside + fit.penalties[channel] * np.eye(TRIALS), train[:, channel] - level[channel])
        np.testing.assert_allclose(fit.predicted[:, channel], across @ dual + level[channel], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(fit.parts.sum(axis=0) + level, fit.predicted, rtol=1e-6)


def test_weights_go_to_the_feature_that_carries_the_signal(planted):
    kernels, train, _, folds = planted
    fit = fit_banded([kernels["a"], kernels["b"]], train, folds, candidates=12)
    assert fit.weights[0, 0] > 0.95
    assert fit.weights[1, 1] > 0.95
    assert 0.2 < fit.weights[0, 2] < 0.8


def test_variance_is_partitioned_as_planted(planted):
    kernels, train, test, folds = planted
    found = partition_variance(["a", "b"], [kernels["a"], kernels["b"]], train, test, folds, candidates=8)
    assert (found.joint > 0.7).all()
    assert found.unique[0, 0] > 0.7
    assert abs(found.unique[1, 0]) < 0.05
    assert (found.unique[:, 2] > 0.25).all()
    np.testing.assert_allclose(found.unique.sum(axis=0) + found.shared, found.joint)
    np.testing.assert_allclose(found.parts.sum(axis=0), found.joint, atol=1e-10)
    np.testing.assert_allclose(found.joint, explained(found.predicted, test))


def test_what_two_features_share_is_unique_to_neither(planted):
    kernels, train, test, folds = planted
    found = partition_variance(["a", "c"], [kernels["a"], kernels["c"]], train, test, folds, candidates=8)
    assert found.shared[0] > 0.7
    assert np.abs(found.unique[:, 0]).max() < 0.05


def test_cross_validated_penalty_solves_the_same_problem(planted):
    kernels, train, test, folds = planted
    predicted, chosen = cross_validate_penalty(kernels["b"], train, folds)
    scale = np.trace(kernels["b"].train) / TRIALS
    dual = np.linalg.solve(kernels["b"].train / scale + chosen[1] * np.eye(TRIALS), train[:, 1] - train[:, 1].mean())
    np.testing.assert_allclose(predicted[:, 1], kernels["b"].test / scale @ dual + train[:, 1].mean(), rtol=1e-5)
    assert explained(predicted, test)[1] > 0.7


def test_weights_to_try_hold_each_feature_alone_and_all_alike():
    found = weights_to_try(3, 6, 1)
    assert found.shape == (10, 3)
    np.testing.assert_allclose(found[:3], np.maximum(np.eye(3), 1e-10))
    np.testing.assert_allclose(found[3], 1 / 3)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(found, weights_to_try(3, 6, 1))
