"""Smooth random fields."""

from collections.abc import Callable

import numpy as np

from hyper.io.spaces import grid_points

# of a cubic B-spline: full width at half maximum and the variance that white coefficients keep, per axis
FWHM_OF_SPLINE = 1.36
VARIANCE_OF_SPLINE = 151 / 315

Field = Callable[[tuple[int, ...], np.ndarray, np.ndarray], np.ndarray]


def polynomial_field(strength: float, rng: np.random.Generator, reach: float = 90.0) -> Field:
    """Draw a smooth positive field, as receive coils have: the exponential of a polynomial of second order.

    Parameters
    ----------
    strength : float
        About the standard deviation over a head, relative to the mean.
    rng : Generator
    reach : float
        Distance (mm) from the centre at which a term has its full size.

    Returns
    -------
    callable
        (shape, affine, centre) -> the field on that grid, shape (x, y, z), about 1 at the centre.
    """
    linear, square = rng.standard_normal(3), rng.standard_normal(6)
    norm = np.sqrt((linear**2).sum() / 5 + (square**2).sum() / 10)

    def evaluate(shape: tuple[int, ...], affine: np.ndarray, centre: np.ndarray) -> np.ndarray:
        x, y, z = (grid_points(shape, affine) - centre[:, None]) / reach
        terms = linear @ np.stack([x, y, z]) + square @ np.stack([x * x, y * y, z * z, x * y, y * z, x * z])
        return np.exp(np.clip(strength * terms / norm, -1.5, 1.0)).astype(np.float32).reshape(shape)

    return evaluate


class SmoothNoise:
    """White noise on a coarse lattice, interpolated by cubic B-splines: smooth noise of unit variance, cheaply.

    Parameters
    ----------
    shape : tuple of int
        The fine grid.
    spacing : float
        Of the fine grid, mm.
    smoothness : float
        Full width at half maximum of the smoothing, mm.
    """

    def __init__(self, shape: tuple[int, ...], spacing: float, smoothness: float) -> None:
        step = max(smoothness / FWHM_OF_SPLINE / spacing, 1.0)
        self.weights = []
        for n in shape:
            nodes = int(np.ceil((n - 1) / step)) + 4
            weights = spline_weights(np.arange(n) / step + 1, nodes)
            self.weights.append((weights / np.sqrt((weights**2).sum(axis=1, keepdims=True))).astype(np.float32))
        self.lattice = tuple(weights.shape[1] for weights in self.weights)

    def interpolate(self, lattice: np.ndarray) -> np.ndarray:
        """Map lattice values, shape `lattice`, to the fine grid."""
        first, second, third = self.weights
        plane = np.tensordot(first, lattice, axes=(1, 0))
        line = np.matmul(second, plane)
        return np.matmul(line, third.T)


def spline_weights(at: np.ndarray, count: int) -> np.ndarray:
    """Weights of a cubic B-spline's `count` coefficients at fractional indices; shape (at, count)."""
    distance = np.abs(at[:, None] - np.arange(count))
    near = 2 / 3 - distance**2 * (1 - distance / 2)
    return np.where(distance < 1, near, np.clip(2 - distance, 0, None) ** 3 / 6)
