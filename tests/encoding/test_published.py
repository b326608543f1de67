"""The published arithmetic, against a computation of its own: every penalty and region solved by itself."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq

from hyper.encoding.kernel_ridge import decompose, encode
from hyper.encoding.kernels import Kernels, gram, split_kernel
from hyper.encoding.penalties import criterion, penalty_grid
from hyper.encoding.scores import pearson, permutation_p
from hyper.errors import DataError

CLOSE = {"rtol": 1e-8, "atol": 1e-8}


@pytest.fixture(params=[(60, 200), (60, 20)], ids=["wide", "narrow"])
def data(request):
    trials, features = request.param
    rng = np.random.default_rng(8)
    train, test = rng.standard_normal((trials, features)) + 1, rng.standard_normal((15, features)) + 1
    weight = rng.standard_normal((features, 7)) * (0.2, 0.2, 0.2, 1, 1, 1, 0)
    responses = train @ weight + 3 * rng.standard_normal((trials, 7)) + 2
    return train, test, responses, np.array(["V1"] * 3 + ["IT"] * 4)


def kernels_of(train, test, centre):
    both = np.concatenate([train, test])
    rows = np.arange(len(both))
    return split_kernel(gram(both, 64), rows[: len(train)], rows[len(train) :], centre)


def solve(train, test, responses, penalty):
    """Ridge regression of features, without kernel, eigenvalue or dual."""
    weights = np.linalg.lstsq(
        np.vstack([train, np.sqrt(penalty) * np.eye(train.shape[1])]),
        np.vstack([responses, np.zeros((train.shape[1], responses.shape[1]))]),
        rcond=1e-13,
    )[0]
    return train @ weights, test @ weights


def test_penalties_leave_the_degrees_of_freedom_of_the_grid(data):
    train = data[0] - data[0].mean(axis=0)
    s = np.linalg.svd(train, compute_uv=False) ** 2
    s = s[s > 1e-10 * s[0]]
    grid = penalty_grid(np.linalg.eigvalsh(train @ train.T))
    assert grid.rank == len(s) == min(len(train) - 1, train.shape[1])
    np.testing.assert_allclose(grid.degrees, np.linspace(len(s), 1, 5), **CLOSE)
    assert grid.penalties[0] == 0
    for degrees, penalty in zip(grid.degrees[1:], grid.penalties[1:], strict=True):
        root = brentq(lambda p, due=degrees: np.sum(s / (s + p)) - due, 0, 1e9, xtol=1e-12, rtol=1e-14)
        assert penalty == pytest.approx(root, rel=1e-8)


def test_predictions_and_criterion_are_those_of_every_penalty_and_region_solved_alone(data):
    train, test, responses, regions = data
    predicted, fits = encode(kernels_of(train, test, True), responses, regions)
    mean, level = train.mean(axis=0), responses.mean(axis=0)
    assert [fit.region for fit in fits] == ["V1", "IT"]
    for fit in fits:
        own = regions == fit.region
        tried = [solve(train - mean, test - mean, (responses - level)[:, own], penalty) for penalty in fit.penalties]
        with np.errstate(divide="ignore", invalid="ignore"):
            found = [
                np.sum((((responses - level)[:, own] - fitted) / (1 - (degrees + 1) / len(train))) ** 2)
                for (fitted, _), degrees in zip(tried, fit.degrees, strict=True)
            ]
        if fit.degrees[0] == len(train) - 1:
            assert fit.criteria[0] == np.inf
            found[0] = np.inf
        np.testing.assert_allclose(fit.criteria, found, **CLOSE)
        assert fit.chosen == np.argmin(found)
        np.testing.assert_allclose(predicted[:, own], tried[fit.chosen][1] + level[own], **CLOSE)


@pytest.mark.parametrize("centre", [True, False])
def test_few_features_are_decomposed_by_their_rank_with_the_same_result(centre):
    rng = np.random.default_rng(5)
    scales = np.geomspace(1, 1e-3, 20)
    train, test = rng.standard_normal((80, 20)) * scales + 1, rng.standard_normal((11, 20)) * scales + 1
    train[:, 19] = train[:, 0]
    responses = train @ rng.standard_normal((20, 4)) + 0.3 * rng.standard_normal((80, 4))
    whole = kernels_of(train, test, centre)
    values, vectors = decompose(whole.train, 20)
    assert vectors.shape[1] <= 21
    np.testing.assert_allclose(vectors * values @ vectors.T, whole.train, atol=1e-10)
    due, fits = encode(whole, responses, ["a"] * 4, intercept=centre)
    found, own = encode(whole._replace(width=20), responses, ["a"] * 4, intercept=centre)
    assert own[0].chosen == fits[0].chosen
    np.testing.assert_allclose(own[0].criteria, fits[0].criteria, rtol=1e-8)
    np.testing.assert_allclose(found, due, rtol=1e-8, atol=1e-8)


def test_an_interpolating_fit_is_never_chosen():
    rng = np.random.default_rng(2)
    train, test = rng.standard_normal((30, 100)), rng.standard_normal((5, 100))
    for centre in (True, False):
        fits = encode(kernels_of(train, test, centre), rng.standard_normal((30, 3)), ["a"] * 3, intercept=centre)[1]
        assert fits[0].criteria[0] == np.inf
        assert fits[0].chosen > 0


def notebook(train, test, responses, number=5):
    """The authors' loop over penalties, one region, written anew with an explicit inverse."""
    kernel = train @ train.T
    s = np.linalg.svd(kernel, compute_uv=False)
    degrees = np.linspace(len(s), 1, number)
    found = []
    for place in range(1, number):
        penalty = brentq(lambda p, due=degrees[place]: np.sum(s / (s + p)) - due, 0, 1e12, xtol=1e-13, rtol=1e-14)
        dual = np.linalg.inv(kernel + penalty * np.eye(len(kernel))) @ responses
        left = 1 - degrees[place - 1] / len(kernel)
        error = np.sum((responses - kernel @ dual) ** 2) / left**2 if left else np.inf
        found.append((error, test @ train.T @ dual))
    return min(found, key=lambda pair: pair[0])


