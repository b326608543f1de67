import math
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from hyper.errors import DataError, SettingsError
from hyper.evaluation.bootstrap import bootstrap_interval
from hyper.evaluation.ceilings import add_model_ceilings
from hyper.evaluation.correction import add_correction, corrected
from hyper.evaluation.metrics import METRICS
from hyper.evaluation.permutation import permutation_p
from hyper.evaluation.table import COLUMNS, tabulate

CONTINUOUS = [name for name, metric in METRICS.items() if metric.chance is None and "224" not in name]
RANKED = [name for name, metric in METRICS.items() if metric.chance is not None]


def p_values_of_nothing(name, stimuli):
    """p of shuffled stimuli: a decoder that is right about every stimulus but the one that was shown."""
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true = rng.normal(size=(stimuli, 9 * 9 * 3))
        predicted = rng.permutation(true + rng.normal(size=true.shape))
        if METRICS[name].source == "images":
            true, predicted = (
                np.clip(128 + 40 * items, 0, 255).astype(np.uint8).reshape(-1, 9, 9, 3) for items in (true, predicted)
            )
        values.append(permutation_p(METRICS[name].scores(true, predicted).matrix, 499, rng))
    return np.array(values)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_p_is_uniform_when_stimuli_are_shuffled(name):
    values = p_values_of_nothing(name, 8)
    assert kstest(values, "uniform").pvalue > 0.01
    assert kstest(values / 2, "uniform").pvalue < 1e-6  # the test can fail


@pytest.mark.parametrize("name", RANKED)
def test_identification_p_is_never_too_small_when_there_is_nothing(name):
    """Ties make its p conservative, never liberal."""
    values = p_values_of_nothing(name, 11)
    for level in (0.05, 0.2, 0.5):
        assert np.mean(values <= level) < level + 3 * math.sqrt(level * (1 - level) / 200)
    assert kstest(values, "uniform", alternative="greater").pvalue > 0.01


def test_p_approaches_that_of_all_permutations():
    matrix = np.random.default_rng(4).normal(size=(5, 5))
    matrix += np.eye(5) * 0.7
    sums = [sum(matrix[i, j] for i, j in enumerate(order)) for order in permutations(range(5))]
    exact = np.mean(np.array(sums) >= matrix.trace() - 1e-12)
    estimate = permutation_p(matrix, 40_000, np.random.default_rng(0))
    assert abs(estimate - exact) < 4 * math.sqrt(exact * (1 - exact) / 40_000)


def test_best_and_worst_p():
    strong = np.eye(9)
    assert permutation_p(strong, 999, np.random.default_rng(0)) == 1 / 1000
    assert permutation_p(-strong, 999, np.random.default_rng(0)) > 0.99
    assert math.isnan(permutation_p(np.ones((1, 1)), 99, np.random.default_rng(0)))
    assert math.isnan(permutation_p(np.array([[1, np.nan], [0, 1]]), 99, np.random.default_rng(0)))


