import math
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kstest

from hyper.errors import DataError, SettingsError
from hyper.evaluation.metrics import METRICS
from hyper.evaluation.permutation import permutation_p
from hyper.evaluation.table import COLUMNS, tabulate


def test_p_is_uniform_when_there_is_nothing():
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true, predicted = rng.normal(size=(2, 8, 20))
        values.append(permutation_p(METRICS["latent_cosine"].scores(true, predicted).matrix, 999, rng))
    assert kstest(values, "uniform").pvalue > 0.01
    assert kstest(np.array(values) / 2, "uniform").pvalue < 1e-6  # the test can fail


def test_identification_p_is_never_too_small_when_there_is_nothing():
    """Ties make its p conservative, never liberal."""
    values = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        scores = METRICS["identification_2way_latent"].scores(*rng.normal(size=(2, 6, 20)))
        values.append(permutation_p(scores.matrix, 999, rng))
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(values) <= level) < level + 3 * math.sqrt(level * (1 - level) / 200)
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
    return {"latents": (true, decoded(true)), "images": (images, images[::-1].copy())}


def tabulate_all(items, **changes):
    options = {"metrics": list(METRICS), "permutations": 500, "seed": 3, "subject": "01", "decoder": "d"} | changes
    return tabulate(items, **options).set_index("metric")


@pytest.mark.parametrize("constant", [np.zeros(10), np.linspace(-0.3, 0.4, 10), np.full(10, 0.1)])
def test_constant_predictions_identify_nothing(constant):
    table = tabulate_all(items_of(lambda true: np.repeat(constant[None], 7, axis=0)))
    assert table.loc["identification_2way_latent", "value"] == 0.5
    for name in ("latent_similarity", "latent_cosine", "identification_2way_latent"):
        assert table.loc[name, "p"] == 1
        assert table.loc[name, "chance"] == pytest.approx(table.loc[name, "value"])


def test_the_table():
    items = items_of(lambda true: true + 0.1)
    table = tabulate_all(items).reset_index()
    assert table[COLUMNS].shape == (6, len(COLUMNS))
    row = table.set_index("metric").loc["latent_similarity"]
    true, decoded = items["latents"]
    own = 1 / (1 + ((true - decoded) ** 2).mean(axis=1))
    assert row["value"] == pytest.approx(own.mean())
    assert row["sem"] == pytest.approx(own.std(ddof=1) / math.sqrt(7))
    others = [1 / (1 + ((t - d) ** 2).mean()) for t in true for d in decoded]
    assert row["chance"] == pytest.approx(np.mean(others))
    assert row["p"] == 1 / 501
    assert (row["n"], row["ceiling"], row["region"]) == (7, 1, "active")
    assert tabulate_all(items).equals(tabulate_all(items))


def test_one_stimulus_gives_values_but_no_test():
    items = {name: (true[:1], predicted[:1]) for name, (true, predicted) in items_of(lambda true: true).items()}
    table = tabulate_all(items)
    assert table.loc["latent_cosine", "value"] == pytest.approx(1)
    assert math.isnan(table.loc["identification_2way_latent", "value"])
    assert table["p"].isna().all()
    assert table["sem"].isna().all()


def test_misuse():
    items = items_of(lambda true: true)
    with pytest.raises(SettingsError, match="no 'beauty'"):
        tabulate_all(items, metrics=["beauty"])
    items["latents"] = (items["latents"][0], items["latents"][1][1:])
    with pytest.raises(DataError, match=r"latent_cosine: true items of shape \(7, 10\), predicted \(6, 10\)"):
        tabulate_all(items, metrics=["latent_cosine"])
