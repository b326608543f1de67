"""The expected accuracy against oracles that know the planted means, on simulated responses."""

import numpy as np
import pytest

from hyper.responses.identification import expected_identification


def simulate(rng, strength, stimuli=36, repeats=14, voxels=40):
    """Responses with spatially correlated noise; the planted means lie in ten dimensions."""
    place = np.arange(voxels)
    covariance = 0.7 * np.exp(-np.abs(place[:, None] - place) / 4) + 0.3 * np.eye(voxels)
    covariance *= np.outer(*[rng.uniform(0.5, 2, voxels)] * 2)
    weights = rng.standard_normal((10, voxels)) * np.sqrt(np.diag(covariance) / 10) * strength
    means = rng.standard_normal((stimuli, 10)) @ weights
    root = np.linalg.cholesky(covariance)
    shown = np.repeat(np.arange(stimuli), repeats)
    series = shown % 3
    values = means[shown] + rng.standard_normal((len(shown), voxels)) @ root.T
    values += 2 * rng.standard_normal((3, voxels))[series]
    return values, shown, series, means, root


def oracle(rng, means, root, inverse, repeats, draws=300):
    """Share of comparisons within runs that are won by the nearer true mean, over fresh noise."""
    run = np.arange(len(means)) % 3
    pairs = (run[:, None] == run) & ~np.eye(len(means), dtype=bool)
    won = 0.0
    for _ in range(draws):
        seen = means + rng.standard_normal(means.shape) @ root.T / np.sqrt(repeats)
        likelihood = seen @ inverse @ means.T - 0.5 * np.einsum("iv,vw,iw->i", means, inverse, means)
        won += (np.diag(likelihood)[:, None] > likelihood)[pairs].mean()
    return won / draws


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("metric", ["independent", "correlated"])
def test_accuracy_is_that_of_an_oracle_decoder(metric, single):
    estimated, true, covered = [], [], 0
    for seed in range(8):
        rng = np.random.default_rng(seed)
        values, shown, series, means, root = simulate(rng, strength=0.25 if single else 0.12)
        covariance = root @ root.T
        inverse = np.diag(1 / np.diag(covariance)) if metric == "independent" else np.linalg.inv(covariance)
        true.append(oracle(rng, means, root, inverse, 1 if single else 14))
        found = expected_identification(values, shown.astype(str), series.astype(str), metric, seed, single)
        assert found.lower <= found.accuracy <= found.upper
        covered += found.lower <= true[-1] <= found.upper
        estimated.append(found.accuracy)
    assert abs(np.mean(estimated) - np.mean(true)) < 0.02
    assert np.abs(np.subtract(estimated, true)).max() < 0.1
    assert covered >= 6  # planned: 95 % of 8


def test_no_signal_is_said_to_be_none():
    found = []
    for seed in range(20):
        values, shown, series, *_ = simulate(np.random.default_rng(seed), strength=0.0)
        found.append(expected_identification(values, shown.astype(str), series.astype(str), "independent", seed))
    assert sum(each.found for each in found) <= 3  # 2.5 % of 20 are planned
    assert all(each.lower <= each.accuracy <= each.upper for each in found)


def test_more_repeats_help():
    values, shown, series, *_ = simulate(np.random.default_rng(3), strength=0.25)
    labels = shown.astype(str), series.astype(str)
    mean, single = (expected_identification(values, *labels, "correlated", 1, single) for single in (False, True))
    assert 0.5 < single.accuracy < mean.accuracy <= 1
    assert mean.strength == single.strength > 0


def test_what_cannot_be_known_says_why():
    rng = np.random.default_rng(0)
    once = expected_identification(
        rng.standard_normal((6, 5)), np.arange(6).astype(str), np.full(6, "a"), "independent", 0
    )
    assert np.isnan(once.accuracy)
    assert "more than once" in once.reason
    few = expected_identification(
        rng.standard_normal((8, 5)), np.repeat(np.arange(4), 2).astype(str), np.full(8, "a"), "independent", 0
    )
    assert "too few repeats" in few.reason
    shown = np.repeat(np.arange(6), 4).astype(str)
    flat = expected_identification(np.ones((24, 5)), shown, np.full(24, "a"), "independent", 0)
    assert "no voxel varies" in flat.reason
    assert not flat.found


def test_constant_voxels_play_no_part():
    values, shown, series, *_ = simulate(np.random.default_rng(5), strength=0.3)
    labels = shown.astype(str), series.astype(str)
    wider = np.hstack([values, np.ones((len(values), 3))])
    assert expected_identification(values, *labels, "correlated", 1) == expected_identification(
        wider, *labels, "correlated", 1
    )
