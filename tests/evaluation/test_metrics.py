"""Each metric against an independent computation."""

from typing import get_args

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cosine
from scipy.stats import pearsonr
from skimage.metrics import structural_similarity

from hyper.evaluation.metrics import METRICS
from hyper.evaluation.similarity import correlations, wins
from hyper.evaluation.ssim import prepare
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
    assert list(get_args(MetricName)) == list(METRICS) == Evaluation().metrics
    assert all(metric.scores.__doc__ for metric in METRICS.values())


def test_latent_similarity(latents):
    expected = table_of(lambda t, p: 1 / (1 + sum((a - b) ** 2 for a, b in zip(t, p, strict=True)) / len(t)), *latents)
    assert np.allclose(matrix_of("latent_similarity", latents), expected, atol=1e-12)


def test_latent_cosine(latents):
    assert np.allclose(matrix_of("latent_cosine", latents), table_of(lambda t, p: 1 - cosine(t, p), *latents))
    assert not matrix_of("latent_cosine", (latents[0], np.zeros_like(latents[1]))).any()


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


@pytest.mark.parametrize("name", METRICS)
def test_a_perfect_prediction_reaches_the_ceiling(name, latents, images):
    true = (latents if METRICS[name].source == "latents" else images)[0]
    assert np.allclose(matrix_of(name, (true, true)).diagonal(), METRICS[name].ceiling)


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
