"""The metrics, each a named function of true and predicted items.

Every metric is a matrix with one row per true item and one column per prediction: the diagonal is the result, the rest
is what predictions given to the wrong stimuli would score.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hyper.evaluation.similarity import correlations, cosines, mean_squared_errors, wins
from hyper.evaluation.ssim import prepare, structural_similarities

Source = Literal["latents", "images"]
ScoreFunction = Callable[[np.ndarray, np.ndarray], "Scores"]


@dataclass(frozen=True)
class Scores:
    """Score of every prediction for every stimulus.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
        Of prediction j for stimulus i.
    unit : float
        What the matrix is to be divided by. Identification keeps whole and half counts, so that ties are exact.
    """

    matrix: np.ndarray
    unit: float = 1.0


@dataclass(frozen=True)
class Metric:
    """A metric and what its values mean.

    Attributes
    ----------
    name : str
    source : {'latents', 'images'}
        Whether it compares latents, shape (n, latent), or images, shape (n, height, width, 3), uint8.
    scores : callable
    chance : float or None
        What is expected by chance by definition; None: the mean over all assignments of predictions to stimuli.
    ceiling : float
        Value of a perfect prediction.
    """

    name: str
    source: Source
    scores: ScoreFunction
    chance: float | None
    ceiling: float


METRICS: dict[str, Metric] = {}


def metric(
    source: Source, chance: float | None = None, ceiling: float = 1.0
) -> Callable[[ScoreFunction], ScoreFunction]:
    """Enter a function in the registry under its own name."""

    def register(function: ScoreFunction) -> ScoreFunction:
        METRICS[function.__name__] = Metric(function.__name__, source, function, chance, ceiling)
        return function

    return register


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


@metric("latents", chance=0.5)
def identification_2way_latent(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Share of the other stimuli whose true latent correlates less (Pearson) with the prediction than its own does.

    Ties, and correlations that do not exist because a latent is constant, count one half.
    """
    return Scores(wins(correlations(true, predicted)), max(len(true) - 1, 1))


@metric("images")
def ssim_rgb224_gauss3(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Structural similarity of RGB images of 224 x 224 pixels after a Gaussian of kernel size 3 (Dado et al., 2022).

    Resizing and smoothing serve to compare methods of different resolution. 8 bits, data range 255, window 7 x 7.
    """
    return Scores(structural_similarities([prepare(image) for image in true], [prepare(image) for image in predicted]))


@metric("images")
def pixel_correlation(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Pearson correlation over all pixels and channels, at the resolution given; 0 for a constant image."""
    return Scores(np.nan_to_num(correlations(_flat(true), _flat(predicted)), nan=0.0))


@metric("images", chance=0.5)
def identification_2way_pixels(true: np.ndarray, predicted: np.ndarray) -> Scores:
    """Share of the other stimuli whose pixels correlate less (Pearson) with the reconstruction than its own do.

    Ties, and correlations that do not exist because an image is constant, count one half.
    """
    return Scores(wins(correlations(_flat(true), _flat(predicted))), max(len(true) - 1, 1))


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)
