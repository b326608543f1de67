"""Head motion of a run: slow drift, jumps, breathing."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import ndimage

from hyper.io.seeds import generator_of
from hyper.preprocess.motion import matrix_of


def draw_motion(settings: Mapping[str, Any], volumes: int, seed: int, subject: str, series: str) -> np.ndarray:
    """Draw where the head is at each volume.

    Parameters
    ----------
    settings : mapping
        Settings simulation.motion.
    volumes : int
    seed : int
        The study's seed.
    subject, series : str
        Labels.

    Returns
    -------
    ndarray, shape (volume, 4, 4)
        World of the head at rest to the world of each volume. Relative to the first volume no translation exceeds
        max_translation and no rotation, about the world origin, max_rotation.
    """
    rng = generator_of(seed, "simulation", "motion", subject, series)
    bound = np.repeat([settings["max_translation"], np.deg2rad(settings["max_rotation"])], 3)
    drift = _unit_peak(np.cumsum(rng.standard_normal((volumes, 6)), axis=0), smooth=8.0)
    jumps = np.zeros((volumes, 6))
    for at in rng.integers(1, max(volumes, 2), settings["jumps"]):
        jumps[at:] += rng.standard_normal(6)
    course = (1 - settings["jump_share"]) * drift + settings["jump_share"] * _unit_peak(jumps)
    jitter = np.repeat([settings["jitter"], np.deg2rad(settings["jitter"])], 3) * rng.standard_normal((volumes, 6))
    parameters = course * bound * rng.uniform(0.3, 1.0, 6) + jitter
    parameters = np.clip(parameters - parameters[0], -bound, bound)
    spread = np.repeat([settings["start_translation"], np.deg2rad(settings["start_rotation"])], 3)
    return matrix_of(parameters) @ matrix_of(spread * rng.standard_normal(6))


def _unit_peak(course: np.ndarray, smooth: float = 0.0) -> np.ndarray:
    """Start at 0 and reach 1 (or -1) at most, in each column."""
    course = ndimage.gaussian_filter1d(course, smooth, axis=0, mode="nearest") if smooth else course
    course = course - course[0]
    return course / np.maximum(np.abs(course).max(axis=0), 1e-9)
