"""Structural similarity (Wang et al., 2004) of every pair of images, moments computed once per image."""

import numpy as np
from PIL import Image
from scipy.ndimage import correlate1d

from hyper.errors import DataError

WINDOW, DATA_RANGE = 7, 255
_STRIP = 2**14  # pixels at a time, so that what a pair needs stays in the processor's cache
_C1, _C2 = (0.01 * DATA_RANGE) ** 2, (0.03 * DATA_RANGE) ** 2


def prepare(image: np.ndarray, size: int = 224, kernel: int = 3) -> np.ndarray:
    """Resize (bilinear, antialiased when smaller) and smooth, rounding to 8 bits after each step.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width, 3)
    size : int
        Height and width asked for, pixels.
    kernel : int
        Length of the Gaussian kernel, pixels. Its sigma follows from it by OpenCV's rule,
        0.3 ((kernel - 1) / 2 - 1) + 0.8, as nothing else is published; borders are mirrored.

    Returns
    -------
    ndarray of uint8, shape (size, size, 3)
    """
    image = resized(image, size)
    half = (kernel - 1) // 2
    sigma = 0.3 * (half - 1) + 0.8
    weights = np.exp(-(np.arange(-half, half + 1) ** 2) / (2 * sigma**2))
    weights /= weights.sum()
    smooth = image.astype(np.float64)
    for axis in (0, 1):
        smooth = correlate1d(smooth, weights, axis=axis, mode="mirror")
    return np.rint(smooth).clip(0, 255).astype(np.uint8)


def resized(image: np.ndarray, size: int) -> np.ndarray:
    """Bring an 8-bit image to (size, size) pixels: bilinear, antialiased when smaller."""
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR))


def structural_similarities(true: list[np.ndarray], predicted: list[np.ndarray]) -> np.ndarray:
    """SSIM of each pair of 8-bit RGB images.

    As scikit-image defines it: a uniform window of 7 x 7, sample covariance, data range 255, K1 0.01, K2 0.03, the
    border of 3 pixels left out, mean over pixels and channels.

    Parameters
    ----------
    true, predicted : list of ndarray of uint8, shape (height, width, 3)

    Returns
    -------
    ndarray, shape (n_true, n_predicted)
    """
    height, width = true[0].shape[:2]
    if min(height, width) < WINDOW:
        raise DataError("images", f"{width} x {height} pixels are smaller than SSIM's window", "Give larger images")
    totals = np.zeros((len(true), len(predicted)))
    rows = max(WINDOW, _STRIP // width)
    for start in range(0, height - WINDOW + 1, rows):
        strip = slice(start, start + rows + WINDOW - 1)
        moments = [[_moments(_channels_first(image[strip])) for image in images] for images in (true, predicted)]
        for i, first in enumerate(moments[0]):
            totals[i] += [_similarity(first, second) for second in moments[1]]
    return totals / (3 * (height - WINDOW + 1) * (width - WINDOW + 1))


Moments = tuple[np.ndarray, np.ndarray, np.ndarray]


def _channels_first(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float64)


def _moments(image: np.ndarray) -> Moments:
    """The image, its sums over the window, and N times the sums of squares less the squared sums: exact integers."""
    sums = _window_sums(image)
    return image, sums, WINDOW**2 * _window_sums(image**2) - sums**2


def _similarity(first: Moments, second: Moments) -> float:
    # Sums stay unnormalised: with N pixels in the window, N^2 and N (N - 1) go into the two constants instead
    count = WINDOW**2
    c1, c2 = _C1 * count**2, _C2 * count * (count - 1)
    products = first[1] * second[1]
    covariance = _window_sums(first[0] * second[0])
    covariance *= count
    covariance -= products
    covariance *= 2
    covariance += c2
    products *= 2
    products += c1
    covariance *= products
    luminance = first[1] ** 2
    luminance += second[1] ** 2
    luminance += c1
    contrast = first[2] + second[2]
    contrast += c2
    luminance *= contrast
    covariance /= luminance
    return float(covariance.sum())


def _window_sums(image: np.ndarray) -> np.ndarray:
    """Sums over the windows of 7 x 7 that lie inside the image: four additions along each axis instead of six."""
    for _ in range(2):
        pairs = image[..., :-1] + image[..., 1:]
        sevens = pairs[..., :-5] + pairs[..., 2:-3]
        sevens += pairs[..., 4:-1]
        sevens += image[..., 6:]
        image = sevens.swapaxes(1, 2)
    return image
