import numpy as np
import pytest
from scipy.stats import f_oneway

from hyper.responses.ceiling import (
    ncsnr_without_signal,
    noise_ceiling,
    split_half_reliability,
    variance_components,
    why_not,
)

VOXELS = 400


def draw(rng, signal_sd, stimuli=36, repeats=14, runs=3, shift=0.0, voxels=VOXELS):
    """Single trials with a planted signal, noise of variance 1, each stimulus in one run only, as in ds004280."""
    shown = np.repeat(np.arange(stimuli), repeats)
    series = shown % runs
    values = signal_sd * rng.standard_normal((stimuli, voxels))[shown] + rng.standard_normal((len(shown), voxels))
    values += shift * rng.standard_normal((runs, voxels))[series]
    return values, np.char.zfill(shown.astype(str), 4), np.char.add("run-", series.astype(str))


@pytest.mark.parametrize("planted", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_planted_signal_and_noise_are_recovered(planted, shift):
    values, stimuli, series = draw(np.random.default_rng(2), planted, shift=shift)
    signal, noise = variance_components(values, stimuli, series)
    # standard errors over 400 voxels: noise sqrt(2 / 468 / 400); signal sqrt(2 / 33 / 400) (planted^2 + 1 / 14)
    assert abs(noise.mean() - 1) < 4 * np.sqrt(2 / 468 / VOXELS)
    if planted >= 0.3:  # below, negative estimates are cut off
        assert abs(signal.mean() - planted**2) < 4 * np.sqrt(2 / 33 / VOXELS) * (planted**2 + 1 / 14)
    ceiling = noise_ceiling(values, stimuli, series, splits=20, seed=1)
    assert ceiling.reason == ""
    assert abs(np.median(ceiling.ncsnr) - planted) < 0.05
    expected = 100 * planted**2 / (planted**2 + 1 / 14)
    if planted >= 0.3:
        assert abs(np.median(ceiling.noise_ceiling) - expected) < 3


@pytest.mark.parametrize("planted", [0.0, 0.3, 0.8])
def test_reliability_is_the_share_of_signal_in_the_means(planted):
    values, stimuli, series = draw(np.random.default_rng(3), planted, shift=2.0)
    reliability = split_half_reliability(values, stimuli, series, splits=50, seed=1)
    assert (np.abs(reliability) <= 1).all()
    assert abs(np.median(reliability) - planted**2 / (planted**2 + 1 / 14)) < 0.05


def test_means_of_runs_are_no_signal():
    values, stimuli, series = draw(np.random.default_rng(4), 0.0, shift=5.0)
    ceiling = noise_ceiling(values, stimuli, series, splits=20, seed=1)
    limit = ncsnr_without_signal(stimuli, series)
    assert np.median(ceiling.ncsnr) < 0.1
    assert (ceiling.ncsnr > limit).mean() < 0.02  # planned: 0.001
    # the same data, were run means taken for responses
    naive = noise_ceiling(values, stimuli, np.full(len(series), "run"), splits=20, seed=1)
    assert np.median(naive.ncsnr) > 1


def test_equal_repeats_give_the_formula_of_the_natural_scenes_dataset():
    rng = np.random.default_rng(5)
    values, stimuli, series = draw(rng, 0.7, stimuli=300, repeats=3, runs=1, voxels=20)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    noise = values.reshape(300, 3, -1).var(axis=1, ddof=1).mean(axis=0)
    published = np.sqrt(np.maximum(1 - noise, 0) / noise)
    ceiling = noise_ceiling(values, stimuli, series, splits=2, seed=0)
    assert np.allclose(ceiling.ncsnr, published, rtol=0.01)
    assert np.allclose(ceiling.noise_ceiling, 100 * published**2 / (published**2 + 1 / 3), rtol=0.01)


def test_one_run_gives_the_analysis_of_variance_for_uneven_repeats():
    rng = np.random.default_rng(6)
    counts = [2, 5, 3, 7, 1]
    stimuli = np.repeat([f"{number:04d}" for number in range(5)], counts)
    series = np.full(len(stimuli), "run-1")
    values = rng.standard_normal((len(stimuli), 1)) + 2 * rng.standard_normal((5, 1)).repeat(counts, axis=0)
    signal, noise = variance_components(values, stimuli, series)
    groups = [values[stimuli == name, 0] for name in np.unique(stimuli)]
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (len(stimuli) - 5)
    weight = (len(stimuli) - sum(n**2 for n in counts) / len(stimuli)) / 4
    assert np.allclose(noise, within)
    assert np.allclose(signal, (f_oneway(*groups).statistic - 1) * within / weight)


def test_the_limit_without_signal_is_kept():
    values, stimuli, series = draw(np.random.default_rng(7), 0.0, stimuli=12, repeats=7, runs=1, voxels=20000)
    ncsnr = noise_ceiling(values, stimuli, series, splits=1, seed=0).ncsnr
    share = (ncsnr > ncsnr_without_signal(stimuli, series, 0.99)).mean()
    assert abs(share - 0.01) < 4 * np.sqrt(0.01 * 0.99 / 20000)


@pytest.mark.parametrize(
    ("stimuli", "series", "reason"),
    [
        ([], [], "there are no test trials"),
        (["1", "2", "3", "4"], ["a"] * 4, "shown more than once"),
        (["1", "1", "2", "2"], ["a", "a", "b", "b"], "fewer than three test stimuli"),
    ],
)
def test_what_cannot_be_estimated_says_why(stimuli, series, reason):
    stimuli, series = np.array(stimuli, str), np.array(series, str)
    assert reason in why_not(stimuli, series)
    ceiling = noise_ceiling(np.ones((len(stimuli), 4)), stimuli, series, splits=2, seed=0)
    assert reason in ceiling.reason
    assert np.isnan(ceiling.ncsnr).all()
    assert np.isnan(ncsnr_without_signal(stimuli, series))


def test_a_constant_voxel_has_no_signal_and_the_seed_decides():
    values, stimuli, series = draw(np.random.default_rng(8), 0.5, voxels=3)
    values[:, 1] = 7.0
    ceiling = noise_ceiling(values, stimuli, series, splits=5, seed=1)
    assert ceiling.ncsnr[1] == ceiling.reliability[1] == ceiling.noise_ceiling[1] == 0
    again, other = (split_half_reliability(values, stimuli, series, 5, seed) for seed in (1, 2))
    assert np.array_equal(again, ceiling.reliability)
    assert not np.array_equal(other, again)
