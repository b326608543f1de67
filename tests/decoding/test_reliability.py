import math

import numpy as np
import pytest

from hyper.decoding.reliability import correlation_ceiling


def study(noise, seed=0, stimuli=60, repeats=8, latent=300, runs=3):
    """Answers of a decoder that is right but for noise and an offset of each run."""
    rng = np.random.default_rng(seed)
    true = rng.standard_normal((stimuli, latent))
    shown = np.repeat(np.arange(stimuli), repeats)
    run = shown % runs
    answers = true[shown] + noise * rng.standard_normal((len(shown), latent))
    names = np.array([f"face{number:02d}" for number in range(stimuli)])
    means = np.stack([answers[shown == number].mean(axis=0) for number in range(stimuli)])
    return true, answers, means, names[shown], names, run.astype(str)


@pytest.mark.parametrize("noise", [0.5, 2.0, 5.0])
def test_a_decoder_that_lacks_nothing_but_repeats_reaches_it(noise):
    true, answers, means, shown, names, run = study(noise)
    reached = np.mean([np.corrcoef(t, m)[0, 1] for t, m in zip(true.T, means.T, strict=True)])
    ceiling = correlation_ceiling(answers, means, shown, names, run)
    assert ceiling == pytest.approx(1 / math.sqrt(1 + noise**2 / 8), abs=0.03)
    assert reached == pytest.approx(ceiling, abs=0.03)


def test_offsets_of_runs_and_scale_do_not_count():
    _, answers, _, shown, names, run = study(2.0)
    offset = answers * 3 + 10 * run.astype(float)[:, None]
    means = np.stack([offset[shown == name].mean(axis=0) for name in names])
    plain = np.stack([answers[shown == name].mean(axis=0) for name in names])
    ceilings = [correlation_ceiling(a, m, shown, names, run) for a, m in ((offset, means), (answers, plain))]
    assert ceilings[0] == pytest.approx(ceilings[1], abs=1e-9)


def test_noise_alone_has_next_to_none():
    ceilings = []
    for seed in range(5):
        _, answers, _, shown, names, run = study(1.0, seed)
        answers = np.random.default_rng(seed).standard_normal(answers.shape)
        means = np.stack([answers[shown == name].mean(axis=0) for name in names])
        ceilings.append(correlation_ceiling(answers, means, shown, names, run))
    assert np.mean(ceilings) < 0.2


def test_where_it_is_not_defined():
    _, answers, means, shown, names, run = study(1.0)
    assert math.isnan(correlation_ceiling(answers, means**2, shown, names, run))
    once = np.unique(shown, return_index=True)[1]
    assert math.isnan(correlation_ceiling(answers[once], answers[once], shown[once], names, run[once]))
