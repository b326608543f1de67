"""A person's anatomy: the template under an affine and a smooth warp."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.simulation.smooth import spline_weights

_NODE_SPACING = 8.0
_MARGIN = 60.0
_AROUND = 35.0
_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))
_LEAST_JACOBIAN = 0.2


@dataclass(frozen=True)
class Anatomy:
    """The map from the template to a person: ``affine @ (p + d(p))`` for a template point p.

    Attributes
    ----------
    affine : ndarray, shape (4, 4)
        Template world to the world of the head at rest, mm.
    warp : ndarray, shape (x, y, z, 3), float64
        Coefficients of the displacement d (mm), a cubic B-spline over a coarse grid of the template.
    warp_affine : ndarray, shape (4, 4)
        Index of a coefficient to template world.
    """

    affine: np.ndarray
    warp: np.ndarray
    warp_affine: np.ndarray

    def displacement(self, points: np.ndarray) -> np.ndarray:
        """Displacement d (mm) at template points; both of shape (3, n)."""
        nodes = apply_affine(np.linalg.inv(self.warp_affine), points)
        return np.stack([_spline(self.warp[..., axis], nodes) for axis in range(3)])

    def to_subject(self, points: np.ndarray) -> np.ndarray:
        """Map template points to the head at rest; both of shape (3, n), mm."""
        return apply_affine(self.affine, points + self.displacement(points))

    def to_template(self, points: np.ndarray, tolerance: float = 1e-5, iterations: int = 200) -> np.ndarray:
        """Map points of the head at rest to the template; both of shape (3, n), mm.

        The fixed point of p = affine^-1 y - d(p), reached by iteration since d changes by less than its argument.

        Raises
        ------
        DataError
            When the iteration does not end.
        """
        straight = apply_affine(np.linalg.inv(self.affine), points)
        found = straight - self.displacement(straight)
        for _ in range(iterations):
            improved = straight - self.displacement(found)
            change = np.abs(improved - found).max(initial=0.0)
            found = improved
            if change < tolerance:
                return found
        raise DataError("simulation.anatomy", "the warp cannot be inverted", "Lower warp or raise warp_smoothness")

    def to_template_on_grid(self, shape: tuple[int, ...], affine: np.ndarray, spacing: float = 4.0) -> np.ndarray:
        """Map every voxel of a grid of the head at rest to the template, shape (3, voxels), float32.

        Inverted on a coarse grid and interpolated, which errs by a hundredth of a millimetre.
        """
        factors = np.maximum(spacing / np.linalg.norm(affine[:3, :3], axis=0), 1.0)
        coarse = tuple(int(np.ceil((n - 1) / f)) + 5 for n, f in zip(shape, factors, strict=True))
        coarse_affine = affine @ np.diag([*factors, 1.0])
        coarse_affine[:3, 3] = (affine @ np.array([*(-2 * factors), 1.0]))[:3]
        straight = np.linalg.inv(self.affine)
        points = grid_points(coarse, coarse_affine)
        offset = self.to_template(points) - apply_affine(straight, points)
        nodes = [np.arange(n) / f + 2 for n, f in zip(shape, factors, strict=True)]
        result = apply_affine(straight, grid_points(shape, affine)).astype(np.float32)
        for axis in range(3):
            result[axis] += _upsample(offset[axis].reshape(coarse), nodes).ravel()
        return result

    def jacobian(self, points: np.ndarray, step: float = 0.5) -> np.ndarray:
        """Determinant of the derivative of ``p + d(p)`` at template points, shape (3, n) -> (n,)."""
        return np.linalg.det(np.eye(3) + self._slopes(points, step))

    def stretch(self, points: np.ndarray, step: float = 0.5) -> np.ndarray:
        """Largest factor by which d lengthens a small step at template points; below 1 the map can be inverted."""
        return np.linalg.norm(self._slopes(points, step), ord=2, axis=(1, 2))

    def _slopes(self, points: np.ndarray, step: float) -> np.ndarray:
        columns = []
        for axis in range(3):
            shift = np.eye(3)[:, [axis]] * step
            columns.append((self.displacement(points + shift) - self.displacement(points - shift)) / (2 * step))
        return np.moveaxis(np.stack(columns, axis=1), -1, 0)


def draw_anatomy(
    settings: Mapping[str, Any], brain: np.ndarray, affine: np.ndarray, seed: int, subject: str
) -> Anatomy:
    """Draw a person's anatomy.

    Parameters
    ----------
    settings : mapping
        Settings simulation.anatomy: translation, rotation, scaling, shear, warp, warp_smoothness.
    brain : ndarray, shape (x, y, z), bool
        Brain mask of the template.
    affine : ndarray, shape (4, 4)
        Its affine.
    seed : int
        The study's seed.
    subject : str
        Label.

    Raises
    ------
    DataError
        When the warp folds space.
    """
    rng = generator_of(seed, "simulation", "anatomy", subject)
    points = grid_points(brain.shape, affine, brain)
    coefficients, nodes = _draw_warp(settings["warp_smoothness"], brain.shape, affine, rng)
    unit = Anatomy(np.eye(4), coefficients, nodes)
    inside = unit.displacement(points)
    # what an affine could undo is no warp: the affine has settings of its own
    coefficients -= _affine_part(points, inside, grid_points(coefficients.shape[:3], nodes)).T.reshape(
        coefficients.shape
    )
    length = np.sqrt((unit.displacement(points) ** 2).sum(axis=0).mean())
    anatomy = Anatomy(_draw_affine(settings, points.mean(axis=1), rng), coefficients * settings["warp"] / length, nodes)
    low, high = points.min(axis=1) - _AROUND, points.max(axis=1) + _AROUND
    nearby = grid_points(tuple(coefficients.shape[:3]), nodes)
    nearby = nearby[:, ((nearby > low[:, None]) & (nearby < high[:, None])).all(axis=0)]
    least, most = anatomy.jacobian(nearby).min(), anatomy.stretch(nearby).max()
    if least < _LEAST_JACOBIAN or most > 0.95:
        raise DataError(
            "simulation.anatomy",
            f"a warp of {settings['warp']:g} mm at a smoothness of {settings['warp_smoothness']:g} mm folds space "
            f"(least Jacobian {least:.2f}, steepest slope {most:.2f})",
            "Lower warp or raise warp_smoothness",
        )
    return anatomy


def _draw_warp(
    smoothness: float, shape: tuple[int, ...], affine: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """White noise over a box larger than the template, smoothed."""
    corners = apply_affine(affine, np.array([[0.0, n - 1.0] for n in shape]))
    low, high = corners.min(axis=1) - _MARGIN, corners.max(axis=1) + _MARGIN
    counts = np.ceil((high - low) / _NODE_SPACING).astype(int) + 1
    nodes = np.diag([_NODE_SPACING] * 3 + [1.0])
    nodes[:3, 3] = low
    sigma = smoothness / _FWHM_PER_SIGMA / _NODE_SPACING
    white = rng.standard_normal((*counts, 3))
    return np.stack([ndimage.gaussian_filter(white[..., a], sigma, mode="nearest") for a in range(3)], axis=-1), nodes


def _affine_part(points: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Best affine fit of values at points, evaluated elsewhere; all of shape (3, n)."""
    fit = np.linalg.lstsq(np.vstack([points, np.ones(points.shape[1])]).T, values.T, rcond=None)[0]
    return (np.vstack([at, np.ones(at.shape[1])]).T @ fit).T


