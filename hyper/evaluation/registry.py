"""The registry of metrics: what a metric is, and what its values mean."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

Source = Literal["latents", "images", "features", "attributes"]
ScoreFunction = Callable[[np.ndarray, np.ndarray], "Scores"]
Chance = Callable[[int], float]


@dataclass(frozen=True)
class Scores:
    """Score of every prediction for every stimulus.

    Attributes
    ----------
    matrix : ndarray, shape (n, n)
        Of prediction j for stimulus i.
    unit : float
        What the matrix is to be divided by. Identification keeps whole and half counts, so that ties are exact; a
        distance is kept negative, so that more is better in every matrix, and has the unit -1.
    """

    matrix: np.ndarray
    unit: float = 1.0


@dataclass(frozen=True)
class Metric:
    """A metric and what its values mean.

    Attributes
    ----------
    name : str
    source : {'latents', 'images', 'features', 'attributes'}
        What it compares: latents, shape (n, latent); images, shape (n, height, width, 3), uint8; features of the images
        by a face network, shape (n, feature); or scores on attributes, shape (n, attribute).
    scores : callable
    definition : str
        Formula and source, in words.
    chance : callable or None
        What is expected by chance by definition, given the number of stimuli; None: the mean over all assignments of
        predictions to stimuli.
    least : int
        Stimuli below which it is not defined.
    alone : bool
        Whether a stimulus's score depends on its own prediction only, not on the other stimuli.
    ceiling : float
        Value of a perfect prediction.
    """

    name: str
    source: Source
    scores: ScoreFunction
    definition: str
    chance: Chance | None = None
    least: int = 1
    alone: bool = True
    ceiling: float = 1.0


METRICS: dict[str, Metric] = {}


def metric(
    source: Source, least: int = 1, alone: bool = True, ceiling: float = 1.0
) -> Callable[[ScoreFunction], ScoreFunction]:
    """Enter a function in the registry under its own name; its docstring is the definition."""

    def register(function: ScoreFunction) -> ScoreFunction:
        name = function.__name__
        enter(Metric(name, source, function, function.__doc__ or "", least=least, alone=alone, ceiling=ceiling))
        return function

    return register


def enter(entry: Metric) -> None:
    """Enter a metric; a name that is taken is an error of the program."""
    if entry.name in METRICS:
        raise ValueError(f"there are two metrics called {entry.name}")
    METRICS[entry.name] = entry
