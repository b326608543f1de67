import numpy as np
import pytest
from himalaya.backend import get_backend
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold, LeaveOneGroupOut

from hyper.decoding.ridge import RidgeDecoder

LATENT = 5
SERIES = np.repeat(["run-3", "run-1", "run-2"], [20, 15, 25])


def make_data(voxels, noise=2.0):
    rng = np.random.default_rng(2)
    latents = rng.normal(size=(60, LATENT)) + 1
    return latents @ rng.normal(size=(LATENT, voxels)) + noise * rng.normal(size=(60, voxels)) + 5, latents


def scaled(x):
    return (x - x.mean(axis=0)) / x.std(axis=0)


@pytest.mark.parametrize("penalty", ["shared", "per latent"])
@pytest.mark.parametrize("voxels", [12, 60, 150])
def test_it_equals_scikit_learn_at_the_chosen_penalty(voxels, penalty):
    x, z = make_data(voxels)
    decoder = RidgeDecoder(penalty=penalty, device="cpu").fit(x, z, series=SERIES)
    used = set(decoder.penalties)
    assert len(used) == 1 if penalty == "shared" else len(used) >= 1
    new = x[:7] + 1
    for k, value in enumerate(decoder.penalties):
        expected = Ridge(alpha=value).fit(scaled(x), z[:, k]).predict((new - x.mean(axis=0)) / x.std(axis=0))
        assert np.abs(decoder.decode(new)[:, k] - expected).max() < 1e-8


@pytest.mark.parametrize("voxels", [12, 150])
@pytest.mark.parametrize("several", [True, False])
def test_the_curve_is_that_of_leaving_runs_or_folds_out(voxels, several):
    x, z = make_data(voxels)
    series = SERIES if several else np.full(60, "run-1")
    decoder = RidgeDecoder(number=9, lowest=1.0, highest=1e4, folds=4, device="cpu").fit(x, z, series=series)
    splits = list(LeaveOneGroupOut().split(x, groups=series) if several else KFold(4).split(x))
    expected = [
        np.mean(
            [((Ridge(alpha=a).fit(scaled(x)[t], z[t]).predict(scaled(x)[v]) - z[v]) ** 2).mean() for t, v in splits]
        )
        for a in decoder.curve["penalty"]
    ]
    assert np.allclose(decoder.curve["left_out_mse"], expected, rtol=1e-8)
    assert decoder.penalties[0] == decoder.curve["penalty"][int(np.argmin(expected))]
    assert decoder.curve["latents"].sum() == LATENT


def test_more_noise_more_penalty():
    weak, strong = (
        RidgeDecoder(device="cpu").fit(*make_data(150, noise), series=SERIES).penalties[0] for noise in (1, 10)
    )
    assert strong > 5 * weak


def test_a_penalty_at_the_end_of_the_range_is_reported(caplog):
    x, z = make_data(30)
    RidgeDecoder(lowest=1e-3, highest=1e-2, device="cpu").fit(x, z, series=SERIES)
    assert "at an end of the range" in caplog.text


def test_himalaya_backend_is_restored():
    before = get_backend().name
    RidgeDecoder(device="cpu").fit(*make_data(30), series=SERIES)
    assert get_backend().name == before


@pytest.mark.parametrize("penalty", ["shared", "per latent"])
@pytest.mark.parametrize("voxels", [12, 150])
def test_generalised_cross_validation_from_its_definition(voxels, penalty):
    x, z = make_data(voxels)
    decoder = RidgeDecoder(penalty=penalty, selection="gcv", lowest=1, highest=1e5, number=11).fit(x, z, series=SERIES)
    s, trials = scaled(x), len(x)
    criterion = []
    for value in decoder.curve["penalty"]:
        hat = np.full((trials, trials), 1 / trials) + s @ np.linalg.solve(s.T @ s + value * np.eye(voxels), s.T)
        residual = z - hat @ z
        criterion.append(np.square(residual).mean(axis=0) / (1 - np.trace(hat) / trials) ** 2)
    criterion = np.array(criterion)
    assert np.allclose(decoder.curve["gcv"], criterion.mean(axis=1))
    local = penalty == "per latent"
    best = criterion.argmin(axis=0) if local else np.full(LATENT, criterion.mean(axis=1).argmin())
    assert np.array_equal(decoder.penalties, decoder.curve["penalty"].to_numpy()[best])
    for k, value in enumerate(decoder.penalties):
        expected = Ridge(alpha=value).fit(s, z[:, k]).predict((x[:7] - x.mean(axis=0)) / x.std(axis=0))
        assert np.abs(decoder.decode(x[:7])[:, k] - expected).max() < 1e-8
