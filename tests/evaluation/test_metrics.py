"""Each metric against an independent computation."""

from itertools import combinations
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.signal import convolve2d
from scipy.spatial.distance import correlation as correlation_distance
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr
from skimage.metrics import structural_similarity

from hyper.errors import DataError
from hyper.evaluation.identification import k_way, retrieved, wins
from hyper.evaluation.metrics import METRICS
from hyper.evaluation.similarity import correlations
from hyper.evaluation.ssim import prepare, structural_similarities
from hyper.evaluation.table import tabulate
from hyper.settings.evaluation import Evaluation, MetricName

N = 5


@pytest.fixture
def latents():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(N, 30))
    return true, 0.3 * true + rng.normal(size=(N, 30)) + 0.5


@pytest.fixture
def images():
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (2, N, 8, 8, 3)).astype(float)
    coarse[1] = 0.5 * coarse[0] + 0.5 * coarse[1]
    fine = np.clip(coarse.repeat(8, axis=2).repeat(8, axis=3) + rng.normal(0, 20, (2, N, 64, 64, 3)), 0, 255)
    return tuple(fine.astype(np.uint8))


def table_of(function, true, predicted):
    return np.array([[function(t, p) for p in predicted] for t in true])


def matrix_of(name, items):
    scores = METRICS[name].scores(*items)
    return scores.matrix / scores.unit


def identify(similarity):
    """Share of comparisons won, one by one."""
    n = len(similarity)
    result = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            for k in set(range(n)) - {i}:
                first, second = similarity[i, j], similarity[k, j]
                result[i, j] += 1 if first > second else 0 if first < second else 0.5
    return result / (n - 1)


def pearson(first, second):
    return pearsonr(first.ravel().astype(float), second.ravel().astype(float))[0]


def published_ssim(first, second):
    prepared = []
    for image in (first, second):
        large = np.asarray(Image.fromarray(image).resize((224, 224), Image.Resampling.BILINEAR), float)
        smooth = gaussian_filter(large, sigma=0.8, radius=1, mode="mirror", axes=(0, 1))
        prepared.append(np.rint(smooth).astype(np.uint8))
    return structural_similarity(*prepared, channel_axis=2, data_range=255)


def test_settings_name_every_metric():
    assert set(get_args(MetricName)) == set(METRICS)
    assert Evaluation().metrics == list(get_args(MetricName))


def test_every_metric_is_defined_in_words_and_in_the_documentation():
    page = (Path(__file__).parents[2] / "docs/metrics.md").read_text()
    for name, metric in METRICS.items():
        assert len(metric.definition) > 50
        assert f"`{name}`" in page


def test_latent_similarity(latents):
    expected = table_of(lambda t, p: 1 / (1 + sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) / len(t)), *latents)
    assert np.allclose(matrix_of("latent_similarity", latents), expected, atol=1e-12)


def test_latent_cosine(latents):
    assert np.allclose(matrix_of("latent_cosine", latents), table_of(lambda t, p: 1 - cosine(t, p), *latents))
    assert not matrix_of("latent_cosine", (latents[0], np.zeros_like(latents[1]))).any()


def test_latent_pearson(latents):
    assert np.allclose(matrix_of("latent_pearson", latents), table_of(pearson, *latents), atol=1e-12)
    assert not matrix_of("latent_pearson", (latents[0], np.full_like(latents[1], 0.3))).any()


def test_correlation_of_each_dimension_over_stimuli(latents):
    true, predicted = latents
    expected = np.mean([pearsonr(t, p)[0] for t, p in zip(true.T, predicted.T, strict=True)])
    assert matrix_of("latent_pearson_dimension", latents).diagonal().mean() == pytest.approx(expected, abs=1e-12)
    order = [3, 0, 4, 1, 2]
    moved = np.mean([pearsonr(t, p)[0] for t, p in zip(true.T, predicted[order].T, strict=True)])
    matrix = matrix_of("latent_pearson_dimension", latents)
    assert matrix[np.arange(N), order].mean() == pytest.approx(moved, abs=1e-12)
    constant = predicted.copy()
    constant[:, 1:] = 0.1
    left = pearsonr(true[:, 0], constant[:, 0])[0] / 30
    value = matrix_of("latent_pearson_dimension", (true, constant)).diagonal().mean()
    assert value == pytest.approx(left, abs=1e-12)


