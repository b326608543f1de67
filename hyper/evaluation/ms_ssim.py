"""Multi-scale structural similarity (Wang, Simoncelli & Bovik, 2003) of every pair of grey images."""

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import correlate1d

WINDOW, SIGMA, DATA_RANGE = 11, 1.5, 255
WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_C1, _C2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2


def grey(image: np.ndarray) -> np.ndarray:
    """Luminance of an 8-bit RGB image by ITU-R 601 (.299, .587, .114), 8 bits, as Pillow's mode L."""
    return np.asarray(Image.fromarray(image).convert("L"))


def multiscale_similarities(true: list[np.ndarray], predicted: list[np.ndarray]) -> np.ndarray:
    """MS-SSIM of each pair of 8-bit grey images.

    Product over five scales of the mean contrast-structure term to the power of the scale's weight, times the mean
    luminance term at the last; Gaussian window of 11 x 11, sigma 1.5, windows that lie inside the image, population
    covariance, K1 0.01, K2 0.03; from scale to scale the mean of 2 x 2 pixels. A mean below zero counts as zero. As
    in the usual implementations the last scale's factor is the mean of luminance times contrast-structure.

    Parameters
    ----------
    true, predicted : list of ndarray of uint8, shape (height, width)
        At least 176 pixels high and wide.

    Returns
    -------
    ndarray, shape (n_true, n_predicted)
    """
    result = np.ones((len(true), len(predicted)))
    levels = [[image.astype(np.float64) for image in images] for images in (true, predicted)]
    for scale, weight in enumerate(WEIGHTS):
        moments = [[_Moments.of(image) for image in images] for images in levels]
        last = scale == len(WEIGHTS) - 1
        means = np.array([[_term(first, second, last) for second in moments[1]] for first in moments[0]])
        result *= np.clip(means, 0, None) ** weight
        levels = [[_halved(image) for image in images] for images in levels]
    return result


@dataclass(frozen=True)
class _Moments:
    image: np.ndarray
    mean: np.ndarray
    variance: np.ndarray

    @classmethod
    def of(cls, image: np.ndarray) -> "_Moments":
        mean = _windowed(image)
        return cls(image, mean, _windowed(image**2) - mean**2)


def _term(first: _Moments, second: _Moments, luminance: bool) -> float:
    product = first.mean * second.mean
    covariance = _windowed(first.image * second.image)
    covariance -= product
    covariance *= 2
    covariance += _C2
    spread = first.variance + second.variance
    spread += _C2
    covariance /= spread
    if luminance:
        covariance *= (2 * product + _C1) / (first.mean**2 + second.mean**2 + _C1)
    return float(covariance.mean())


def _kernel() -> np.ndarray:
    places = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(places**2) / (2 * SIGMA**2))
    return weights / weights.sum()


_KERNEL = _kernel()


def _windowed(image: np.ndarray) -> np.ndarray:
    """Weighted means over the windows that lie inside the image."""
    half = WINDOW // 2
    rows = correlate1d(image, _KERNEL, axis=0)[half:-half]
    return correlate1d(rows, _KERNEL, axis=1)[:, half:-half]


def _halved(image: np.ndarray) -> np.ndarray:
    height, width = (edge // 2 * 2 for edge in image.shape)
    even = image[:height, :width]
    return (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / 4
