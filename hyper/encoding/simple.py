"""Features that need no network: grey pixels, and energies of Gabor filters."""

import numpy as np
from scipy.signal import fftconvolve
from skimage.color import rgb2gray
from skimage.filters import gabor_kernel
from skimage.transform import resize

PIXELS = 32  # edge of the image of pixel features
GABOR_EDGE = 64  # of the image that is filtered
GRID = 8  # places along each axis at which energy is averaged
FREQUENCIES = (0.25, 0.125, 0.0625)  # cycles per pixel: 16, 8 and 4 per image
ORIENTATIONS = 6


def grey(images: np.ndarray, edge: int) -> np.ndarray:
    """Luminance of 8-bit images, antialiased down (or up) to a square: shape (n, edge, edge), 0 to 1."""
    return np.stack([resize(rgb2gray(image), (edge, edge), order=1, anti_aliasing=True) for image in images])


def pixel_features(images: np.ndarray) -> np.ndarray:
    """Luminance at 32 x 32 pixels, shape (n, 1024)."""
    return grey(images, PIXELS).reshape(len(images), -1).astype(np.float32)


def gabor_features(images: np.ndarray) -> np.ndarray:
    """Local energies of Gabor filters, as of complex cells (Adelson & Bergen, 1985).

    The grey image of 64 x 64 pixels, its mean taken off, is filtered by quadrature pairs of 3 frequencies (4, 8, 16
    cycles per image) and 6 orientations (bandwidth 1 octave); the root of the summed squares is averaged over 8 x 8
    squares.

    Returns
    -------
    ndarray of float32, shape (n, 1152)
        Frequency, orientation, row, column.
    """
    pictures = grey(images, GABOR_EDGE)
    pictures -= pictures.mean(axis=(1, 2), keepdims=True)
    found = []
    for frequency in FREQUENCIES:
        for turn in range(ORIENTATIONS):
            kernel = gabor_kernel(frequency, theta=np.pi * turn / ORIENTATIONS, bandwidth=1)
            kernel -= kernel.mean()
            energy = np.abs(fftconvolve(pictures, kernel[None], mode="same", axes=(1, 2)))
            square = GABOR_EDGE // GRID
            found.append(energy.reshape(len(images), GRID, square, GRID, square).mean(axis=(2, 4)))
    return np.stack(found, axis=1).reshape(len(images), -1).astype(np.float32)
