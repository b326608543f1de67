"""What baselines share that describe a face by numbers of their own, not by latents of the generator."""

from typing import Protocol

import numpy as np
from PIL import Image

from hyper.decoding.ridge import RidgeDecoder
from hyper.generators.base import Generator
from hyper.generators.batches import images_uint8
from hyper.responses.matrices import Responses


class FaceModel(Protocol):
    """Faces as numbers, and back."""

    @property
    def size(self) -> int:
        """Height and width of the images it works with."""
        ...

    def encode(self, images: np.ndarray) -> np.ndarray:
        """Numbers, shape (n, number), of images of any size, uint8 (n, height, width, 3)."""
        ...

    def images(self, numbers: np.ndarray, size: int) -> np.ndarray:
        """Images of numbers, brought to a size: uint8 (n, size, size, 3)."""
        ...


def shrunk(images: np.ndarray, size: int) -> np.ndarray:
    """Bring 8-bit images to (size, size) pixels: bilinear, antialiased when smaller."""
    if images.shape[1:3] == (size, size):
        return images
    pictures = (Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR) for image in images)
    return np.stack([np.asarray(picture) for picture in pictures])


def small_images(generator: Generator, latents: np.ndarray, size: int, block: int = 64) -> np.ndarray:
    """Make images and shrink them, a block at a time; shape (n, size, size, 3), uint8."""
    starts = range(0, len(latents), block)
    return np.concatenate([shrunk(images_uint8(generator, latents[start : start + block]), size) for start in starts])


def fit_face_decoder(model: FaceModel, generator: Generator, responses: Responses) -> RidgeDecoder:
    """Learn by ridge regression, on the decoders' voxels and trials, a model's numbers of the faces shown.

    Faces that were shown more than once are made once.
    """
    latents, trials = np.unique(responses.train_latents, axis=0, return_inverse=True)
    numbers = model.encode(small_images(generator, latents, model.size))[trials.ravel()]
    decoder = RidgeDecoder(device="cpu")
    decoder.fit(
        responses.train, numbers, scaling=(responses.mean, responses.std), series=responses.train_series
    )  # fmt: skip
    return decoder


def decode_faces(
    model: FaceModel, decoder: RidgeDecoder, responses: Responses, stimuli: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return images decoded from the test responses, and the stimuli passed through the model: its ceiling.

    Parameters
    ----------
    model : FaceModel
    decoder : RidgeDecoder
        Of `fit_face_decoder`.
    responses : Responses
    stimuli : ndarray of uint8, shape (stimulus, size, size, 3)

    Returns
    -------
    decoded, passed : ndarray of uint8, shape (stimulus, size, size, 3)
    """
    size = stimuli.shape[1]
    decoded = model.images(decoder.decode(responses.test, responses.test_repeats), size)
    return decoded, model.images(model.encode(stimuli), size)