def _draw_affine(settings: Mapping[str, Any], centre: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shear, scaling, rotation about the centre of the brain, translation."""
    about, sheared = np.eye(4), np.eye(4)
    about[:3, 3] = -centre
    sheared[np.triu_indices(3, 1)] = rng.normal(0, settings["shear"], 3)
    scaled = np.diag([*np.exp(rng.normal(0, settings["scaling"], 3)), 1.0])
    placed = np.eye(4)
    placed[:3, 3] = centre + rng.normal(0, settings["translation"], 3)
    return placed @ rotation(np.deg2rad(rng.normal(0, settings["rotation"], 3))) @ scaled @ sheared @ about


def rotation(angles: np.ndarray) -> np.ndarray:
    """Rotation matrix, shape (4, 4), from angles (rad) about the x, y and z axis, applied in that order."""
    matrix = np.eye(4)
    for axis, angle in enumerate(angles):
        first, second = [other for other in range(3) if other != axis]
        turn = np.eye(4)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[first, second], turn[second, first] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def _spline(coefficients: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    return ndimage.map_coordinates(coefficients, nodes, order=3, prefilter=False, mode="nearest")


def _upsample(values: np.ndarray, nodes: list[np.ndarray]) -> np.ndarray:
    """Cubic interpolation on a finer grid, axis by axis."""
    for axis, at in enumerate(nodes):
        values = ndimage.spline_filter1d(values, order=3, axis=axis)
        values = np.moveaxis(np.tensordot(spline_weights(at, values.shape[axis]), values, axes=(1, axis)), 0, axis)
    return values
