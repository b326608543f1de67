"""What changes in a head from volume to volume besides responses: autocorrelated noise and slow drift."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hyper.simulation.smooth import VARIANCE_OF_SPLINE, SmoothNoise


class HeadNoise:
    """Relative changes of the spline coefficients of a head, volume after volume.

    A first-order autoregressive process, one part of it local and one spatially smooth, and cosines with smooth maps.

    Parameters
    ----------
    settings : mapping
        Settings simulation.noise.
    brain : ndarray, shape (x, y, z), bool
        Where it happens.
    spacing : float
        Of the grid, mm.
    volumes : int
        Length of the run.
    rng : Generator
    """

    def __init__(
        self, settings: Mapping[str, Any], brain: np.ndarray, spacing: float, volumes: int, rng: np.random.Generator
    ) -> None:
        self.rng, self.inside = rng, np.flatnonzero(brain)
        own = 1 - settings["thermal"]
        self.memory = settings["autocorrelation"] / own if own else 0.0
        # what interpolation between coefficients takes away is given beforehand
        level = np.sqrt(own / VARIANCE_OF_SPLINE**3) / settings["tsnr"]
        self.local_level = np.float32(level * np.sqrt(1 - settings["smooth"]))
        self.lattice = SmoothNoise(brain.shape, spacing, settings["smoothness"])
        # smooth noise keeps its variance when it is interpolated
        self.smooth_level = np.float32(np.sqrt(own * settings["smooth"]) / settings["tsnr"])
        self.local = self._white(self.inside.size)
        self.smooth = self._white(self.lattice.lattice)
        self.waves, self.maps = self._drift(settings, brain, spacing, volumes)

    def step(self, volume: int) -> np.ndarray:
        """Relative change at the brain's coefficients (`inside`) in this volume; call once a volume, in order."""
        if volume:
            fresh = np.float32(np.sqrt(1 - self.memory**2))
            self.local = np.float32(self.memory) * self.local + fresh * self._white(self.inside.size)
            self.smooth = np.float32(self.memory) * self.smooth + fresh * self._white(self.lattice.lattice)
        change = self.smooth_level * self.lattice.interpolate(self.smooth).ravel()[self.inside]
        change += self.local_level * self.local
        if len(self.maps):
            change += self.waves[volume] @ self.maps
        return change

    def _white(self, shape: int | tuple[int, ...]) -> np.ndarray:
        return self.rng.standard_normal(shape, dtype=np.float32)

    def _drift(
        self, settings: Mapping[str, Any], brain: np.ndarray, spacing: float, volumes: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cosines of up to one and a half cycles a run and the map of each."""
        terms = settings["drift_terms"]
        time = (np.arange(volumes) + 0.5) / volumes
        waves = np.cos(np.pi * np.outer(time, np.arange(1, terms + 1))) * np.sqrt(2 / max(terms, 1))
        field = SmoothNoise(brain.shape, spacing, 60.0)
        maps = [field.interpolate(self._white(field.lattice)).ravel()[self.inside] for _ in range(terms)]
        level = np.float32(settings["drift"] / 100)
        return waves.astype(np.float32), level * np.array(maps, np.float32).reshape(terms, self.inside.size)
