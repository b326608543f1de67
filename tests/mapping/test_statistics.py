"""Significance, certainty and stability: what was planted is found, and nothing where nothing was."""

import numpy as np
import pytest
import torch

from hyper.errors import DataError
from hyper.generators.pggan import PGGAN
from hyper.mapping.neighbourhoods import cubes
from hyper.mapping.occlusion import Searchlight, occlude
from hyper.mapping.statistics import (
    agreement,
    bootstrap_confidence,
    family_wise_p,
    groups_of,
    permutation_statistics,
    permutations,
    winners,
)
from hyper.mapping.tables import Limits, layer_table, summary, voxel_table
from tests.mapping.conftest import LATENT, LAYERS, made_decoder, made_responses, small_generator


def test_permutation_moments_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    paired = rng.normal(size=(3, 8, 8)) + np.arange(8) + 3 * np.arange(8)[:, None]
    observed, _ = permutation_statistics(paired, permutations(8, 10, 0))
    orders = permutations(8, 60000, 1)
    drawn = paired[:, np.arange(8), orders].mean(axis=2)
    due = (np.trace(paired, axis1=1, axis2=2) / 8 - drawn.mean(axis=1)) / drawn.std(axis=1)
    assert np.abs(observed - due).max() < 0.03


def test_highest_is_the_maximum_over_voxels_of_each_order():
    rng = np.random.default_rng(1)
    paired, orders = rng.normal(size=(4, 6, 6)), permutations(6, 30, 3)
    observed, highest = permutation_statistics(paired, orders)
    for number in (0, 17):
        shuffled = paired[:, :, orders[number]]
        assert np.isclose(permutation_statistics(shuffled, orders)[0].max(), highest[number])
    p = family_wise_p(observed, highest)
    assert np.allclose(p, [(1 + (highest >= value - 1e-9).sum()) / 31 for value in observed])


def test_effects_that_no_pairing_changes_are_not_significant():
    observed, highest = permutation_statistics(np.ones((2, 5, 5)), permutations(5, 20, 0))
    assert (observed == 0).all()
    assert (family_wise_p(observed, highest) == 1).all()


def test_too_few_stimuli_are_refused():
    with pytest.raises(DataError, match="3 are too few"):
        permutations(3, 10, 0)


def test_confidence_follows_the_margin():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(3, 2, 40))
    values[1, 0] += 3  # far ahead in the first voxel
    values[:, 1] = values[:1, 1] + 1e-3 * rng.normal(size=(3, 40))  # a draw in the second
    sure, unsure = bootstrap_confidence(values, 400, 0)
    assert winners(values)[0] == 1
    assert sure > 0.99
    assert unsure < 0.95


def test_stimuli_are_split_by_their_runs_where_runs_differ():
    groups, how = groups_of([["a"], ["b"], ["a"], ["b"], ["c"], ["c"]])
    assert how == "runs"
    assert [list(group) for group in groups] == [[0, 2], [1, 3], [4, 5]]
    assert groups_of([["a", "b"]] * 4)[1] == "halves"
    assert groups_of([[], [], [], []])[1] == "halves"


def test_agreement_of_equal_and_of_unrelated_halves():
    rng = np.random.default_rng(3)
    layer = rng.integers(0, 4, 400)
    clear = 5.0 * (layer == np.arange(4)[:, None])[..., None] + rng.normal(size=(4, 400, 10))
    groups = [np.arange(0, 10, 2), np.arange(1, 10, 2)]
    assert agreement(clear, groups)[1] > 0.95
    assert abs(agreement(rng.normal(size=(4, 400, 10)), groups)[1]) < 0.1


class Banded(PGGAN):
    """A generator each of whose layers sees mostly a part of the latents of its own."""

    def activations(self, z, layer):
        own = torch.full((LATENT,), 0.3)
        part = LAYERS.index(layer)
        own[part * 3 : part * 3 + 3] = 1.0
        return super().activations(z * own, layer)


def banded_study(seed, signal):
    """Four clusters of voxels, far apart, each tuned to the latents that one layer sees."""
    rng = np.random.default_rng(seed)
    block = np.argwhere(np.ones((3, 3, 3)))
    ijk = np.concatenate([block + np.array([8 * number, 0, 0]) for number in range(4)])
    planted = np.repeat(np.arange(4), len(block))
    tuning = np.zeros((LATENT, len(ijk)))
    for number in range(4):
        tuning[number * 3 : number * 3 + 3, planted == number] = rng.normal(size=(3, len(block)))
    latents, test_latents = rng.normal(size=(60, LATENT)), rng.normal(size=(20, LATENT))
    train = signal * latents @ tuning + rng.normal(size=(60, len(ijk)))
    test = signal * test_latents @ tuning + 0.5 * rng.normal(size=(20, len(ijk)))
    responses = made_responses(ijk, train, test, latents, test_latents)
    scaled = (responses.train - responses.mean) / responses.std
    weights = np.linalg.solve(scaled.T @ scaled + 20 * np.eye(len(ijk)), scaled.T @ latents).T
    return responses, [made_decoder(responses, layer, weights) for layer in LAYERS], planted


def mapped(generator, seed, signal, count=299, **how):
    responses, decoders, planted = banded_study(seed, signal)
    orders = permutations(len(responses.test), count, seed)
    around = cubes(responses.ijk, np.full(3, 3))
    found = occlude(decoders, generator, responses, around, np.arange(len(around)), orders, Searchlight(**how))
    limits = Limits(bootstrap=100, seed=seed)
    return found, voxel_table(found, responses.ijk, responses.affine, limits), planted, orders, limits


@pytest.fixture(scope="module")
def banded():
    small = small_generator((6, 6, 6, 6))
    network = Banded(LATENT, (6, 6, 6, 6))
    network.load_state_dict(small.state_dict())
    return network


def test_planted_layers_are_recovered(banded):
    right = screened = total = 0
    for seed in range(3):
        found, voxels, planted, orders, limits = mapped(banded, seed, 0.6)
        _, others, *_ = mapped(banded, seed, 0.6, mode="screened")
        chosen, due = voxels["significant"].to_numpy(), np.array(LAYERS)[planted]
        right += (voxels["layer"].to_numpy() == due)[chosen].sum()
        screened += (others["layer"].to_numpy() == due)[chosen].sum()
        total += chosen.sum()
    assert total >= 100
    assert right / total >= 0.8
    assert screened / total >= 0.8
    table = layer_table(found, voxels, orders, "similarity")
    assert (table["p"] < 0.05).all()
    assert (table["similarity"] > table["chance"]).all()
    facts = summary(found, voxels, [["a"]] * 20, (3, 3, 3), limits)
    assert facts["split_kappa_significant"] > 0.3


@pytest.mark.parametrize("mode", ["exact", pytest.param("screened", marks=pytest.mark.slow)])
def test_without_signal_hardly_any_study_shows_a_significant_voxel(banded, mode):
    shown = sum(bool(mapped(banded, 100 + seed, 0.0, 99, mode=mode)[1]["significant"].any()) for seed in range(40))
    assert shown <= 5
