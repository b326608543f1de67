"""Eigenfaces: faces as weights of principal components of pixels, the linear baseline of face reconstruction.

After Cowen, Chun & Kuhl (2014), NeuroImage 94, 12, with the sizes of Dado et al. (2022): 512 components of images of
64 x 64 pixels.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from sklearn.decomposition import PCA

from hyper.baselines.images import shrunk, small_images
from hyper.errors import DataError
from hyper.generators.base import Generator
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.seeds import generator_of

NAME, CEILING = "eigenface", "eigenface-model"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Eigenfaces:
    """Principal components of images.

    Attributes
    ----------
    mean : ndarray, shape (size, size, 3)
        Mean image, 0 to 255.
    components : ndarray, shape (component, size, size, 3)
        Of length 1, in the order of the variance they explain.
    """

    mean: np.ndarray
    components: np.ndarray

    @classmethod
    def learn(cls, images: np.ndarray, components: int) -> Self:
        """Find the components of images, shape (n, size, size, 3), uint8; at most n - 1 of them.

        Raises
        ------
        DataError
            When there are fewer than two images.
        """
        if len(images) < 2:
            raise DataError("baselines.eigenface", f"{len(images)} images have no components", "Give more images")
        count = min(components, len(images) - 1, images[0].size)
        if count < components:
            _log.warning("%d images have %d components, not %d", len(images), count, components)
        pca = PCA(count, svd_solver="full").fit(images.reshape(len(images), -1).astype(np.float32))
        _log.info("%d components explain %.3f of the variance", count, pca.explained_variance_ratio_.sum())
        shape = images.shape[1:]
        return cls(pca.mean_.reshape(shape), pca.components_.reshape(-1, *shape))

    @property
    def size(self) -> int:
        """Height and width of the images it works with."""
        return len(self.mean)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Weights of the components in images of any size, uint8; shape (n, component)."""
        small = shrunk(images, self.size).astype(np.float64) - self.mean
        return small.reshape(len(images), -1) @ self.components.reshape(len(self.components), -1).T

    def images(self, weights: np.ndarray, size: int) -> np.ndarray:
        """Images of weights, brought to a size; shape (n, size, size, 3), uint8."""
        flat = weights @ self.components.reshape(len(self.components), -1).astype(np.float64)
        pictures = flat.reshape(-1, *self.mean.shape) + self.mean
        return shrunk(np.rint(pictures).clip(0, 255).astype(np.uint8), size)

    def save(self, path: str | Path) -> None:
        """Write HDF5 with named dimensions."""
        dimensions = ("row", "column", "rgb")
        write_arrays(
            path, {"mean": (self.mean, dimensions), "components": (self.components, ("component", *dimensions))}
        )

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote."""
        return cls(**read_arrays(path, ["mean", "components"])[0])


def faces_to_learn(generator: Generator, latents: np.ndarray, count: int, size: int, seed: int) -> np.ndarray:
    """Small images of the training stimuli and, until there are `count`, of latents drawn from N(0, I).

    Parameters
    ----------
    generator : Generator
        One whose latents cannot be drawn makes the training stimuli alone.
    latents : ndarray, shape (trial, latent)
        Of training trials.
    count : int
    size : int
        Height and width of the images.
    seed : int

    Returns
    -------
    ndarray of uint8, shape (n, size, size, 3)
    """
    wanted = np.unique(latents, axis=0)
    if len(wanted) < count and getattr(generator, "normal_latents", True):
        drawn = generator_of(seed, "eigenfaces").standard_normal((count - len(wanted), latents.shape[1]))
        wanted = np.concatenate([wanted, drawn])
    return small_images(generator, wanted, size)