def items_of(decoded, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.normal(size=(7, 10))
    images = rng.integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    features = rng.normal(size=(2, 7, 5))
    axes = rng.normal(size=(10, 3))
    return {
        "latents": (true, decoded(true)),
        "images": (images, images[::-1].copy()),
        "features": tuple(features),
        "attributes": (true @ axes, decoded(true) @ axes),
    }


def tabulate_all(items, **changes):
    options = {
        "metrics": list(METRICS),
        "permutations": 500,
        "resamples": 200,
        "seed": 3,
        "subject": "01",
        "decoder": "d",
    } | changes
    return tabulate(items, **options).set_index("metric")


@pytest.mark.parametrize("constant", [np.zeros(10), np.linspace(-0.3, 0.4, 10), np.full(10, 0.1)])
def test_constant_predictions_identify_nothing(constant):
    table = tabulate_all(items_of(lambda true: np.repeat(constant[None], 7, axis=0)))
    assert table.loc["identification_2way_latent", "value"] == 0.5
    for name in ("latent_similarity", "latent_cosine", "identification_2way_latent"):
        assert table.loc[name, "p"] == 1
        assert table.loc[name, "chance"] == pytest.approx(table.loc[name, "value"])


def test_the_table():
    items = items_of(lambda true: true + 0.1 * true**2)
    table = tabulate_all(items).reset_index()
    assert table[COLUMNS].shape == (len(METRICS), len(COLUMNS))
    row = table.set_index("metric").loc["latent_similarity"]
    true, decoded = items["latents"]
    own = 1 / (1 + ((true - decoded) ** 2).mean(axis=1))
    assert row["value"] == pytest.approx(own.mean())
    assert row["sem"] == pytest.approx(own.std(ddof=1) / math.sqrt(7))
    others = [1 / (1 + ((t - d) ** 2).mean()) for t in true for d in decoded]
    assert row["chance"] == pytest.approx(np.mean(others))
    assert row["p"] == 1 / 501
    assert (row["n"], row["ceiling"], row["region"]) == (7, 1, "active")
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert tabulate_all(items).equals(tabulate_all(items))
    undefined = table.set_index("metric").loc["identification_10way_latent"]  # of seven stimuli
    assert undefined[["value", "sem", "chance", "p", "ci_low", "ci_high"]].isna().all()


def test_metrics_of_what_is_not_there_are_left_out():
    items = items_of(lambda true: true)
    del items["latents"]
    assert set(tabulate_all(items).index) == {name for name, metric in METRICS.items() if metric.source != "latents"}


@pytest.mark.parametrize("name", METRICS)
def test_without_permutations_the_values_are_the_same(name):
    items = items_of(lambda true: true + 0.1)
    whole, quick = (tabulate_all(items, metrics=[name], permutations=count).loc[name] for count in (50, 0))
    assert np.allclose(whole[["value", "sem"]].astype(float), quick[["value", "sem"]].astype(float), equal_nan=True)
    assert math.isnan(quick["p"])
    assert METRICS[name].chance is not None or not METRICS[name].alone or math.isnan(quick["chance"])


def test_one_stimulus_gives_values_but_no_test():
    items = {name: (true[:1], predicted[:1]) for name, (true, predicted) in items_of(lambda true: true).items()}
    table = tabulate_all(items)
    assert table.loc["latent_cosine", "value"] == pytest.approx(1)
    assert math.isnan(table.loc["identification_2way_latent", "value"])
    assert table["p"].isna().all()
    assert table["sem"].isna().all()


def test_interval_covers_the_mean_as_often_as_it_says():
    """Skewed scores of 30 stimuli; the plain percentile interval covers less."""
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        low, high = bootstrap_interval(rng.exponential(size=30), 800, rng)
        covered += low <= 1 <= high
    assert 0.88 < covered / 300 < 0.98


def test_intervals_of_few_and_of_equal_scores():
    rng = np.random.default_rng(0)
    assert bootstrap_interval(np.full(5, 0.1), 100, rng) == (pytest.approx(0.1), pytest.approx(0.1))
    for scores in ([1.0], [1.0, np.nan]):
        assert np.isnan(bootstrap_interval(np.array(scores), 100, rng)).all()


def test_holm_and_false_discovery_rate():
    p = np.array([0.04, 0.001, np.nan, 0.03, 0.01, 0.8])
    known = [0.04, 0.001, 0.03, 0.01, 0.8]
    by_hand = [max(min(1, (5 - sum(q < r for q in known)) * r) for r in known if r <= own) for own in known]
    holm = corrected(p, "holm")
    assert np.allclose(holm[[0, 1, 3, 4, 5]], by_hand, atol=1e-12)
    assert by_hand == pytest.approx([0.09, 0.005, 0.09, 0.04, 0.8])
    rate = [min(min(1, 5 * r / sum(q <= r for q in known)) for r in known if r >= own) for own in known]
    assert np.allclose(corrected(p, "fdr")[[0, 1, 3, 4, 5]], rate, atol=1e-12)
    assert np.isnan(holm[2])
    assert np.array_equal(corrected(p, "none"), p, equal_nan=True)
    assert np.isnan(corrected(np.full(2, np.nan), "holm")).all()
    with pytest.raises(DataError, match="outside 0 to 1"):
        corrected(np.array([0.5, 1.2]), "holm")


def test_correction_is_over_metrics_and_subjects_of_a_decoder():
    table = pd.DataFrame(
        {
            "subject": ["01", "02", "01", "02", "01"],
            "decoder": ["a", "a", "a", "a", "b"],
            "metric": ["x", "x", "y", "y", "x"],
            "p": [0.01, 0.02, 0.03, np.nan, 0.04],
        }
    )
    p = add_correction(table, "holm")["p_corrected"]
    assert np.allclose(p, [0.03, 0.04, 0.04, np.nan, 0.04], equal_nan=True)


def test_corrected_p_seldom_claims_anything_when_there_is_nothing():
    found = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true = rng.normal(size=(8, 20))
        items = {"latents": (true, rng.permutation(true))}
        table = tabulate_all(items, metrics=[name for name in CONTINUOUS if "latent" in name], permutations=199)
        found += add_correction(table, "holm")["p_corrected"].min() <= 0.05
    assert found / 200 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


def test_ceilings_below_a_perfect_prediction():
    items = items_of(lambda true: true)
    known = {"latent_pearson_dimension": 0.7, "latent_cosine": math.nan}
    ceilings = tabulate_all(items, metrics=["latent_pearson_dimension", "latent_cosine"], ceilings=known)["ceiling"]
    assert ceilings.to_dict() == {"latent_pearson_dimension": 0.7, "latent_cosine": 1.0}


def test_a_baseline_is_bounded_by_its_own_model():
    rows = [("eigenface", "01", 0.3), ("eigenface-model", "01", 0.8), ("ridge", "01", 0.5), ("eigenface", "02", 0.2)]
    table = pd.DataFrame(rows, columns=["decoder", "subject", "value"], index=[5, 6, 9, 2])
    table = add_model_ceilings(table.assign(metric="ssim_rgb", region="active", ceiling=1.0))
    assert table["ceiling"].to_dict() == {5: 0.8, 6: 1.0, 9: 1.0, 2: 1.0}


def test_misuse():
    items = items_of(lambda true: true)
    with pytest.raises(SettingsError, match="no 'beauty'"):
        tabulate_all(items, metrics=["beauty"])
    items["latents"] = (items["latents"][0], items["latents"][1][1:])
    with pytest.raises(DataError, match=r"latent_cosine: true items of shape \(7, 10\), predicted \(6, 10\)"):
        tabulate_all(items, metrics=["latent_cosine"])