def test_identification_of_latents(latents):
    expected = identify(table_of(pearson, *latents))
    assert np.allclose(matrix_of("identification_2way_latent", latents), expected, atol=1e-12)


def test_pixel_metrics(images):
    similarity = table_of(pearson, *images)
    assert np.allclose(matrix_of("pixel_correlation", images), similarity, atol=1e-10)
    assert np.allclose(matrix_of("identification_2way_pixels", images), identify(similarity), atol=1e-12)


def test_ssim_equals_scikit_image(images):
    expected = table_of(published_ssim, *images)
    assert np.abs(matrix_of("ssim_rgb224_gauss3", images) - expected).max() < 1e-9
    assert np.ptp(expected) > 0.05


def test_ssim_of_images_at_the_ends_of_the_range():
    flat = np.stack([np.full((64, 64, 3), value, np.uint8) for value in (0, 255, 128)])
    expected = table_of(published_ssim, flat, flat)
    assert np.allclose(matrix_of("ssim_rgb224_gauss3", (flat, flat)), expected, atol=1e-9)


def test_images_are_prepared_from_either_side():
    rng = np.random.default_rng(0)
    for size in (64, 224, 500):
        assert prepare(rng.integers(0, 256, (size, size, 3), dtype=np.uint8)).shape == (224, 224, 3)


def test_ssim_at_the_resolution_given(images):
    def plain(first, second):
        return structural_similarity(first, second, channel_axis=2, data_range=255)

    assert np.abs(matrix_of("ssim_rgb", images) - table_of(plain, *images)).max() < 1e-9


def test_ssim_of_an_image_larger_than_a_strip():
    first, second = np.random.default_rng(5).integers(0, 256, (2, 131, 333, 3), dtype=np.uint8)
    second = second // 2 + first // 2
    expected = structural_similarity(first, second, channel_axis=2, data_range=255)
    assert structural_similarities([first], [second])[0, 0] == pytest.approx(expected, abs=1e-9)
    with pytest.raises(DataError, match="smaller than SSIM's window"):
        structural_similarities([first[:6]], [second[:6]])


