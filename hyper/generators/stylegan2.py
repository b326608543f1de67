"""StyleGAN2 (Karras et al., 2020, arXiv:1912.04958), configurations E and F, with constant noise."""

from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer
from hyper.generators.fir import downsampled, upsampled
from hyper.generators.slabs import is_differentiated
from hyper.generators.stylegan import SLOPE, StyleGAN, StyleMapping, modulated

FILTER = (1, 3, 3, 1)
LEVELS = range(1, 10)  # 4 x 4 to 1024 x 1024


class StyleGAN2(StyleGAN):
    """Constant of 4 x 4 pixels -> L1 -> doubled up to the image, to which every block adds its colours.

    Parameters
    ----------
    mapping : StyleMapping
    channels : sequence of int
        Of the blocks, from 4 x 4 pixels upward. L1, L2, ... are their activations.
    clamp : float, optional
        Activations are clipped to this, as in training with half precision.
    psi, label
        As for `StyleGAN`.

    Raises
    ------
    GeneratorError
        When the structure is none of a StyleGAN2.
    """

    kind = "stylegan2"

    def __init__(
        self,
        mapping: StyleMapping,
        channels: Sequence[int],
        clamp: float | None,
        psi: float = 1,
        label: int | None = None,
    ) -> None:
        if len(channels) not in LEVELS or min(channels) < 1:
            raise GeneratorError("StyleGAN2", f"channels {list(channels)} is none", "Give one to nine blocks")
        blocks = [Layer(f"L{i + 1}", (c, 4 * 2**i, 4 * 2**i)) for i, c in enumerate(channels)]
        size = 2 * 2 ** len(channels)
        super().__init__(mapping, [*blocks, Layer("image", (3, size, size))], psi, label)
        self.channels, self.clamp = tuple(channels), clamp
        self.constant = nn.Parameter(torch.zeros(channels[0], 4, 4))
        self.first = ModulatedLayer(mapping.width, channels[0], channels[0], 4, clamp)
        self.pairs = nn.ModuleList(
            nn.ModuleList([
                ModulatedLayer(mapping.width, channels[i - 1], c, 4 * 2**i, clamp, up=2),
                ModulatedLayer(mapping.width, c, c, 4 * 2**i, clamp),
            ])
            for i, c in enumerate(channels) if i
        )  # fmt: skip
        self.colours = nn.ModuleList(ToColours(mapping.width, c, clamp) for c in channels)
        self.requires_grad_(False)
        self.eval()

    @property
    def style_count(self) -> int:
        """How many styles an image has, one after the other."""
        return 2 * len(self.channels)

    @property
    def structure(self) -> dict[str, Any]:
        """Numbers that, with the weights, describe the network."""
        return {"mapping": self.mapping.structure, "channels": list(self.channels), "clamp": self.clamp}

    @classmethod
    def of_structure(cls, structure: Mapping[str, Any], psi: float, label: int | None) -> Self:
        """Return the network that `structure` described, with weights of zero."""
        return cls(StyleMapping(**structure["mapping"]), structure["channels"], structure["clamp"], psi, label)

    def outputs(self, w: Tensor) -> Iterator[Tensor]:
        """Yield L1, L2, ... and the image, for styles of shape (n, style_count, width)."""
        x = self.first(self.constant.expand(len(w), -1, -1, -1), w[:, 0])
        yield x
        image = self.colours[0](x, w[:, 1])
        kernel = smoothing(w, gain=4)
        for number, (pair, colours) in enumerate(zip(self.pairs, list(self.colours)[1:], strict=True)):
            for layer, place in zip(pair.children(), (2 * number + 1, 2 * number + 2), strict=True):
                x = layer(x, w[:, place])
            yield x
            image = upsampled(image, kernel, 2, 2, 1) + colours(x, w[:, 2 * number + 3])
        yield image


class ModulatedLayer(nn.Module):
    """Modulated 3 x 3 convolution, doubling the size or not, constant noise, bias and leaky rectifier."""

    def __init__(self, width: int, before: int, after: int, size: int, clamp: float | None, up: int = 1) -> None:
        super().__init__()
        self.up, self.clamp = up, clamp
        self.affine = nn.Linear(width, before)
        self.weight = nn.Parameter(torch.zeros(after, before, 3, 3))
        self.noise = nn.Parameter(torch.zeros(size, size))
        self.bias = nn.Parameter(torch.zeros(after))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (n, before, size / up, size / up) and styles (n, width) to (n, after, size, size)."""
        x = x.contiguous(memory_format=torch.channels_last)  # large maps take half the time
        if self.up > 1:
            x = modulated(x, self.weight, self.affine(w), None, self.up)
            x = downsampled(functional.pad(x, (1, 1, 1, 1)), smoothing(w, gain=4), 1)
        else:
            x = modulated(x, self.weight, self.affine(w), None, padding=1)
        if is_differentiated(x):
            x = sqrt(2) * functional.leaky_relu(x + self.noise + self.bias[:, None, None], SLOPE)
            return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)
        x.add_(self.noise).add_(self.bias[:, None, None])
        x = functional.leaky_relu_(x, SLOPE).mul_(sqrt(2))
        return x if self.clamp is None else x.clamp_(-self.clamp, self.clamp)


class ToColours(nn.Module):
    """Modulated 1 x 1 convolution to red, green and blue."""

    def __init__(self, width: int, before: int, clamp: float | None) -> None:
        super().__init__()
        self.clamp = clamp
        self.affine = nn.Linear(width, before)
        self.weight = nn.Parameter(torch.zeros(3, before, 1, 1))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (n, before, size, size) and styles (n, width) to (n, 3, size, size)."""
        x = modulated(x, self.weight, self.affine(w), self.bias, demodulate=False)
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


def smoothing(like: Tensor, gain: float = 1) -> Tensor:
    """Low-pass filter of all resampling in StyleGAN2, shape (4, 4), of sum `gain`."""
    line = torch.tensor(FILTER, dtype=like.dtype, device=like.device) / sum(FILTER)
    return gain * line[:, None] * line
