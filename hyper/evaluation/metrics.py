"""The metrics, each a named function of true and predicted items.

Every metric is a matrix with one row per true item and one column per prediction: the mean of the diagonal is the
result, the rest is what predictions given to the wrong stimuli would score.
"""

import numpy as np

from hyper.evaluation.identification import k_way, retrieved, wins
from hyper.evaluation.ms_ssim import grey, multiscale_similarities
from hyper.evaluation.registry import METRICS, Chance, Metric, ScoreFunction, Scores, Source, enter, metric
from hyper.evaluation.similarity import (
    correlations,
    cosines,
    mean_squared_errors,
    products_of_columns,
    unit_distances,
)
from hyper.evaluation.ssim import prepare, resized, structural_similarities

__all__ = ["METRICS", "Metric", "Scores", "Source"]


@metric("latents")
def latent_similarity(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """1 / (1 + mean squared error of the latents), as published (Dado et al., 2022).

    The zero vector scores about 0.5 on latents drawn from N(0, I), more than the published decoders.
    """
    return Scores(1 / (1 + mean_squared_errors(true, predicted)))


@metric("latents")
def latent_cosine(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Cosine of true and decoded latent; 0 for a zero latent, which has no direction."""
    return Scores(cosines(true, predicted))


@metric("latents")
def latent_pearson(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Pearson correlation of true and decoded latent over the latent's numbers; 0 for a constant latent."""
    return Scores(np.nan_to_num(correlations(true, predicted), nan=0.0))


@metric("latents", least=3, alone=False)
def latent_pearson_dimension(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Pearson correlation over stimuli of each latent dimension, mean over dimensions; a constant one counts as 0.

    A stimulus's share of it is the mean over dimensions of the product of z-scores (over stimuli) of true and decoded
    latent: the mean over stimuli is the mean correlation exactly, and for any assignment of predictions to stimuli.
    """
    return Scores(products_of_columns(true, predicted))


@metric("images")
def ssim_rgb224_gauss3(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Structural similarity of RGB images of 224 x 224 pixels after a Gaussian of kernel size 3 (Dado et al., 2022).

    Resizing and smoothing serve to compare methods of different resolution. 8 bits, data range 255, window 7 x 7.
    """
    return Scores(structural_similarities([prepare(image) for image in true], [prepare(image) for image in predicted]))


@metric("images")
def ssim_rgb(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Structural similarity of RGB images at the resolution given, as in the published script (Dado et al., 2022).

    8 bits, data range 255, uniform window of 7 x 7, mean over pixels and channels (Wang et al., 2004).
    """
    return Scores(structural_similarities(list(true), list(predicted)))


@metric("images")
def ms_ssim_grey224(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Multi-scale structural similarity of grey images of 224 x 224 pixels (Wang, Simoncelli & Bovik, 2003).

    Luminance of ITU-R 601, 8 bits, data range 255, Gaussian window of 11 x 11 and sigma 1.5, K1 0.01, K2 0.03, five
    scales a factor of 2 apart (means of 2 x 2 pixels), weights .0448, .2856, .3001, .2363, .1333; at each scale a mean
    contrast-structure below zero counts as zero.
    """
    prepared = ([grey(resized(image, 224)) for image in images] for images in (true, predicted))
    return Scores(multiscale_similarities(*prepared))


@metric("images")
def pixel_correlation(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Pearson correlation over all pixels and channels, at the resolution given; 0 for a constant image."""
    return Scores(np.nan_to_num(correlations(_flat(true), _flat(predicted)), nan=0.0))


@metric("features")
def feature_similarity(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """1 / (1 + mean squared error of the face network's features), as published (Dado et al., 2022).

    Its scale is the network's: values of different networks do not compare.
    """
    return Scores(1 / (1 + mean_squared_errors(true, predicted)))


@metric("features")
def feature_cosine(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Cosine of the face network's features of stimulus and reconstruction; 0 for features that are all zero."""
    return Scores(cosines(true, predicted))


@metric("features", ceiling=0.0)
def perceptual_distance(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Distance of stimulus and reconstruction to a face network: Euclidean, between features scaled to unit length.

    From 0, the same face, over 1.41, unrelated, to 2; the less the better. The network's own measure of whether two
    pictures show one person (King, 2017; Cao et al., 2018). Features that are all zero stay zero.
    """
    return Scores(-unit_distances(true, predicted), -1)


@metric("features", ceiling=0.0)
def correlation_distance(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """1 - Pearson correlation of the features of stimulus and reconstruction (Ozcelik & VanRullen, 2023).

    The less the better; 1 for constant features. Of the networks that the field of natural images reads so.
    """
    return Scores(np.nan_to_num(correlations(true, predicted), nan=0.0) - 1, -1)


@metric("attributes", least=3, alone=False)
def attribute_correlation(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Pearson correlation over stimuli of the scores on each attribute, mean over attributes (Dado et al., 2022).

    A score is the dot product of the latent with the unit normal of the attribute's decision boundary; one that does
    not vary counts as 0. A stimulus's share is that of `latent_pearson_dimension`.
    """
    return Scores(products_of_columns(true, predicted))


@metric("attributes")
def attribute_agreement(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Share of the attributes whose score has the same sign for true and decoded latent; a score of 0 counts one half.

    It asks on which side of the average face both lie, so that the length of the decoded latent does not matter.
    """
    return Scores((1 + np.sign(true) @ np.sign(predicted).T / true.shape[1]) / 2)


def _flat(items: np.ndarray) -> np.ndarray:
    return items.reshape(len(items), -1)


def _two_way(true: np.ndarray, predicted: np.ndarray) -> Scores:
    return Scores(wins(correlations(_flat(true), _flat(predicted))), max(len(true) - 1, 1))


def _k_way(k: int) -> ScoreFunction:
    def scores(true: np.ndarray, predicted: np.ndarray) -> Scores:
        return Scores(k_way(correlations(_flat(true), _flat(predicted)), k))

    return scores


def _top(k: int) -> ScoreFunction:
    def scores(true: np.ndarray, predicted: np.ndarray) -> Scores:
        return Scores(retrieved(correlations(_flat(true), _flat(predicted)), k))

    return scores


_TIES = "Similarity is Pearson's correlation; ties, and correlations that do not exist because an item is constant, "
_NAMES: tuple[tuple[str, Source], ...] = (("latent", "latents"), ("pixels", "images"), ("features", "features"))


def _share(value: float) -> Chance:
    return lambda n: value


def _of_all(k: int) -> Chance:
    return lambda n: k / n


def _enter_ranking(name: str, source: Source, scores: ScoreFunction, definition: str, chance: Chance, n: int) -> None:
    enter(Metric(name, source, scores, definition, chance=chance, least=n, alone=False))


for _suffix, _source in _NAMES:
    _definition = (
        f"Share of the other stimuli whose true {_source} are less similar to the prediction's than its own are. "
        f"{_TIES}count one half. Chance is 1/2."
    )
    _enter_ranking(f"identification_2way_{_suffix}", _source, _two_way, _definition, _share(0.5), 2)
    _definition = (
        f"Probability that, of its own stimulus and 9 others drawn at random, its own has the {_source} most similar "
        f"to the prediction's; the exact mean over all draws. {_TIES}share the win evenly. Chance is 1/10."
    )
    _enter_ranking(f"identification_10way_{_suffix}", _source, _k_way(10), _definition, _share(0.1), 10)
    for _k in (1, 5):
        _definition = (
            f"Share of predictions whose own stimulus is among the {_k} with the {_source} most similar to the "
            f"prediction's. {_TIES}share their ranks evenly. Chance is {_k} / number of stimuli."
        )
        _enter_ranking(f"top{_k}_{_suffix}", _source, _top(_k), _definition, _of_all(_k), _k + 1)
