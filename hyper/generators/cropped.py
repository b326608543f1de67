"""A generator whose images are cropped and made smaller."""

from collections.abc import Iterator
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Generator

Crop = tuple[int, int, int, int]


class Cropped:
    """A generator whose images are cropped to a square and averaged over squares of pixels.

    Parameters
    ----------
    generator : Generator
    size : int
        Edge of the images.
    crop : tuple of int, optional
        Left, top, right and bottom, pixels of the generator's images; the whole image when not given.
    """

    def __init__(self, generator: Generator, size: int, crop: Crop | None = None) -> None:
        self.generator, self.size, self.crop = generator, size, crop
        self.latent_dim, self.layers = generator.latent_dim, generator.layers

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of a layer; only images are cropped."""
        return self.images(z) if layer == "image" else self.generator.activations(z, layer)

    def images(self, z: Tensor) -> Tensor:
        """RGB images, shape (n, 3, size, size).

        Raises
        ------
        GeneratorError
            When the crop is not within the image, is no square, or not a multiple of the size.
        """
        x = self.generator.images(z)
        height, width = x.shape[2:]
        self.crop = self.crop or (0, 0, width, height)
        left, top, right, bottom = self.crop
        if not (0 <= left < right <= width and 0 <= top < bottom <= height) or right - left != bottom - top:
            fault = f"{self.crop} is no square within the image of {width} x {height} pixels"
            raise GeneratorError("crop", fault, "Give left, top, right, bottom")
        times, rest = divmod(right - left, self.size)
        if rest:
            fault = f"{right - left} pixels cannot be averaged to {self.size}"
            raise GeneratorError("crop", fault, f"Give a crop of a multiple of {self.size} pixels, or another size")
        return functional.avg_pool2d(x[:, :, top:bottom, left:right], times)

    def parameters(self) -> Iterator[nn.Parameter]:
        """The weights."""
        return self.generator.parameters()

    def to(self, device: torch.device) -> Self:
        """Move to a device."""
        self.generator = self.generator.to(device)
        return self
