"""What removing voxels changes in the latents: linear decoders need no new product with their whole matrix."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.covariance import ledoit_wolf

from hyper.decoding.linear import LinearDecoder
from hyper.mapping.neighbourhoods import members_of

Removal = Literal["mean", "conditional"]


@dataclass(frozen=True)
class Removed:
    """What takes the place of removed voxels, as its distance from what was measured.

    Attributes
    ----------
    values : ndarray, shape (stimulus, voxel)
        Scaled responses; with a `precision`, their product with it.
    precision : ndarray, shape (voxel, voxel), optional
        Inverse covariance of the scaled training responses.
    """

    values: np.ndarray
    precision: np.ndarray | None = None

    def distance(self, voxels: np.ndarray) -> np.ndarray:
        """Measured responses less what replaces them, shape (stimulus, voxel of `voxels`)."""
        if self.precision is None:
            return self.values[:, voxels]
        return np.linalg.solve(self.precision[np.ix_(voxels, voxels)], self.values[:, voxels].T).T


def removal(kind: Removal, test: np.ndarray, train: np.ndarray) -> Removed:
    """Prepare the removal of voxels.

    Parameters
    ----------
    kind : {'mean', 'conditional'}
        What takes the place of removed voxels: their training mean, which is zero after scaling, or their expectation
        given the voxels that remain, under a normal distribution with the covariance of the training responses, shrunk
        as by Ledoit & Wolf (2004, J Multivar Anal 88, 365).
    test, train : ndarray, shape (stimulus or trial, voxel)
        Scaled by the training trials.

    Notes
    -----
    With P the inverse covariance, E[x_S | x_R] = x_S - inv(P_SS) (P x)_S, whatever the rest R: the inverse is taken
    once, and each cube S solves a small system.
    """
    test = np.asarray(test, np.float64)
    if kind == "mean":
        return Removed(test)
    covariance, _ = ledoit_wolf(np.asarray(train, np.float64), assume_centered=True)
    precision = np.linalg.inv(covariance)
    return Removed(test @ precision, precision)


def latent_updates(decoder: LinearDecoder, removed: Removed, cubes: np.ndarray) -> np.ndarray:
    """Return what each removal takes away from each latent: W_S (x_S - replaced x_S).

    Parameters
    ----------
    decoder : LinearDecoder
    removed : Removed
        Of responses that this decoder's scaling was applied to.
    cubes : ndarray of int, shape (cube, largest)
        From `neighbourhoods.cubes`.

    Returns
    -------
    ndarray of float32, shape (cube, stimulus, latent)
    """
    columns = np.ascontiguousarray(decoder.weight.T, np.float32)
    found = np.empty((len(cubes), len(removed.values), columns.shape[1]), np.float32)
    values = Removed(np.asarray(removed.values, np.float32)) if removed.precision is None else removed
    for number, cube in enumerate(cubes):
        voxels = members_of(cube)
        np.matmul(values.distance(voxels).astype(np.float32, copy=False), columns[voxels], out=found[number])
    return found


def scaled_of(decoder: LinearDecoder, responses: np.ndarray) -> np.ndarray:
    """Responses, shape (stimulus, voxel), scaled as the decoder scales them."""
    return (np.asarray(responses, np.float64) - decoder.mean) / decoder.std


def same_scaling(decoders: Sequence[LinearDecoder]) -> bool:
    """Whether all decoders scale the voxels alike."""
    first, *rest = decoders
    return all(np.array_equal(first.mean, own.mean) and np.array_equal(first.std, own.std) for own in rest)
