"""MobileStyleGAN (Belousov, 2021, arXiv:2104.04767): a style network, depthwise convolutions and Haar wavelets."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer, check_latents
from hyper.generators.mapped import StyleNetwork
from hyper.generators.slabs import Slab, by_slabs, is_differentiated

EPSILON = 1e-8
SLOPE = 0.2
PSI = 0.7
STYLE_LAYERS = 8
_PARTS = 16


class MobileStyleGAN(StyleNetwork):
    """Latent z -> style w -> 4 x 4 -> doubled up to half the image -> wavelet coefficients of the image.

    Parameters
    ----------
    latent_dim : int
        Size of the latent and of the style.
    channels : sequence of int
        Of the blocks, from 4 x 4 pixels upward. L1, L2, ... are their activations. All but the last are multiples of
        four: each four channels are the wavelet coefficients of one channel at the double resolution.
    psi : float
        Truncation: the distance of a style from the mean style is multiplied by it.

    Raises
    ------
    GeneratorError
        When the structure is none of a MobileStyleGAN.
    """

    def __init__(self, latent_dim: int, channels: Sequence[int], psi: float = PSI) -> None:
        super().__init__()
        if len(channels) < 2 or min(latent_dim, *channels) < 1 or any(count % 4 for count in channels[:-1]):
            raise GeneratorError(
                "MobileStyleGAN", f"latent {latent_dim}, channels {list(channels)} is none",
                "Give two blocks or more, all but the last with a multiple of four channels",
            )  # fmt: skip
        self.latent_dim, self.channels, self.psi = latent_dim, tuple(channels), psi
        blocks = (Layer(f"L{i + 1}", (c, 4 * 2**i, 4 * 2**i)) for i, c in enumerate(channels))
        image = Layer("image", (3, self.resolution, self.resolution))
        self.layers = (Layer("latent", (latent_dim,)), Layer("w", (latent_dim,)), *blocks, image)
        self.mapping = nn.ModuleList(nn.Linear(latent_dim, latent_dim) for _ in range(STYLE_LAYERS))
        self.mean_style = nn.Parameter(torch.zeros(latent_dim))
        self.start = Start(latent_dim, channels[0])
        self.blocks = nn.ModuleList(
            Block(latent_dim, before, after, 8 * 2**index) for index, (before, after) in enumerate(pairwise(channels))
        )
        self.to_image = ToImage(latent_dim, channels[-1])
        self.requires_grad_(False)
        self.eval()

    @property
    def resolution(self) -> int:
        """Height and width of the image."""
        return 4 * 2 ** len(self.channels)

    def full_styles(self, z: Tensor) -> Tensor:
        """Styles before the truncation, shape (n, latent_dim), for latents of that shape."""
        check_latents(z, self.latent_dim)
        power = z.to(torch.promote_types(z.dtype, torch.float32)).square().mean(1, keepdim=True)
        w = (z * torch.rsqrt(power + EPSILON)).to(self.mean_style.dtype)
        for layer in self.mapping:
            w = sqrt(2) * functional.leaky_relu(layer(w), SLOPE)
        return w

    def styles(self, z: Tensor) -> Tensor:
        """Truncated styles, the layer ``w``: shape (n, latent_dim)."""
        return torch.lerp(self.mean_style, self.full_styles(z), self.psi)

    def as_synthesised(self, w: Tensor) -> Tensor:
        """Styles, shape (n, latent_dim), in the type of the weights.

        Raises
        ------
        GeneratorError
            When they have another size.
        """
        check_latents(w, self.latent_dim)
        return w.to(self.mean_style.dtype)

    def output(self, w: Tensor, index: int) -> Tensor:
        """Activation of L1 (1), L2 (2), ... or image, shape (n, channels, height, width)."""
        x = self.start(w)
        for block in self.blocks[: min(index, len(self.blocks)) - 1]:
            x = block(x, w)
        if index > len(self.channels):
            x = self.blocks[-1](x, w, self.to_image)
        elif index == len(self.channels):
            x = self.blocks[-1](x, w)
        return x.permute(0, 3, 1, 2)


class Start(nn.Module):
    """A constant of 4 x 4 pixels, its channels scaled by the style, and a 3 x 3 convolution."""

    def __init__(self, latent_dim: int, channels: int) -> None:
        super().__init__()
        self.constant = nn.Parameter(torch.zeros(channels, 4, 4))
        self.modulation = nn.Linear(latent_dim, channels)
        self.kernel = nn.Parameter(torch.zeros(channels, channels, 3, 3))
        self.noise = nn.Parameter(torch.zeros(4, 4))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, w: Tensor) -> Tensor:
        """Map styles to activations (n, 4, 4, channels)."""
        x = functional.conv2d(self.constant * self.modulation(w)[:, :, None, None], self.kernel, self.bias, padding=1)
        return functional.leaky_relu(x + self.noise, SLOPE).permute(0, 2, 3, 1).contiguous()


class Block(nn.Module):
    """Modulated channels are taken as wavelet coefficients of a doubled image; two modulated convolutions follow."""

    def __init__(self, latent_dim: int, before: int, after: int, size: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(latent_dim, before)
        self.conv1 = ModulatedConv(latent_dim, before // 4, after, size)
        self.conv2 = ModulatedConv(latent_dim, after, after, size)

    def forward(self, x: Tensor, w: Tensor, to_image: "ToImage | None" = None) -> Tensor:
        """Map (n, h, w, before) to (n, 2 h, 2 w, after), or with `to_image` to images (n, 4 h, 4 w, 3)."""
        scale = self.modulation(w)[:, None, None] / 2
        kernels1, kernels2 = self.conv1.kernels(w), self.conv2.kernels(w)
        kernels3 = w if to_image is None else to_image.kernels(w)

        def first(part: Tensor, slab: Slab) -> Tensor:
            return self.conv1(from_wavelets(part * scale), kernels1, _doubled(slab.rows), _doubled(slab.inner))

        def second(part: Tensor, slab: Slab) -> Tensor:
            part = self.conv2(part, kernels2, slab.rows, slab.inner)
            return part if to_image is None else to_image(part, kernels3)

        return by_slabs(second, by_slabs(first, x))


class ModulatedConv(nn.Module):
    """A depthwise 3 x 3 convolution and a 1 x 1 convolution whose inputs the style scales; noise, bias, leaky ReLU.

    The noise is part of the weights, one value per pixel. The scale of a channel passes through the depthwise
    convolution, so that it is applied to the kernel of the 1 x 1 convolution.
    """

    def __init__(self, latent_dim: int, before: int, after: int, size: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(latent_dim, before)
        self.depthwise = nn.Parameter(torch.zeros(before, 1, 3, 3))
        self.pointwise = nn.Parameter(torch.zeros(after, before))
        self.noise = nn.Parameter(torch.zeros(size, size))
        self.bias = nn.Parameter(torch.zeros(after))

    def kernels(self, w: Tensor) -> Tensor:
        """Kernels of the 1 x 1 convolution for each style, shape (n, after, before)."""
        return self.modulation(w)[:, None] * self.pointwise

    def forward(self, x: Tensor, kernels: Tensor, rows: slice, inner: slice) -> Tensor:
        """Map (n, height, width, before) to (n, inner rows, width, after); `rows` are these rows in the whole image."""
        y = functional.conv2d(x.permute(0, 3, 1, 2), self.depthwise, padding=1, groups=x.shape[3])
        y = _per_pixel(y.permute(0, 2, 3, 1)[:, inner], kernels, self.bias)
        y += self.noise[rows, :, None]
        return functional.leaky_relu_(y, SLOPE)


class ToImage(nn.Module):
    """Activations -> wavelet coefficients of the three colours, by a modulated 1 x 1 convolution -> image."""

    def __init__(self, latent_dim: int, before: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(latent_dim, before)
        self.pointwise = nn.Parameter(torch.zeros(12, before))
        self.bias = nn.Parameter(torch.zeros(12))

    def kernels(self, w: Tensor) -> Tensor:
        """Kernels for each style, shape (n, 12, before), halved for `from_wavelets`."""
        return self.modulation(w)[:, None] * self.pointwise / 2

    def forward(self, x: Tensor, kernels: Tensor) -> Tensor:
        """Map (n, height, width, before) to (n, 2 height, 2 width, 3)."""
        return from_wavelets(_per_pixel(x, kernels, self.bias / 2))


def from_wavelets(x: Tensor) -> Tensor:
    """Inverse Haar transform.

    Parameters
    ----------
    x : Tensor, shape (n, height, width, 4 c)
        Half of the coefficients: of the c channels first the means, then each channel's vertical, horizontal and
        diagonal step.

    Returns
    -------
    Tensor, shape (n, 2 height, 2 width, c)
    """
    n, height, width, channels = x.shape
    c = channels // 4
    mean, (vertical, horizontal, diagonal) = x[..., :c], x[..., c:].unflatten(3, (c, 3)).unbind(4)
    left, right = mean + horizontal, mean - horizontal
    out = x.new_empty(n, height, 2, width, 2, c)
    for column, level, step in ((0, left, vertical + diagonal), (1, right, vertical - diagonal)):
        for row, function in enumerate((torch.add, torch.sub)):
            place = out[:, :, row, :, column]
            if is_differentiated(x):
                place.copy_(function(level, step))
            else:
                function(level, step, out=place)
    return out.view(n, 2 * height, 2 * width, c)


def _per_pixel(x: Tensor, kernels: Tensor, bias: Tensor) -> Tensor:
    """1 x 1 convolution of (n, height, width, before) with a kernel for each image, shape (n, after, before)."""
    n, height, width, before = x.shape
    if n > 1 or x.device.type != "cpu" or height * width % _PARTS:
        return torch.baddbmm(bias, x.flatten(1, 2), kernels.transpose(1, 2)).unflatten(1, (height, width))
    # one image as many: torch then takes oneDNN, here twice as fast as its matrix product, on one thread too
    parts = x.reshape(_PARTS, 1, -1, before).permute(0, 3, 1, 2)
    return (
        functional.conv2d(parts, kernels[0, :, :, None, None], bias).permute(0, 2, 3, 1).reshape(1, height, width, -1)
    )


def _doubled(rows: slice) -> slice:
    return slice(2 * rows.start, 2 * rows.stop)
