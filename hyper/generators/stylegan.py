"""What StyleGAN2, StyleGAN3 and StyleGAN-XL have in common: latents to styles, and styles to each layer."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer, check_latents
from hyper.generators.mapped import StyleNetwork

EPSILON = 1e-8
SLOPE = 0.2


class StyleMapping(nn.Module):
    """Latent z, and the class where there are classes, to the style w.

    Parameters
    ----------
    widths : sequence of int
        Of the latent together with its class, of every hidden layer, and of the style.
    classes : int
        0 when the network knows none.
    label_width : int
        Numbers that stand for a class.
    class_means : bool
        Whether each class has a mean style of its own (StyleGAN-XL), or all have one.
    """

    def __init__(
        self, widths: Sequence[int], classes: int = 0, label_width: int = 0, class_means: bool = False
    ) -> None:
        super().__init__()
        self.structure = {
            "widths": list(widths), "classes": classes, "label_width": label_width, "class_means": class_means
        }  # fmt: skip
        self.latent_dim, self.width, self.classes = widths[0] - label_width, widths[-1], classes
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))
        self.labels = nn.Parameter(torch.zeros(classes, label_width))  # embedded and normalised
        self.means = nn.Parameter(torch.zeros(classes if class_means else 1, widths[-1]))

    def forward(self, z: Tensor, labels: Tensor | None) -> Tensor:
        """Styles before the truncation, shape (n, width), of latents (n, latent_dim) and classes (n,)."""
        x = unit_power(z.to(torch.promote_types(z.dtype, torch.float32))).to(self.means.dtype)
        if labels is not None:
            x = torch.cat([x, self.labels[labels]], 1)
        for layer in self.layers:
            x = sqrt(2) * functional.leaky_relu(layer(x), SLOPE)
        return x

    def mean_styles(self, labels: Tensor | None) -> Tensor:
        """Mean styles, shape (1, width), or (n, width) of classes (n,)."""
        return self.means if labels is None or len(self.means) == 1 else self.means[labels]


class StyleGAN(StyleNetwork):
    """A generator whose every layer is modulated by a style.

    Parameters
    ----------
    mapping : StyleMapping
    layers : sequence of Layer
        From the first that depends on styles to ``image``.
    psi : float
        Truncation: the distance of a style from the mean style, that of its class where it has one, is multiplied by
        it.
    label : int, optional
        Class of the images that are made of latents z.
    """

    kind = ""

    def __init__(self, mapping: StyleMapping, layers: Sequence[Layer], psi: float, label: int | None) -> None:
        super().__init__()
        self.latent_dim, self.psi = mapping.latent_dim, psi
        self.layers = (Layer("latent", (mapping.latent_dim,)), Layer("w", (mapping.width,)), *layers)
        self.mapping = mapping
        self.label: int | None = None
        if label is not None:
            self.choose_label(label)

    def choose_label(self, label: int) -> None:
        """Make images of this class where no other is given.

        Raises
        ------
        GeneratorError
            When the network has no such class.
        """
        classes = self.mapping.classes
        if not 0 <= label < classes:
            held = f"its {classes} classes are numbered from 0" if classes else "it knows no classes"
            raise GeneratorError("generators.label", f"the generator has no class {label}: {held}", "Correct it")
        self.label = label

    @property
    @abstractmethod
    def style_count(self) -> int:
        """How many styles an image has, one after the other."""

    @property
    @abstractmethod
    def structure(self) -> dict[str, Any]:
        """Numbers that, with the weights, describe the network: arguments of its class."""

    @classmethod
    @abstractmethod
    def of_structure(cls, structure: Mapping[str, Any], psi: float, label: int | None) -> Self:
        """Return the network that `structure` described, with weights of zero."""

    @abstractmethod
    def outputs(self, w: Tensor) -> Iterator[Tensor]:
        """Yield the activations of the layers after ``w``, for styles of shape (n, style_count, width)."""

    def full_styles(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Styles before the truncation, shape (n, width), for latents of shape (n, latent_dim)."""
        check_latents(z, self.latent_dim)
        return self.mapping(z, self._labels(len(z), labels, z.device))

    def styles(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Truncated styles, the layer ``w``.

        Parameters
        ----------
        z : Tensor, shape (n, latent_dim)
        labels : Tensor of int, shape (n,), optional
            Classes; that of the generator when not given.

        Returns
        -------
        Tensor, shape (n, width)

        Raises
        ------
        GeneratorError
            When the network needs a class and none is known.
        """
        check_latents(z, self.latent_dim)
        labels = self._labels(len(z), labels, z.device)
        return torch.lerp(self.mapping.mean_styles(labels), self.mapping(z, labels), self.psi)

    def _labels(self, count: int, labels: Tensor | None, device: torch.device) -> Tensor | None:
        if not self.mapping.classes:
            return None
        if labels is not None:
            return labels.to(device)
        if self.label is None:
            fault = f"the generator makes images of {self.mapping.classes} classes and none is chosen"
            raise GeneratorError("generators.label", fault, "Set it, or let the latent be the style w")
        return torch.full((count,), self.label, device=device)

    def as_synthesised(self, w: Tensor) -> Tensor:
        """Styles, one for each layer, shape (n, style_count, width), in the type of the weights.

        Parameters
        ----------
        w : Tensor, shape (n, width) or (n, style_count, width)
            Alike for all layers, or one for each.

        Raises
        ------
        GeneratorError
            When they have another size.
        """
        if w.ndim == 3 and w.shape[1:] != (self.style_count, self.mapping.width):
            due = f"(n, {self.style_count}, {self.mapping.width})"
            raise GeneratorError("styles", f"their shape is {tuple(w.shape)} where {due} is due", "Give one per layer")
        if w.ndim != 3:
            check_latents(w, self.mapping.width)
        w = w.to(self.mapping.means.dtype)
        return w if w.ndim == 3 else w[:, None].expand(-1, self.style_count, -1)

    def output(self, w: Tensor, index: int) -> Tensor:
        """Activation number `index`, counted from ``w``."""
        for number, activation in enumerate(self.outputs(w), 1):
            if number == index:
                return activation
        raise AssertionError("a network yields one activation per layer")


def unit_power(x: Tensor) -> Tensor:
    """Divide rows by their root mean square."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + EPSILON)


def modulated(
    x: Tensor, weight: Tensor, styles: Tensor, bias: Tensor | None, up: int = 1, demodulate: bool = True,
    gain: Tensor | float = 1.0, padding: int = 0,
) -> Tensor:  # fmt: skip
    """Convolve with kernels whose input channels are scaled by styles (Karras et al., 2020, arXiv:1912.04958).

    Parameters
    ----------
    x : Tensor, shape (n, before, height, width)
    weight : Tensor, shape (after, before, k, k)
    styles : Tensor, shape (n, before)
    bias : Tensor, shape (after,), optional
    up : int
        2 for a transposed convolution of this stride.
    demodulate : bool
        Whether each kernel is scaled to unit norm.
    gain : Tensor or float
        Factor after that.
    padding : int

    Returns
    -------
    Tensor, shape (n, after, ...)
    """
    n, before = styles.shape
    after = len(weight)
    kernels = weight * styles[:, None, :, None, None]
    if demodulate:
        kernels = kernels * torch.rsqrt(kernels.square().sum((2, 3, 4), keepdim=True) + EPSILON)
    kernels = kernels * gain
    if up > 1:
        kernels = kernels.transpose(1, 2)
    grouped = x.reshape(1, n * before, *x.shape[2:]) if n > 1 else x
    bias = bias.repeat(n) if bias is not None else None
    if up > 1:
        y = functional.conv_transpose2d(grouped, kernels.flatten(0, 1), bias, up, padding, groups=n)
    else:
        y = functional.conv2d(grouped, kernels.flatten(0, 1), bias, padding=padding, groups=n)
    return y.reshape(n, after, *y.shape[2:]) if n > 1 else y
