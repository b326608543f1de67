"""A simulated head: the template's tissues, moved and warped by transforms that are known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import ndimage

from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.template import load_template

FINE_MM = 2


@dataclass(frozen=True)
class Head:
    """Volumes at rest, functions of template coordinates (mm), shape (3, n)."""

    epi: np.ndarray
    t1: np.ndarray
    brain: np.ndarray
    affine: np.ndarray

    def sample(self, volume: np.ndarray, world: np.ndarray, order: int = 3) -> np.ndarray:
        voxels = apply_affine(np.linalg.inv(self.affine), world)
        return ndimage.map_coordinates(volume, voxels, order=order, prefilter=False, mode="constant")

    def run(
        self, grid: tuple[tuple[int, ...], np.ndarray], poses: np.ndarray, snr: float = 60.0, seed: int = 0
    ) -> np.ndarray:
        """A run (x, y, z, volume) in a fixed receive field, with white noise."""
        shape, affine = grid
        world = grid_points(shape, affine)
        field = 1.4 * np.exp(-((world - [[30], [40], [60]]) ** 2).sum(0) / (2 * 110**2))
        rest = [self.sample(self.epi, apply_affine(np.linalg.inv(pose), world)) * field for pose in poses]
        run = np.stack(rest, axis=1).reshape(*shape, len(poses))
        noise = np.random.default_rng(seed).normal(size=run.shape) * run[run > 500].mean() / snr
        return (run + noise).astype(np.float32)


@pytest.fixture(scope="session")
def head() -> Head:
    """Mean EPI contrast (CSF brightest, then grey, then white matter: the inverse of T1) and T1 contrast."""
    template = load_template(FINE_MM)
    csf = np.clip(template.brain - template.gm - template.wm, 0, 1)
    epi = ndimage.gaussian_filter(750 * template.wm + 1000 * template.gm + 1300 * csf, 0.85)
    splines = [ndimage.spline_filter(volume, 3, output=np.float32) for volume in (epi, 900 * template.t1)]
    return Head(*splines, brain=template.brain.astype(np.float32), affine=template.affine)


@pytest.fixture(scope="session")
def bold_grid() -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and affine of a 4 mm grid around the template's brain."""
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = [-96, -122, -72]
    return (48, 52, 40), affine


@pytest.fixture(scope="session")
def random_motion() -> Callable[..., np.ndarray]:
    """The function below."""
    return _random_motion


def _random_motion(volumes: int, seed: int, mm: float = 2.0, degrees: float = 2.0) -> np.ndarray:
    """Poses (volume, 4, 4) of a head that drifts and jumps; the first is the identity."""
    random = np.random.default_rng(seed)
    path = np.cumsum(random.normal(size=(volumes, 6)), axis=0)
    for jump in random.choice(np.arange(1, volumes), min(3, volumes - 1), replace=False):
        path[jump:] += 8 * random.normal(size=6)
    path -= path[0]
    path *= np.repeat([mm, np.deg2rad(degrees)], 3) / np.maximum(np.abs(path).max(0), 1e-9)
    return matrix_of(path)
