import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from hyper.decoding.encoding_model import count_components, fit_encoding_model
from hyper.decoding.noise_aware import NoiseAwareDecoder
from hyper.decoding.ridge import RidgeDecoder
from hyper.errors import DataError

TRIALS, VOXELS, LATENT, SHARED = 400, 300, 20, 3


@pytest.fixture(scope="module")
def truth():
    rng = np.random.default_rng(8)
    strength = np.where(np.arange(VOXELS) < 100, 0.5, 0.0)
    return {
        "weights": rng.normal(size=(VOXELS, LATENT)) * strength[:, None] / np.sqrt(LATENT) * 2,
        "shared": rng.normal(size=(VOXELS, SHARED)) * 0.7,
        "private": rng.uniform(0.5, 1.5, VOXELS),
    }


def draw(truth, trials, repeats=1, seed=1):
    rng = np.random.default_rng(seed)
    latents = rng.normal(size=(trials, LATENT))
    noise = rng.normal(size=(trials, SHARED)) @ truth["shared"].T
    noise += rng.normal(size=(trials, VOXELS)) * np.sqrt(truth["private"])
    return latents @ truth["weights"].T + noise / np.sqrt(repeats), latents


def cosine(a, b):
    return ((a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).mean()


def test_the_encoding_model_finds_its_parameters(truth):
    responses, latents = draw(truth, TRIALS)
    model = fit_encoding_model(responses - responses.mean(axis=0), latents - latents.mean(axis=0))
    assert model.shared.shape == (VOXELS, SHARED)
    assert np.corrcoef(model.private, truth["private"])[0, 1] > 0.9
    assert model.private.mean() == pytest.approx(truth["private"].mean(), rel=0.1)
    common, expected = model.shared @ model.shared.T, truth["shared"] @ truth["shared"].T
    assert np.linalg.norm(common - expected) < 0.3 * np.linalg.norm(expected)
    assert model.reliability[100:].mean() < 0.1 * model.reliability[:100].mean()
    expected = (truth["weights"][:100] ** 2).sum(axis=1).mean()
    assert model.signal[:100].mean() == pytest.approx(expected, rel=0.15)
    error = ((model.weights - truth["weights"]) ** 2).sum(axis=1)
    assert model.unsure.mean() == pytest.approx(error.mean(), rel=0.3)
    ordinary = np.linalg.lstsq(latents, responses, rcond=None)[0].T
    assert error.mean() < 0.6 * ((ordinary - truth["weights"]) ** 2).sum(axis=1).mean()


def test_posterior_equals_gaussian_conditioning(truth):
    """Against the covariance of responses and latents written out in full."""
    responses, latents = draw(truth, TRIALS)
    decoder = NoiseAwareDecoder(components=4, scaling="none").fit(responses, latents)
    new, _ = draw(truth, 5, seed=2)
    for repeats in (1, 14):
        noise = np.diag(decoder.private / repeats + decoder.unsure) + decoder.shared @ decoder.shared.T / repeats
        a = decoder.encoding
        gain = a.T @ np.linalg.inv(a @ a.T + noise)
        expected = (new - responses.mean(axis=0) + a @ latents.mean(axis=0)) @ gain.T
        assert np.allclose(decoder.decode(new, repeats), expected, atol=1e-9)
        assert np.allclose(decoder.posterior_covariance(repeats), np.eye(LATENT) - gain @ a, atol=1e-9)


def test_more_repeats_shrink_less_and_each_row_has_its_own(truth):
    decoder = NoiseAwareDecoder().fit(*draw(truth, TRIALS))
    new, _ = draw(truth, 3, seed=2)
    few, many = decoder.decode(new, 1), decoder.decode(new, 14)
    assert (np.linalg.norm(many, axis=1) > np.linalg.norm(few, axis=1)).all()
    mixed = decoder.decode(new, np.array([1, 14, 14]))
    assert np.allclose(mixed[0], few[0], atol=1e-12)
    assert np.allclose(mixed[1:], many[1:], atol=1e-12)
    with pytest.raises(DataError, match="mean of no trial"):
        decoder.decode(new, 0)


def test_it_beats_ridge_and_its_length_is_honest(truth):
    """The length of a posterior mean, over that of the truth, is its cosine; four trials a latent make it too sure."""
    responses, latents = draw(truth, 80)
    new, true = draw(truth, 200, repeats=4, seed=3)
    decoder = NoiseAwareDecoder().fit(responses, latents)
    ours, ridge = decoder.decode(new, 4), RidgeDecoder(device="cpu").fit(responses, latents).decode(new)
    assert cosine(ours, true) > 1.05 * cosine(ridge, true)
    assert np.linalg.norm(ours) / np.linalg.norm(true) == pytest.approx(cosine(ours, true), abs=0.06)
    spread = ((ours - true) ** 2).sum(axis=1).mean()
    assert spread == pytest.approx(np.trace(decoder.posterior_covariance(4)), rel=0.3)


def test_components_are_counted():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(200, 500))
    assert count_components(noise, 200) <= 1
    assert count_components(noise + 2 * rng.normal(size=(200, 4)) @ rng.normal(size=(4, 500)), 200) == 4


