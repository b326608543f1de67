"""Scores on attributes against SciPy and against what was planted."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kstest, pearsonr

from hyper.errors import DataError
from hyper.evaluation.attributes import Directions, correct_attributes, scores_by_stimulus, sets_of, tabulate_attributes
from hyper.evaluation.boundaries import Boundaries
from hyper.evaluation.edits import edited_latents, neutral_face
from hyper.evaluation.metrics import METRICS

LABELS = {"study": "s", "subject": "01", "decoder": "d"}


def directions(count=3, size=15, seed=0):
    normals = np.random.default_rng(seed).standard_normal((count, size))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Directions("boundary", tuple("abcdefgh"[:count]), normals)


def latents(n=20, size=15, seed=1, skill=0.5):
    rng = np.random.default_rng(seed)
    true = rng.standard_normal((n, size))
    return true, skill * true + rng.standard_normal((n, size))


def table(true, decoded, kinds, permutations=500, seed=0):
    return tabulate_attributes(true, decoded, kinds, permutations, 200, seed, LABELS)


def test_correlation_and_its_test_are_scipys():
    kind = directions()
    true, decoded = latents()
    found = table(true, decoded, [kind]).query("metric == 'attribute_correlation'").set_index("attribute")
    for name, normal in zip(kind.names, kind.normals, strict=True):
        expected = pearsonr(true @ normal, decoded @ normal)
        interval = expected.confidence_interval()
        row = found.loc[name]
        assert row["value"] == pytest.approx(expected.statistic, abs=1e-12)
        assert row["p_t"] == pytest.approx(expected.pvalue, rel=1e-9)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high), abs=1e-9)


def test_permutation_p_is_that_of_all_orders():
    true, decoded = latents(n=6)
    kind = directions(1)
    x, y = true @ kind.normals[0], decoded @ kind.normals[0]
    every = np.array([pearsonr(x, y[list(order)]).statistic for order in permutations(range(6))])
    exact = (every >= pearsonr(x, y).statistic - 1e-12).mean()
    found = table(true, decoded, [kind], permutations=20000).query("metric == 'attribute_correlation'")["p"].item()
    assert found == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20000) + 1 / 20000)


def test_p_is_uniform_when_nothing_is_decoded():
    kind = directions(1)
    p = []
    for seed in range(200):
        true, decoded = latents(n=10, seed=seed, skill=0.0)
        p.append(table(true, decoded, [kind], permutations=199, seed=seed)["p"].iloc[0])
    assert kstest(p, "uniform").pvalue > 0.01


def test_agreement_counts_equal_signs_and_halves_for_none():
    true = np.array([[1.0, -2.0], [3.0, 4.0], [-1.0, 0.5]])
    decoded = np.array([[0.1, 5.0], [0.0, 1.0], [-9.0, 2.0]])
    matrix = METRICS["attribute_agreement"].scores(true, decoded).matrix
    assert np.allclose(matrix.diagonal(), [0.5, 0.75, 1.0])
    assert matrix[0, 2] == 0.0
    assert np.array_equal(matrix, METRICS["attribute_agreement"].scores(true, 100 * decoded).matrix)


def test_a_constant_prediction_correlates_with_nothing():
    true, _ = latents()
    found = table(true, np.zeros_like(true), [directions()])
    correlation = found[found["metric"] == "attribute_correlation"]
    assert (correlation["value"] == 0).all() and (correlation["p"] == 1).all() and correlation["p_t"].isna().all()
    assert (found.loc[found["metric"] == "attribute_agreement", "value"] == 0.5).all()


def test_each_set_of_directions_is_a_family_of_tests():
    kind = directions()
    boundaries = Boundaries(kind.names, kind.normals, np.zeros(3))
    sets = sets_of(boundaries, np.eye(15)[:2])
    assert [item.kind for item in sets] == ["boundary", "conditional", "sefa"]
    assert sets[2].names == ("sefa1", "sefa2")
    whole = correct_attributes(table(*latents(), sets), "holm")
    assert len(whole) == 2 * (3 + 3 + 2)
    part = whole[(whole["directions"] == "sefa") & (whole["metric"] == "attribute_correlation")]
    assert part["p_corrected"].min() == pytest.approx(min(1, 2 * part["p"].min()))


def test_scores_of_every_stimulus():
    kind = directions(2)
    true, decoded = latents(n=4)
    rows = scores_by_stimulus(true, decoded, list("wxyz"), [kind], LABELS)
    assert len(rows) == 8
    row = rows[(rows["attribute"] == "b") & (rows["stimulus"] == "y")].iloc[0]
    assert row["true"] == pytest.approx(true[2] @ kind.normals[1])
    assert row["decoded"] == pytest.approx(decoded[2] @ kind.normals[1])


def test_latents_of_another_size_are_refused():
    with pytest.raises(DataError, match=r"they are of 15 latents, those to be scored have shape \(20, 8\)"):
        table(*latents(size=8), [directions()])


def test_edits_go_the_same_way_to_either_side():
    kind = directions()
    face = neutral_face(kind.normals, np.random.default_rng(2))
    assert np.abs(kind.normals @ face).max() < 1e-12
    assert np.linalg.norm(face) == pytest.approx(np.sqrt(15))
    moved = edited_latents(kind, face, 2.5, 5)
    assert moved.shape == (3, 5, 15)
    assert np.allclose(moved[:, 2], face)
    for row, normal in zip(moved, kind.normals, strict=True):
        assert np.allclose(row @ normal, [-2.5, -1.25, 0, 1.25, 2.5])
