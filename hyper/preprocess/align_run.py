"""Alignment of a run's mean volume to that of the subject's first run."""

import logging

import numpy as np

from hyper.preprocess.motion import parameters_of
from hyper.preprocess.rigid import Level, Reference, align_volume

_log = logging.getLogger(__name__)


def align_run(
    reference: np.ndarray,
    reference_affine: np.ndarray,
    boldref: np.ndarray,
    affine: np.ndarray,
    *,
    smoothing_mm: float = 5.0,
    spacing_mm: float = 3.0,
    informative_share: float = 0.25,
    tolerance_mm: float = 0.01,
    seed: int = 0,
    name: str = "boldref",
) -> np.ndarray:
    """Return the rigid matrix between the mean volumes of two runs.

    Starts from the scanner's coordinates, at four times the smoothing, so that a head that moved by some centimetres
    between runs is found.

    Parameters
    ----------
    reference : ndarray, shape (x, y, z)
        Mean volume of the subject's first run.
    reference_affine : ndarray, shape (4, 4)
    boldref : ndarray, shape (x, y, z)
        Mean volume of the run; its grid may differ.
    affine : ndarray, shape (4, 4)
    smoothing_mm, spacing_mm, informative_share, tolerance_mm, seed
        As for `hyper.preprocess.realign.realign_run`.
    name : str
        Name of the reference, for messages.

    Returns
    -------
    ndarray, shape (4, 4)
        World of the reference to world of the run's mean volume; the identity when both are one volume.
    """
    if np.array_equal(reference_affine, affine) and np.array_equal(reference, boldref, equal_nan=True):
        return np.eye(4)
    levels = [
        Level(4 * smoothing_mm, 3 * spacing_mm, 10 * tolerance_mm, 40),
        Level(2 * smoothing_mm, 2 * spacing_mm, 5 * tolerance_mm, 30),
        Level(smoothing_mm, spacing_mm, tolerance_mm, 30),
    ]
    references = [Reference(reference, reference_affine, level, informative_share, seed, name) for level in levels]
    matrix = align_volume(references, boldref, affine, np.eye(4)).pose
    found = parameters_of(matrix)
    _log.info("%s: the run lies %s mm and %s rad away", name, found[:3].round(2), found[3:].round(4))
    return matrix
