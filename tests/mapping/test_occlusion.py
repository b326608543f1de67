"""The fast path against the plain loop: each voxel's cube set to the mean, the whole decoder, the whole generator."""

import numpy as np
import pytest
import torch

from hyper.decoding.layer_loss import FrozenLayer
from hyper.errors import DataError, SettingsError
from hyper.mapping.neighbourhoods import cube_edges, cubes, members_of
from hyper.mapping.occlusion import Occlusion, Searchlight, occlude
from hyper.mapping.statistics import permutations
from hyper.mapping.updates import latent_updates, removal, scaled_of
from tests.mapping.conftest import made_decoder

ORDERS = permutations(9, 50, seed=0)


def naive_errors(decoder, generator, responses, edges, centre=1.0):
    """Mean squared errors without each cube, shape (voxel, stimulus), by running everything again for every voxel."""
    frozen = FrozenLayer(generator, decoder.settings["layer"], centre)
    with torch.no_grad():
        true = frozen(torch.tensor(responses.test_latents, dtype=torch.float32)).double().numpy()
        found = []
        for place in responses.ijk:
            inside = (np.abs(responses.ijk - place) <= np.array(edges) // 2).all(axis=1)
            occluded = responses.test.astype(np.float64).copy()
            occluded[:, inside] = decoder.mean[inside]
            z = torch.tensor(decoder.decode(occluded), dtype=torch.float32)
            found.append(((frozen(z).double().numpy() - true) ** 2).reshape(len(z), -1).mean(axis=1))
    return np.array(found)


def test_every_voxel_equals_the_plain_loop(generator, study):
    responses, decoders = study
    around = cubes(responses.ijk, cube_edges(3, "voxels", responses.affine))
    found = occlude(decoders, generator, responses, around, np.arange(len(responses.ijk)), ORDERS, Searchlight())
    for number, decoder in enumerate(decoders):
        due = naive_errors(decoder, generator, responses, (3, 3, 3))
        assert np.abs(found.errors[number] - due).max() < 1e-5
        whole = np.diagonal(found.intact[number])
        assert np.abs(found.effects("error")[number] - (due - whole)).max() < 1e-5
        assert np.abs(found.effects("similarity")[number] - (1 / (1 + whole) - 1 / (1 + due))).max() < 1e-5
        assert (due - whole).std() > 1e-4
    assert found.exact.all()


def test_only_the_counted_centre_of_the_map_counts(generator, study):
    responses, decoders = study
    around = cubes(responses.ijk, np.full(3, 5))
    part = made_decoder(responses, "L3", decoders[2].weight, decoders[2].bias, centre=0.5)
    found = occlude([part], generator, responses, around, np.arange(20), ORDERS, Searchlight())
    due = naive_errors(part, generator, responses, (5, 5, 5), centre=0.5)[:20]
    assert np.abs(found.errors[0] - due).max() < 1e-5
    assert np.abs(due - naive_errors(part, generator, responses, (5, 5, 5))[:20]).max() > 1e-3


def test_chunks_give_what_one_piece_gives(generator, study, tmp_path):
    responses, decoders = study
    around = cubes(responses.ijk, np.full(3, 3))
    everything = np.arange(len(responses.ijk))
    whole = occlude(decoders[:2], generator, responses, around, everything, ORDERS, Searchlight())
    parts = []
    for number, voxels in enumerate(np.array_split(everything, 4)):
        part = occlude(decoders[:2], generator, responses, around, voxels, ORDERS, Searchlight())
        part.save(tmp_path / f"{number}.h5")
        parts.append(Occlusion.load(tmp_path / f"{number}.h5"))
    joined = Occlusion.gather(parts[::-1])
    for name in ("errors", "observed", "highest", "intact"):
        assert np.allclose(getattr(joined, name), getattr(whole, name), atol=1e-5), name
    assert np.array_equal(joined.voxels, everything)
    with pytest.raises(DataError, match="missing or doubled"):
        Occlusion.gather([parts[0], parts[2], parts[3]])


def test_conditional_mean_is_the_regression_on_the_remaining_voxels(study):
    responses, decoders = study
    decoder = decoders[0]
    test, train = (scaled_of(decoder, values) for values in (responses.test, responses.train))
    around = cubes(responses.ijk, np.full(3, 3))
    removed = removal("conditional", test, train)
    covariance = np.linalg.inv(removed.precision)
    updates = latent_updates(decoder, removed, around)
    for voxel in (0, 17, 60):
        inside = members_of(around[voxel])
        rest = np.setdiff1d(np.arange(len(around)), inside)
        expected = covariance[np.ix_(inside, rest)] @ np.linalg.solve(covariance[np.ix_(rest, rest)], test[:, rest].T)
        due = (test[:, inside] - expected.T) @ decoder.weight[:, inside].T
        assert np.abs(updates[voxel] - due).max() < 1e-4 * np.abs(due).max()
    plain = latent_updates(decoder, removal("mean", test, train), around)
    assert np.abs(updates - plain).max() > 0.1 * np.abs(plain).max()


def test_cubes_are_those_of_brute_force():
    rng = np.random.default_rng(0)
    ijk = np.argwhere(rng.random((6, 7, 5)) < 0.5) + 3
    around = cubes(ijk, np.array([3, 5, 1]))
    for place, found in zip(ijk, around, strict=True):
        due = np.flatnonzero((np.abs(ijk - place) <= (1, 2, 0)).all(axis=1))
        assert np.array_equal(np.sort(members_of(found)), due)


@pytest.mark.parametrize(
    ("size", "unit", "spacing", "edges"),
    [(7, "voxels", (2, 2, 2), 7), (14, "mm", (2, 2, 2), 7), (14, "mm", (4, 4, 4), 3), (1, "mm", (3, 3, 3), 1)],
)
def test_size_of_the_cube(size, unit, spacing, edges):
    assert (cube_edges(size, unit, np.diag([*spacing, 1.0])) == edges).all()


def test_impossible_cubes_are_refused():
    with pytest.raises(SettingsError, match="no middle"):
        cube_edges(4, "voxels", np.eye(4))
    with pytest.raises(DataError, match="places on the grid are not known"):
        cubes(np.full((5, 3), -1), np.full(3, 3))
    with pytest.raises(DataError, match="same place"):
        cubes(np.zeros((2, 3), int), np.full(3, 3))


@pytest.mark.parametrize("measure", ["similarity", "error"])
def test_screening_finds_the_same_winners_within_its_bound(generator, study, measure):
    responses, decoders = study
    around = cubes(responses.ijk, np.full(3, 3))
    everything = np.arange(len(responses.ijk))
    exact = occlude(decoders, generator, responses, around, everything, ORDERS, Searchlight(measure=measure))
    how = Searchlight(measure=measure, mode="screened")
    found = occlude(decoders, generator, responses, around, everything, ORDERS, how)
    own, due = (values.effects(measure).mean(axis=2) for values in (found, exact))
    beyond = np.abs(own - due) > found.bound + 1e-5
    assert beyond.mean() <= 2 * (1 - how.confidence) + 0.005
    assert (own.argmax(axis=0) == due.argmax(axis=0)).mean() >= 0.98
    assert not found.exact.all()
    assert found.evaluations.sum() > 0


def test_where_no_winner_may_be_wrong_screening_goes_on_to_the_end(generator, study):
    responses, decoders = study
    around, everything = cubes(responses.ijk, np.full(3, 3)), np.arange(len(responses.ijk))
    exact, found = (
        occlude(decoders, generator, responses, around, everything, ORDERS, how)
        for how in (Searchlight(), Searchlight(mode="screened", drawn=20, wrong=1e-9))
    )
    own, due = (values.effects("similarity").mean(axis=2).argmax(axis=0) for values in (found, exact))
    assert np.array_equal(own, due)
    assert found.exact.mean() > 0.5


def test_half_precision_keeps_the_assignment(generator, study):
    responses, decoders = study
    around = cubes(responses.ijk, np.full(3, 3))
    voxels = np.arange(60)
    single, mixed = (
        occlude(decoders, generator, responses, around, voxels, ORDERS, Searchlight(mixed=mixed))
        for mixed in (False, True)
    )
    same = single.effects("similarity").mean(axis=2).argmax(axis=0) == mixed.effects("similarity").mean(axis=2).argmax(
        0
    )
    assert same.mean() >= 0.95
    assert np.abs(single.errors - mixed.errors).max() > 0
