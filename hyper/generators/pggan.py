"""PGGAN (Karras et al., 2018): progressively grown up-scaling blocks with pixel normalisation."""

from collections.abc import Sequence
from itertools import pairwise
from math import floor
from typing import Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer, check_latents, layer_index
from hyper.generators.upscale import UpscaledConv

EPSILON = 1e-8
SLOPE = 0.2
LEVELS = range(2, 10)  # 8 x 8 to 1024 x 1024 pixels


class PGGAN(nn.Module):
    """Latent -> 4 x 4 -> doubled up to the image; the equalised learning rate is folded into the weights.

    Parameters
    ----------
    latent_dim : int
    channels : sequence of int
        Of the blocks, from 4 x 4 pixels upward: two (8 x 8) to nine (1024 x 1024). L1, L2, ... are their
        activations, after the pixel normalisation.
    lod : float
        Level of detail as in Karras' training: 0 for the full network. At N = floor(lod) the image is that of the
        block N below the top, faded by lod - N into the block below it, and enlarged to full size.

    Raises
    ------
    GeneratorError
        When the structure is none of a PGGAN.
    """

    def __init__(self, latent_dim: int, channels: Sequence[int], lod: float = 0.0) -> None:
        super().__init__()
        if len(channels) not in LEVELS or min(latent_dim, *channels) < 1 or not 0 <= lod < float("inf"):
            raise GeneratorError(
                "PGGAN", f"latent {latent_dim}, channels {list(channels)}, lod {lod} is no PGGAN",
                "Give two to nine blocks and a level of detail of 0 or more",
            )  # fmt: skip
        self.latent_dim, self.channels = latent_dim, tuple(channels)
        self.lod = min(float(lod), len(channels) - 1.0)
        blocks = (Layer(f"L{i + 1}", (c, 4 * 2**i, 4 * 2**i)) for i, c in enumerate(channels))
        image = Layer("image", (3, self.resolution, self.resolution))
        self.layers = (Layer("latent", (latent_dim,)), *blocks, image)
        self.dense = nn.Linear(latent_dim, 16 * channels[0])
        self.convs = nn.ModuleList([nn.Conv2d(channels[0], channels[0], 3, padding=1)])
        for before, after in pairwise(channels):
            self.convs += [UpscaledConv(before, after), nn.Conv2d(after, after, 3, padding=1)]
        self.rgb = nn.ModuleList(nn.Conv2d(channels[level], 3, 1) for level in self.rgb_levels)
        self.requires_grad_(False)
        self.eval()

    @property
    def resolution(self) -> int:
        """Height and width of the image."""
        return 4 * 2 ** (len(self.channels) - 1)

    @property
    def rgb_levels(self) -> tuple[int, ...]:
        """Blocks whose images are needed: one, or two that fade into each other, the finer first."""
        level = len(self.channels) - 1 - floor(self.lod)
        return (level, level - 1) if self.lod % 1 else (level,)

    def channels_last(self) -> Self:
        """Keep weights and activations with the channels last, which is faster on some devices."""
        return channels_last(self)

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of `layer`, shape (n, *shape of the layer), computing no more of the network than it needs.

        Raises
        ------
        GeneratorError
            When there is no such layer, or the latents have another size.
        """
        check_latents(z, self.latent_dim)
        index = layer_index(self.layers, layer)
        if layer == "image":
            return self.images(z)
        return z if layer == "latent" else self._climb(z, index - 1)[0]

    def images(self, z: Tensor) -> Tensor:
        """RGB images, shape (n, 3, height, width); the network does not clip them to [-1, 1]."""
        check_latents(z, self.latent_dim)
        top, below = self._climb(z, self.rgb_levels[0])
        image = self.rgb[0](top)
        if len(self.rgb) == 2:
            faded = functional.interpolate(self.rgb[1](below), scale_factor=2.0)
            image = torch.lerp(image, faded, self.lod % 1)
        times = self.resolution // image.shape[-1]
        return functional.interpolate(image, scale_factor=float(times)) if times > 1 else image

    def forward(self, z: Tensor) -> Tensor:
        """Same as `images`."""
        return self.images(z)

    def _climb(self, z: Tensor, level: int) -> tuple[Tensor, Tensor]:
        """Activations of the blocks `level` and `level` - 1."""
        x = self.dense(_pixel_norm(z).to(self.dense.weight.dtype)).unflatten(1, (self.channels[0], 4, 4))
        x = below = self._convolve(_activate(x), 0)
        for block in range(1, level + 1):
            below = x
            x = self._convolve(below, 2 * block - 1)
            x = self._convolve(x, 2 * block)
        return x, below

    def _convolve(self, x: Tensor, index: int) -> Tensor:
        return _activate(self.convs[index](x))


Network = TypeVar("Network", bound=nn.Module)


def channels_last(network: Network) -> Network:
    """Keep the kernels, and with them the activations, with the channels last."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network


def _activate(x: Tensor) -> Tensor:
    return _pixel_norm(functional.leaky_relu(x, SLOPE))


def _pixel_norm(x: Tensor) -> Tensor:
    """Scale every pixel to a root mean square of 1 over the channels; the mean is taken in single precision."""
    power = x.to(torch.promote_types(x.dtype, torch.float32)).square().mean(1, keepdim=True)
    return x * torch.rsqrt(power + EPSILON).to(x.dtype)
