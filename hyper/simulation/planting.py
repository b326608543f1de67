"""Responses planted in occipito-temporal grey matter: a mean and a linear function of the latent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage, sparse

from hyper.errors import DataError
from hyper.io.seeds import generator_of

_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class Tuning:
    """How voxels respond to a latent z: ``mean + weights @ z`` percent of the signal, at the peak of the response.

    Attributes
    ----------
    mean : ndarray, shape (voxel,), float32
    weights : ndarray, shape (voxel, latent), float32
    """

    mean: np.ndarray
    weights: np.ndarray

    def responses(self, latents: np.ndarray, shown: np.ndarray, null: float) -> np.ndarray:
        """Responses of trials.

        Parameters
        ----------
        latents : ndarray, shape (stimulus, latent)
        shown : ndarray of int, shape (trial,)
            Number of the image; 0 is a null trial.
        null : float
            Response to a null trial as a share of `mean`.

        Returns
        -------
        ndarray, shape (trial, voxel), float32
            Percent of the signal.
        """
        faces = shown > 0
        result = np.tile(self.mean * np.float32(null), (len(shown), 1)).astype(np.float32)
        result[faces] = self.mean + latents[shown[faces] - 1].astype(np.float32) @ self.weights.T
        return result


def draw_tuning(
    ijk: np.ndarray,
    spacing: float,
    grey_matter: np.ndarray,
    blur: sparse.csr_matrix,
    latent_dim: int,
    settings: Mapping[str, Any],
    seed: int,
    subject: str,
) -> tuple[Tuning, Tuning]:
    """Draw the tuning of every planted voxel.

    Parameters
    ----------
    ijk : ndarray of int, shape (voxel, 3)
        Indices in the grid of the head.
    spacing : float
        Of that grid, mm.
    grey_matter : ndarray, shape (voxel,)
        Probability.
    blur : sparse matrix, shape (voxel, voxel)
        From `spline_blur`.
    latent_dim : int
    settings : mapping
        Settings simulation.response: mean, spread, unevenness, smoothness.
    seed : int
        The study's seed.
    subject : str
        Label.

    Returns
    -------
    nodes : Tuning
        Of the grid's spline coefficients, from which volumes are made.
    planted : Tuning
        Of the signal at those places: what an ideal measurement would find.
    """
    if not len(ijk):
        raise DataError("simulation.response", "no voxel of grey matter lies in any region", "Lower grey_matter")
    rng = generator_of(seed, "simulation", "tuning", subject)
    box = ijk - ijk.min(axis=0) + 1
    sigma = settings["smoothness"] / _FWHM_PER_SIGMA / spacing
    weights = np.empty((len(ijk), latent_dim), np.float32)
    for column in range(latent_dim):
        white = rng.standard_normal(box.max(axis=0) + 2, dtype=np.float32)
        weights[:, column] = ndimage.gaussian_filter(white, sigma, mode="nearest")[tuple(box.T)]
    strength = grey_matter * np.exp(settings["unevenness"] * rng.standard_normal(len(ijk)))
    weights *= (strength / np.linalg.norm(weights, axis=1))[:, None].astype(np.float32)
    mean = blur @ strength
    spread = np.linalg.norm(blur @ weights, axis=1)
    weights *= np.float32(settings["spread"] / spread.mean()) if spread.mean() > 0 else 0
    nodes = Tuning((strength * settings["mean"] / mean.mean()).astype(np.float32), weights)
    planted = Tuning((blur @ nodes.mean).astype(np.float32), (blur @ weights).astype(np.float32))
    return nodes, planted


def spline_blur(flat: np.ndarray, shape: tuple[int, ...], coefficients: np.ndarray) -> sparse.csr_matrix:
    """How relative changes of spline coefficients appear in the signal at the same places.

    The signal at a node is a weighted mean of the 27 coefficients around it; a coefficient raised by x percent raises
    the signal by x times its share of it.

    Parameters
    ----------
    flat : ndarray of int, shape (voxel,)
        Flat indices of the nodes that change.
    shape : tuple of int
        Of the grid.
    coefficients : ndarray, shape (x, y, z)
        Cubic B-spline coefficients of the signal.

    Returns
    -------
    sparse matrix, shape (voxel, voxel)
    """
    place = np.full(int(np.prod(shape)), -1)
    place[flat] = np.arange(len(flat))
    ijk = np.array(np.unravel_index(flat, shape))
    values = coefficients.ravel()
    signal = np.zeros(len(flat))
    rows, columns, entries = [], [], []
    for offset in np.ndindex(3, 3, 3):
        step = np.array(offset) - 1
        neighbour = np.ravel_multi_index(tuple(ijk + step[:, None]), shape, mode="clip")
        weight = np.prod(np.where(step == 0, 4 / 6, 1 / 6))
        share = weight * values[neighbour]
        signal += share
        known = place[neighbour] >= 0
        rows.append(np.flatnonzero(known))
        columns.append(place[neighbour][known])
        entries.append(share[known])
    matrix = sparse.coo_matrix(
        (np.concatenate(entries), (np.concatenate(rows), np.concatenate(columns))), shape=(len(flat), len(flat))
    )
    return sparse.diags(1 / signal) @ matrix.tocsr()
