"""What every generator offers, and the images it makes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError


@dataclass(frozen=True)
class Layer:
    """A place in the network at which it can be read.

    Attributes
    ----------
    name : str
    shape : tuple of int
        Of the activation of one image, without the batch.
    """

    name: str
    shape: tuple[int, ...]


@runtime_checkable
class Generator(Protocol):
    """A torch module from latents to images, differentiable, on any device, with frozen weights.

    Attributes
    ----------
    latent_dim : int
    layers : tuple of Layer
        In the order of computation; the first is ``latent``, the latent itself.
    """

    @property
    def latent_dim(self) -> int:  # noqa: D102
        ...

    @property
    def layers(self) -> tuple[Layer, ...]:  # noqa: D102
        ...

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of one layer, shape (n, *shape of the layer), for latents of shape (n, latent_dim)."""
        ...

    def images(self, z: Tensor) -> Tensor:
        """RGB images in [-1, 1], shape (n, 3, height, width), for latents of shape (n, latent_dim)."""
        ...

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """The weights."""
        ...

    def to(self, device: torch.device) -> Self:
        """Move to a device."""
        ...


def layer_index(layers: tuple[Layer, ...], name: str) -> int:
    """Return the place of a layer among a generator's.

    Raises
    ------
    GeneratorError
        When there is no such layer.
    """
    names = [layer.name for layer in layers]
    if name not in names:
        raise GeneratorError("layer", f"there is none called {name!r}", f"Choose one of {', '.join(names)}")
    return names.index(name)


def check_latents(z: Tensor, latent_dim: int) -> None:
    """Refuse latents of another shape than (n, latent_dim).

    Raises
    ------
    GeneratorError
    """
    if z.ndim != 2 or z.shape[1] != latent_dim:
        raise GeneratorError(
            "latents",
            f"their shape is {tuple(z.shape)} where (n, {latent_dim}) is due",
            "Give the latents this generator made the stimuli from, or set generators.generator",
        )


def check_normal_latents(generator: Generator) -> None:
    """Refuse a generator whose latents are not drawn from N(0, I), where latents are to be drawn.

    Raises
    ------
    GeneratorError
    """
    if not getattr(generator, "normal_latents", True):
        raise GeneratorError(
            "generator", "its latents are styles, which cannot be drawn from N(0, I)",
            "Give the generator that maps normal latents to them: random-face instead of random-face-w, or "
            "generators.latent: z",
        )  # fmt: skip


def rounded_uint8(images: np.ndarray) -> np.ndarray:
    """Round images (n, 3, height, width) in [-1, 1] to 8 bits (n, height, width, 3): clip(rint(127.5 x + 127.5))."""
    scaled = np.rint(images.astype(np.float32) * np.float32(127.5) + np.float32(127.5))
    return np.ascontiguousarray(np.clip(scaled, 0, 255).astype(np.uint8).transpose(0, 2, 3, 1))