def published_ms_ssim(first, second):
    """As in Wang's own program, by direct convolution with the window of 11 x 11."""
    places = np.arange(11) - 5
    window = np.exp(-(places[:, None] ** 2 + places[None] ** 2) / (2 * 1.5**2))
    window /= window.sum()
    x, y = (
        np.asarray(Image.fromarray(image).resize((224, 224), Image.Resampling.BILINEAR).convert("L"), float)
        for image in (first, second)
    )
    c1, c2, result = (0.01 * 255) ** 2, (0.03 * 255) ** 2, 1.0
    for scale, weight in enumerate([0.0448, 0.2856, 0.3001, 0.2363, 0.1333]):
        mx, my, xx, yy, xy = (convolve2d(i, window, "valid") for i in (x, y, x * x, y * y, x * y))
        structure = (2 * (xy - mx * my) + c2) / (xx - mx**2 + yy - my**2 + c2)
        luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
        result *= max((structure * luminance if scale == 4 else structure).mean(), 0) ** weight
        x, y = (i.reshape(len(i) // 2, 2, len(i) // 2, 2).mean(axis=(1, 3)) for i in (x, y))
    return result


def test_ms_ssim(images):
    images = tuple(image[:3] for image in images)
    expected = table_of(published_ms_ssim, *images)
    assert np.abs(matrix_of("ms_ssim_grey224", images) - expected).max() < 1e-9
    assert np.ptp(expected) > 0.05


def test_ms_ssim_of_opposites_is_zero():
    image = np.random.default_rng(2).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    assert matrix_of("ms_ssim_grey224", (image, 255 - image))[0, 0] == 0


def test_features(latents):
    expected = table_of(lambda t, p: 1 / (1 + np.mean((t - p) ** 2)), *latents)
    assert np.allclose(matrix_of("feature_similarity", latents), expected, atol=1e-12)
    assert np.allclose(matrix_of("feature_cosine", latents), table_of(lambda t, p: 1 - cosine(t, p), *latents))
    similarity = identify(table_of(pearson, *latents))
    assert np.allclose(matrix_of("identification_2way_features", latents), similarity, atol=1e-12)


def test_distances_of_features(latents):
    unit = table_of(lambda t, p: np.linalg.norm(t / np.linalg.norm(t) - p / np.linalg.norm(p)), *latents)
    assert np.allclose(matrix_of("perceptual_distance", latents), unit, atol=1e-12)
    expected = table_of(correlation_distance, *latents)
    assert np.allclose(matrix_of("correlation_distance", latents), expected, atol=1e-12)
    constant = np.full_like(latents[1], 2.0)
    assert np.allclose(matrix_of("correlation_distance", (latents[0], constant)), 1)


@pytest.mark.parametrize("name", ["perceptual_distance", "correlation_distance"])
def test_a_smaller_distance_is_better(name, latents):
    true, predicted = latents
    row = tabulate({"features": (true, true + 0.1 * predicted)}, [name], 200, 0, "01", "d", resamples=100).iloc[0]
    assert 0 < row["value"] < row["chance"]
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert row["ceiling"] == 0
    assert row["p"] < 0.05


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_prediction_reaches_the_ceiling(name):
    rng = np.random.default_rng(3)
    metric = METRICS[name]
    true = rng.integers(0, 256, (12, 64, 64, 3), np.uint8) if metric.source == "images" else rng.normal(size=(12, 9))
    own = matrix_of(name, (true, true)).diagonal()
    assert own.mean() == pytest.approx(metric.ceiling, abs=1e-12)
    assert metric.chance is None or 0 < metric.chance(12) < metric.ceiling


def ten_way(similarity):
    """Share of the choices of nine others that the own stimulus wins, every choice looked at."""
    n = len(similarity)
    result = np.zeros((n, n))
    for i, j in np.ndindex(n, n):
        choices = list(combinations([m for m in range(n) if m != i], 9))
        result[i, j] = np.mean([similarity[i, j] > similarity[list(others), j].max() for others in choices])
    return result


def among_first(similarity, k):
    return np.array([[(column > column[i]).sum() < k for column in similarity.T] for i in range(len(similarity))])


RANKINGS = {
    "identification_2way": identify,
    "identification_10way": ten_way,
    "top1": lambda similarity: among_first(similarity, 1),
    "top5": lambda similarity: among_first(similarity, 5),
}
OTHERS = {
    "latent_similarity", "latent_cosine", "latent_pearson", "latent_pearson_dimension", "ssim_rgb224_gauss3",
    "ssim_rgb", "ms_ssim_grey224", "pixel_correlation", "feature_similarity", "feature_cosine", "perceptual_distance",
    "correlation_distance", "attribute_correlation", "attribute_agreement",
}  # fmt: skip


def test_every_metric_has_a_reference():
    """Rankings below, those of attributes in test_attributes.py, all others above."""
    rankings = {f"{ranking}_{what}" for ranking in RANKINGS for what in ("latent", "pixels", "features")}
    assert set(METRICS) == rankings | OTHERS


@pytest.mark.parametrize("what", ["latent", "pixels", "features"])
@pytest.mark.parametrize("ranking", RANKINGS)
def test_rankings_equal_counting_by_hand(ranking, what):
    rng = np.random.default_rng(8)
    true = rng.integers(0, 256, (11, 4, 4, 3), dtype=np.uint8)
    predicted = (true // 2 + rng.integers(0, 128, true.shape)).astype(np.uint8)
    if what != "pixels":
        true, predicted = (items.reshape(11, -1).astype(float) for items in (true, predicted))
    expected = RANKINGS[ranking](table_of(pearson, true, predicted))
    assert np.allclose(matrix_of(f"{ranking}_{what}", (true, predicted)), expected, atol=1e-12)


def drawn(similarity, k, draws):
    """k-way identification, distractors and the winner among ties drawn at random."""
    n, rng = len(similarity), np.random.default_rng(0)
    won = np.zeros((n, n))
    for i in range(n):
        others = [m for m in range(n) if m != i]
        for j in range(n):
            for _ in range(draws):
                rivals = similarity[rng.choice(others, k - 1, replace=False), j]
                own = similarity[i, j]
                if not (rivals > own).any():
                    ties = (~(rivals < own)).sum()
                    won[i, j] += rng.random() < 1 / (ties + 1)
    return won / draws


def test_k_way_identification_is_the_mean_of_all_draws():
    rng = np.random.default_rng(1)
    similarity = rng.integers(0, 4, (6, 6)).astype(float)  # with ties
    assert np.allclose(k_way(similarity, 2), wins(similarity) / 5)
    draws = 4000
    for k in (3, 5):
        exact = k_way(similarity, k)
        assert np.abs(drawn(similarity, k, draws) - exact).max() < 5 * np.sqrt(0.25 / draws)
        assert np.allclose(exact.mean(axis=0), 1 / k)  # whatever is similar to what, one of the k is picked


def test_k_way_identification_when_all_candidates_compete():
    similarity = np.random.default_rng(2).normal(size=(10, 10))
    assert np.allclose(k_way(similarity, 10), similarity == similarity.max(axis=0))


def test_retrieval():
    similarity = np.random.default_rng(2).normal(size=(7, 7))
    rank = (-similarity).argsort(axis=0).argsort(axis=0)
    for k in (1, 5):
        assert np.array_equal(retrieved(similarity, k), rank < k)
    tied = np.array([[3.0, 1, np.nan], [2, 1, np.nan], [2, 1, np.nan]])
    assert np.allclose(retrieved(tied, 1), [[1, 1 / 3, 1 / 3], [0, 1 / 3, 1 / 3], [0, 1 / 3, 1 / 3]])
    assert np.allclose(retrieved(tied, 2), [[1, 2 / 3, 2 / 3], [1 / 2, 2 / 3, 2 / 3], [1 / 2, 2 / 3, 2 / 3]])


@pytest.mark.parametrize("name", [name for name, metric in METRICS.items() if metric.chance is not None])
def test_constant_predictions_are_at_chance(name):
    true = np.random.default_rng(6).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    if METRICS[name].source != "images":
        true = true.reshape(12, -1).astype(float)
    own = matrix_of(name, (true, np.full_like(true, 7))).diagonal()
    assert np.allclose(own, METRICS[name].chance(12))


def test_ties_and_missing_values_count_one_half():
    similarity = np.array([[0.5, np.nan, 0.2], [0.5, 0.1, 0.1], [0.1, 0.3, np.nan]])
    assert np.allclose(wins(similarity) / 2, identify(similarity))
    assert wins(similarity)[0].tolist() == [1.5, 1.0, 1.5]
    assert (wins(np.full((4, 4), np.nan)) == 1.5).all()


def test_correlation_is_missing_where_there_is_nothing_to_correlate():
    rows = np.array([[1.0, 2, 4], [0.1, 0.1, 0.1], [np.nan, 1, 2], [0, 0, 0]])
    missing = np.isnan(correlations(rows[:1], rows))
    assert missing.tolist() == [[False, True, True, True]]


def test_correlation_in_blocks():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 256, (2, 3, 150_000), dtype=np.uint8)
    assert np.allclose(correlations(first, second), np.corrcoef(first, second)[:3, 3:], atol=1e-12)


@pytest.mark.parametrize("value", [0, 77])
def test_constant_images(images, value):
    constant = np.full_like(images[0], value)
    assert not matrix_of("pixel_correlation", (images[0], constant)).any()
    assert (matrix_of("identification_2way_pixels", (images[0], constant)) == 0.5).all()