def test_the_notebooks_variant_does_what_its_code_does():
    rng = np.random.default_rng(9)
    train, test = rng.standard_normal((40, 300)) + 0.3, rng.standard_normal((9, 300)) + 0.3
    responses = train @ rng.standard_normal((300, 6)) * 0.1 + rng.standard_normal((40, 6))
    regions = np.array(["a", "a", "b", "b", "b", "b"])
    kernels = kernels_of(train, test, False)
    predicted, fits = encode(kernels, responses, regions, variant="notebook", intercept=False)
    for fit in fits:
        own = regions == fit.region
        error, due = notebook(train, test, responses[:, own])
        assert len(fit.penalties) == 4
        assert fit.criteria.min() == pytest.approx(error, rel=1e-8)
        np.testing.assert_allclose(predicted[:, own], due, **CLOSE)


def test_criterion_of_a_fit_that_uses_all_freedom_up_is_infinite():
    found = criterion(np.array([0.0, 8.0]), np.array([10.0, 5.0]), 10)
    assert found[0] == np.inf
    assert found[1] == pytest.approx(8 / 0.5**2)


def test_pearson_is_scipys_and_its_p_is_of_students_t():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((30, 12)), rng.standard_normal((30, 12))
    b[:, :4] += a[:, :4]
    r, p = pearson(a, b)
    for column in range(12):
        due = stats.pearsonr(a[:, column], b[:, column])
        assert r[column] == pytest.approx(due.statistic, abs=1e-8)
        assert p[column] == pytest.approx(due.pvalue, abs=1e-8)


def test_channels_and_predictions_that_do_not_vary_score_zero():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((10, 3)), rng.standard_normal((10, 3))
    a[:, 0], b[:, 1] = 0.1, 7.3
    r, p = pearson(a, b)
    np.testing.assert_array_equal(r[:2], 0)
    np.testing.assert_array_equal(p[:2], 1)
    assert abs(r[2]) > 0


def test_permutation_p_agrees_with_students_where_that_holds():
    rng = np.random.default_rng(3)
    a, b = rng.standard_normal((50, 40)), rng.standard_normal((50, 40))
    b += 0.3 * a
    orders = rng.permuted(np.tile(np.arange(50), (4000, 1)), axis=1)
    found, due = permutation_p(a, b, orders), pearson(a, b)[1]
    assert np.abs(found - due).max() < 0.03
    assert found.min() >= 1 / 4001


def test_kernel_in_blocks_is_the_whole_one():
    features = np.random.default_rng(0).standard_normal((1100, 97)).astype(np.float32)
    found = gram(features, 10)
    np.testing.assert_allclose(found, features.astype(float) @ features.T.astype(float), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found, found.T)


def test_faults_are_said():
    flat = Kernels(np.zeros((5, 5)), np.zeros((2, 5)))
    with pytest.raises(DataError, match="same for all training stimuli"):
        encode(flat, np.ones((5, 2)), ["a", "a"])
    some = Kernels(np.eye(5), np.ones((2, 5)))
    with pytest.raises(DataError, match="responses of shape"):
        encode(some, np.ones((4, 2)), ["a", "a"])
    with pytest.raises(DataError, match="1 regions for 2 channels"):
        encode(some, np.ones((5, 2)), ["a"])
    broken = np.ones((5, 2))
    broken[0, 1] = np.nan
    with pytest.raises(DataError, match="channel 1 is not finite"):
        encode(some, broken, ["a", "a"])
    with pytest.raises(DataError, match="features: some are not finite"):
        encode(Kernels(np.full((5, 5), np.nan), np.ones((2, 5))), np.ones((5, 2)), ["a", "a"])