@pytest.mark.parametrize("trials", [15, 21, 25])
def test_fewer_trials_than_latents_do_no_harm(truth, trials):
    responses, latents = draw(truth, trials)
    decoded = NoiseAwareDecoder().fit(responses, latents).decode(responses, 2)
    assert np.isfinite(decoded).all()
    assert cosine(decoded, latents) > 0


def test_empirical_prior_serves_latents_of_another_size(truth):
    responses, latents = draw(truth, TRIALS)
    new, true = draw(truth, 50, repeats=4, seed=3)
    decoder = NoiseAwareDecoder(prior="empirical").fit(responses, latents * 0.1 + 5)
    decoded = decoder.decode(new, 4)
    assert np.abs(decoded - (true * 0.1 + 5)).mean() < 0.08
    assert cosine(decoded - 5, true) > 0.5


def test_ledoit_wolf_noise_is_that_of_the_noise_alone(truth):
    """The covariance equals scikit-learn's, of the true noise of as many trials as the latents leave."""
    responses, latents = draw(truth, TRIALS)
    noise = (responses - latents @ truth["weights"].T)[: TRIALS - 1 - LATENT]
    due = LedoitWolf(assume_centered=True).fit(noise)
    model = fit_encoding_model(responses - responses.mean(axis=0), latents - latents.mean(axis=0), noise="ledoit-wolf")
    found = model.shared @ model.shared.T + np.diag(model.private)
    true = truth["shared"] @ truth["shared"].T + np.diag(truth["private"])
    off = np.linalg.norm(found - true)
    assert off < 1.1 * np.linalg.norm(due.covariance_ - true)
    assert np.ptp(model.private) == 0 and model.private[0] > 0
    assert np.trace(found) == pytest.approx(np.trace(true), rel=0.05)


def test_ledoit_wolf_decodes_better_than_independent_noise(truth):
    responses, latents = draw(truth, TRIALS)
    new, true = draw(truth, 50, repeats=8, seed=3)
    decoded = {
        name: NoiseAwareDecoder(**options).fit(responses, latents).decode(new, 8)
        for name, options in {"shrunk": {"noise": "ledoit-wolf"}, "independent": {"components": 0}}.items()
    }
    assert cosine(decoded["shrunk"], true) > cosine(decoded["independent"], true)


def test_ledoit_wolf_needs_more_trials_than_latents(truth):
    responses, latents = draw(truth, LATENT + 2)
    with pytest.raises(DataError, match="22 trials leave 1 degrees of freedom"):
        NoiseAwareDecoder(noise="ledoit-wolf").fit(responses, latents)
