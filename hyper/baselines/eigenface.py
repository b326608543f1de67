"""Eigenfaces: faces as weights of principal components of pixels, the linear baseline of face reconstruction.

After Cowen, Chun & Kuhl (2014), NeuroImage 94, 12, with the sizes of Dado et al. (2022): 512 components of images of
64 x 64 pixels.
"""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from PIL import Image
from sklearn.decomposition import PCA

from hyper.decoding.ridge import RidgeDecoder
from hyper.errors import DataError
from hyper.generators.base import Generator
from hyper.generators.batches import images_uint8
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.seeds import generator_of
from hyper.responses.matrices import Responses

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

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Weights of the components in images of any size, uint8; shape (n, component)."""
        small = shrunk(images, len(self.mean)).astype(np.float64) - self.mean
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


def shrunk(images: np.ndarray, size: int) -> np.ndarray:
    """Bring 8-bit images to (size, size) pixels: bilinear, antialiased when smaller."""
    if images.shape[1:3] == (size, size):
        return images
    pictures = (Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR) for image in images)
    return np.stack([np.asarray(picture) for picture in pictures])


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


def small_images(generator: Generator, latents: np.ndarray, size: int, block: int = 64) -> np.ndarray:
    """Make images and shrink them, a block at a time; shape (n, size, size, 3), uint8."""
    starts = range(0, len(latents), block)
    return np.concatenate([shrunk(images_uint8(generator, latents[start : start + block]), size) for start in starts])


def fit_eigenface_decoder(eigenfaces: Eigenfaces, generator: Generator, responses: Responses) -> RidgeDecoder:
    """Learn by ridge regression, on the decoders' voxels and trials, the weights of the faces shown.

    Faces that were shown more than once are made once.
    """
    latents, trials = np.unique(responses.train_latents, axis=0, return_inverse=True)
    weights = eigenfaces.encode(small_images(generator, latents, len(eigenfaces.mean)))[trials.ravel()]
    decoder = RidgeDecoder(device="cpu")
    decoder.fit(
        responses.train, weights, scaling=(responses.mean, responses.std), series=responses.train_series
    )  # fmt: skip
    return decoder
