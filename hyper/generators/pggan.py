"""PGGAN (Karras et al., 2018): progressively grown up-scaling blocks with pixel normalisation."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import floor
from typing import Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer, check_latents, layer_index
from hyper.generators.strips import SLOPE as SLOPE
from hyper.generators.strips import Block, Read, activate, climb, pixel_norm
from hyper.generators.upscale import UpscaledConv

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
        for parameter in self.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return self

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
        return z if layer == "latent" else self._climb(z, {index - 1: lambda block: block})[index - 1]

    def images(self, z: Tensor) -> Tensor:
        """RGB images, shape (n, 3, height, width); the network does not clip them to [-1, 1]."""
        check_latents(z, self.latent_dim)
        painted = self._climb(z, dict(zip(self.rgb_levels, self.rgb, strict=False)))
        image, *below = (painted[level] for level in self.rgb_levels)
        if below:
            image = torch.lerp(image, functional.interpolate(below[0], scale_factor=2.0), self.lod % 1)
        times = self.resolution // image.shape[-1]
        return functional.interpolate(image, scale_factor=float(times)) if times > 1 else image

    def forward(self, z: Tensor) -> Tensor:
        """Same as `images`."""
        return self.images(z)

    def _climb(self, z: Tensor, reads: Mapping[int, Read]) -> dict[int, Tensor]:
        """What each of `reads` makes of the activation of the block that it is meant for."""
        x = self.dense(pixel_norm(z).to(self.dense.weight.dtype)).unflatten(1, (self.channels[0], 4, 4))
        x = activate(self.convs[0](activate(x)))
        blocks = cast(list[Block], list(zip(self.convs[1::2], self.convs[2::2], strict=True))[: max(reads)])
        if x.device.type == "cpu" and not self._needs_gradients(x):
            last = cast(Tensor, self.convs[0].weight).is_contiguous(memory_format=torch.channels_last)
            return climb(x, blocks, reads, torch.channels_last if last else torch.contiguous_format)
        found = {}
        for number in range(max(reads) + 1):
            if number:
                for layer in blocks[number - 1]:
                    x = activate(layer(x))
            if number in reads:
                found[number] = reads[number](x)
        return found

    def _needs_gradients(self, x: Tensor) -> bool:
        return torch.is_grad_enabled() and (
            x.requires_grad or any(weight.requires_grad for weight in self.parameters())
        )
