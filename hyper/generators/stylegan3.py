"""StyleGAN3 (Karras et al., 2021, arXiv:2106.12423), T and R, and StyleGAN-XL (Sauer et al., 2022, arXiv:2202.00273).

StyleGAN-XL has StyleGAN3's layers, those of its super-resolution stages following those of its stem.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import pi, sqrt
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer
from hyper.generators.fir import filtered_rectifier, lowpass
from hyper.generators.stylegan import StyleGAN, StyleMapping, modulated

MARGIN = 10
_LIMITS = {"channels": 8192, "size": 4096, "taps": 128, "kernel": 7}


@dataclass(frozen=True)
class Signal:
    """What is sampled how: frequencies are in cycles per image.

    Attributes
    ----------
    channels : int
    size : int
        Pixels along an edge, margins included.
    rate : int
        Sampling rate: pixels along the edge of the image itself.
    cutoff : float
        Highest frequency.
    half_width : float
        Of the transition band around it.
    """

    channels: int
    size: int
    rate: int
    cutoff: float
    half_width: float


@dataclass(frozen=True)
class AliasFree:
    """A layer from one signal to another.

    Attributes
    ----------
    before, after : Signal
    rate : int
        Sampling rate at which the rectifier acts.
    kernel : int
        Edge of the convolution's kernel.
    up_taps, down_taps : int
        Lengths of the filters before and after the rectifier.
    radial : bool
        Whether the second is radially symmetric.
    clamp : float or None
        Activations are clipped to this.
    colours : bool
        Whether it is the last layer, which has no rectifier.
    """

    before: Signal
    after: Signal
    rate: int
    kernel: int
    up_taps: int
    down_taps: int
    radial: bool
    clamp: float | None
    colours: bool

    @classmethod
    def of_mapping(cls, fields: Mapping[str, Any]) -> Self:
        """Return the layer that ``dataclasses.asdict`` described."""
        return cls(**{**fields, "before": Signal(**fields["before"]), "after": Signal(**fields["after"])})

    @property
    def up(self) -> int:
        """Times the rate of the input."""
        return self.rate // self.before.rate

    @property
    def down(self) -> int:
        """Times the rate of the output."""
        return self.rate // self.after.rate

    @property
    def padding(self) -> tuple[int, int]:
        """Zeros before and after each axis at the higher rate: both signals are centred on the image."""
        due = (self.after.size - 1) * self.down + 1 + self.up_taps + self.down_taps - 2
        total = due - (self.before.size + self.kernel - 1) * self.up
        first = (total + self.up) // 2
        return first, total - first

    def filters(self) -> tuple[np.ndarray, np.ndarray]:
        """Filters before and after the rectifier, (taps, taps), of sum 1."""
        first = lowpass(self.up_taps, self.before.cutoff, 2 * self.before.half_width, self.rate)
        second = lowpass(self.down_taps, self.after.cutoff, 2 * self.after.half_width, self.rate, self.radial)
        return first, second

    def check(self) -> None:
        """Refuse numbers that make no layer.

        Raises
        ------
        GeneratorError
        """
        rates = self.before.rate, self.after.rate
        sizes = self.before.size, self.after.size
        fits = (
            min(self.rate, *rates, *sizes, self.before.channels, self.after.channels, self.up_taps, self.down_taps) >= 1
            and not any(self.rate % rate for rate in rates)
            and max(self.before.channels, self.after.channels) <= _LIMITS["channels"]
            and max(sizes) <= _LIMITS["size"]
            and self.rate <= 4 * max(rates) <= 4 * _LIMITS["size"]
            and max(self.up_taps, self.down_taps) <= _LIMITS["taps"]
            and self.kernel in range(1, _LIMITS["kernel"] + 1)
            and all(0 < s.cutoff <= s.rate and s.half_width > 0 for s in (self.before, self.after))
            and -max(sizes) <= min(self.padding) <= max(self.padding) <= 2 * _LIMITS["taps"]
            and (not self.colours or (self.kernel, self.up, self.down, self.up_taps, self.down_taps) == (1,) * 5)
        )
        try:
            fits = fits and all(np.isfinite(kernel).all() for kernel in self.filters())
        except ValueError:  # a cut-off beyond what the sampling rate holds
            fits = False
        if not fits:
            raise GeneratorError("StyleGAN3", f"{self} is no layer of it", "Give the numbers of a published network")


def alias_free_layers(
    resolution: int, channel_base: int = 32768, channel_max: int = 512, count: int = 14, critical: int = 2,
    radial: bool = False, first: tuple[float, float] = (2, 2**2.1), last_stopband: float = 2**0.3,
    filter_size: int = 6, times: int = 2, clamp: float | None = 256,
) -> tuple[Signal, list[AliasFree]]:  # fmt: skip
    """Input and layers of configuration T, or of R (`radial`; its published networks have twice the channels).

    Parameters
    ----------
    resolution : int
        Height and width of the image.
    channel_base, channel_max : int
        A layer has half of the first over its cut-off frequency channels, at most the second.
    count : int
        Number of layers, the last excluded.
    critical : int
        How many of the last are sampled at twice their cut-off.
    radial : bool
        Radially symmetric filters and 1 x 1 convolutions.
    first : tuple of float
        Cut-off and end of the transition band of the first layer.
    last_stopband : float
        End of the transition band of the last, in cut-offs.
    filter_size : int
        Taps of a filter per times that it resamples.
    times : int
        Sampling rate of the rectifier, relative.
    clamp : float, optional

    Returns
    -------
    start : Signal
        Of the Fourier features.
    layers : list of AliasFree
        One more than `count`.
    """
    exponents = np.minimum(np.arange(count + 1) / (count - critical), 1)
    cutoffs = first[0] * (resolution / 2 / first[0]) ** exponents
    stopbands = first[1] * (resolution / 2 * last_stopband / first[1]) ** exponents
    signals = _signals(cutoffs, stopbands, resolution, channel_base, channel_max)
    places = [_Place(i >= count - critical, i == count) for i in range(count + 1)]
    return signals[0], _layers([signals[0], *signals], places, radial, filter_size, times, clamp)


def super_resolved(
    layers: Sequence[AliasFree], times: int, count: int = 7, critical: int = 2, channel_base: int = 65536,
    channel_max: int = 1024, last_stopband: float = 2**0.3,
) -> list[AliasFree]:  # fmt: skip
    """Layers of a network that continues another's at a multiple of its resolution, as StyleGAN-XL grows.

    Parameters
    ----------
    layers : sequence of AliasFree
        Of the network that is continued; its critically sampled layers and its last are left out.
    times : int
        New resolution over the old.
    count : int
        Number of new layers, the last excluded.
    critical, channel_base, channel_max, last_stopband
        As for `alias_free_layers`.
    """
    stem, model = list(layers[: -critical - 1]), layers[0]
    start, resolution = stem[-1].after, times * layers[-1].after.size
    exponents = np.minimum(np.arange(count + 1) / (count - critical), 1)
    cutoffs = start.cutoff * (resolution / 2 / start.cutoff) ** exponents
    stopband = start.cutoff + start.half_width
    stopbands = stopband * (resolution / 2 * last_stopband / stopband) ** exponents
    signals = _signals(cutoffs, stopbands, resolution, channel_base, channel_max)
    width = max(stopbands[0], start.rate / 2) - cutoffs[0]
    size = start.rate + 2 * MARGIN
    signals[0] = replace(signals[0], channels=start.channels, rate=start.rate, half_width=float(width), size=size)
    places = [_Place(i >= count - critical, i == count) for i in range(count + 1)]
    size, relative = model.up_taps // model.up, model.rate // max(model.before.rate, model.after.rate)
    return stem + _layers([signals[0], *signals], places, model.radial, size, relative, model.clamp)


@dataclass(frozen=True)
class _Place:
    critical: bool
    last: bool


def _signals(
    cutoffs: np.ndarray, stopbands: np.ndarray, resolution: int, channel_base: int, channel_max: int
) -> list[Signal]:
    rates = np.exp2(np.ceil(np.log2(np.minimum(2 * stopbands, resolution))))
    widths = np.maximum(stopbands, rates / 2) - cutoffs
    sizes = rates + 2 * MARGIN
    sizes[-2:] = resolution
    channels = np.rint(np.minimum(channel_base / 2 / cutoffs, channel_max))
    channels[-1] = 3
    return [
        Signal(int(channel), int(size), int(rate), float(cutoff), float(width))
        for channel, size, rate, cutoff, width in zip(channels, sizes, rates, cutoffs, widths, strict=True)
    ]


def _layers(
    signals: Sequence[Signal], places: Sequence[_Place], radial: bool, filter_size: int, times: int, clamp: float | None
) -> list[AliasFree]:
    layers = []
    for before, after, place in zip(signals, signals[1:], places, strict=False):
        rate = max(before.rate, after.rate) * (1 if place.last else times)
        up, down = (filter_size * (rate // s.rate) if rate > s.rate and not place.last else 1 for s in (before, after))
        kernel, round_ = 1 if radial or place.last else 3, radial and not place.critical
        layers.append(AliasFree(before, after, rate, kernel, up, down, round_, clamp, place.last))
    return layers


class StyleGAN3(StyleGAN):
    """Fourier features -> L0 -> L1 -> ... -> image.

    Parameters
    ----------
    mapping : StyleMapping
    start : Signal
        Of the Fourier features, the layer ``input``.
    layers : sequence of AliasFree
        L0, L1, ..., the last being ``image``.
    scale : float
        Factor of the image.
    psi, label
        As for `StyleGAN`.

    Raises
    ------
    GeneratorError
        When the structure is none of a StyleGAN3.
    """

    kind = "stylegan3"

    def __init__(
        self, mapping: StyleMapping, start: Signal, layers: Sequence[AliasFree], scale: float = 0.25, psi: float = 1,
        label: int | None = None,
    ) -> None:  # fmt: skip
        if not layers or not layers[-1].colours or any(layer.colours for layer in layers[:-1]):
            raise GeneratorError("StyleGAN3", "its last layer alone makes colours", "Give a complete network")
        ends = [(start.channels, start.size), *((layer.after.channels, layer.after.size) for layer in layers)]
        for layer, end in zip(layers, ends, strict=False):
            layer.check()
            if (layer.before.channels, layer.before.size) != end:
                raise GeneratorError("StyleGAN3", "its layers do not fit each other", "Give a complete network")
        names = [f"L{number}" for number in range(len(layers) - 1)] + ["image"]
        shapes = [Layer(name, (c, size, size)) for name, (c, size) in zip(["input", *names], ends, strict=True)]
        super().__init__(mapping, shapes, psi, label)
        self.start, self.specs, self.scale = start, tuple(layers), scale
        self.input = FourierFeatures(mapping.width, start)
        self.blocks = nn.ModuleList(AliasFreeLayer(mapping.width, layer) for layer in layers)
        self.requires_grad_(False)
        self.eval()

    @property
    def style_count(self) -> int:
        """How many styles an image has, one after the other."""
        return len(self.specs) + 1

    @property
    def structure(self) -> dict[str, Any]:
        """Numbers that, with the weights, describe the network."""
        layers = [asdict(layer) for layer in self.specs]
        return {"mapping": self.mapping.structure, "start": asdict(self.start), "layers": layers, "scale": self.scale}

    @classmethod
    def of_structure(cls, structure: Mapping[str, Any], psi: float, label: int | None) -> Self:
        """Return the network that `structure` described, with weights of zero."""
        layers = [AliasFree.of_mapping(layer) for layer in structure["layers"]]
        start = Signal(**structure["start"])
        return cls(StyleMapping(**structure["mapping"]), start, layers, structure["scale"], psi, label)

    def outputs(self, w: Tensor) -> Iterator[Tensor]:
        """Yield ``input``, L0, L1, ... and the image, for styles of shape (n, style_count, width)."""
        x = self.input(w[:, 0])
        yield x
        for number, block in enumerate(self.blocks, 1):
            x = block(x, w[:, number])
            yield x if number < len(self.blocks) else self.scale * x


class FourierFeatures(nn.Module):
    """Waves that the style turns and shifts, mixed by a matrix."""

    def __init__(self, width: int, signal: Signal) -> None:
        super().__init__()
        self.signal = signal
        self.affine = nn.Linear(width, 4)
        self.weight = nn.Parameter(torch.zeros(signal.channels, signal.channels))
        self.frequencies = nn.Parameter(torch.zeros(signal.channels, 2))
        self.phases = nn.Parameter(torch.zeros(signal.channels))
        self.transform = nn.Parameter(torch.eye(3))  # of the whole image, inverse

    def forward(self, w: Tensor) -> Tensor:
        """Map styles (n, width) to (n, channels, size, size)."""
        t = self.affine(w)
        cos, sin, right, down = (t / t[:, :2].norm(dim=1, keepdim=True)).unbind(1)
        nought, one = torch.zeros_like(cos), torch.ones_like(cos)
        turn = torch.stack([cos, -sin, nought, sin, cos, nought, nought, nought, one], 1).unflatten(1, (3, 3))
        shift = torch.stack([one, nought, -right, nought, one, -down, nought, nought, one], 1).unflatten(1, (3, 3))
        placed = turn @ shift @ self.transform
        phases = self.phases + (self.frequencies @ placed[:, :2, 2:]).squeeze(2)
        frequencies = self.frequencies @ placed[:, :2, :2]
        band = self.signal.rate / 2 - self.signal.cutoff
        amplitudes = (1 - (frequencies.norm(dim=2) - self.signal.cutoff) / band).clamp(0, 1)
        size = self.signal.size
        axis = (torch.arange(size, dtype=w.dtype, device=w.device) + 0.5 - size / 2) / self.signal.rate
        x, y = axis[None, None, :, None], axis[None, :, None, None]
        waves = x * frequencies[:, None, None, :, 0] + y * frequencies[:, None, None, :, 1] + phases[:, None, None]
        waves = torch.sin(2 * pi * waves) * amplitudes[:, None, None]
        return (waves @ self.weight.T).permute(0, 3, 1, 2)


class AliasFreeLayer(nn.Module):
    """Modulated convolution, bias, and the rectifier between two filters."""

    first: Tensor
    second: Tensor

    def __init__(self, width: int, spec: AliasFree) -> None:
        super().__init__()
        self.spec = spec
        before, after, edge = spec.before.channels, spec.after.channels, spec.kernel
        self.affine = nn.Linear(width, before)
        self.weight = nn.Parameter(torch.zeros(after, before, edge, edge))
        self.bias = nn.Parameter(torch.zeros(after))
        self.gain = nn.Parameter(torch.ones(()))
        first, second = spec.filters()
        first = first * spec.up**2 * sqrt(2)
        for name, kernel in (("first", first), ("second", second)):
            self.register_buffer(name, torch.tensor(kernel, dtype=torch.float32, device="cpu"), persistent=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (n, channels, size, size) and styles (n, width) to the output's shape."""
        spec, styles = self.spec, self.affine(w)
        x = x.contiguous(memory_format=torch.channels_last)
        x = modulated(
            x, self.weight, styles, self.bias, demodulate=not spec.colours, gain=self.gain, padding=spec.kernel - 1
        )
        if spec.colours:
            first, last = spec.padding
            x = functional.pad(x, (first, last, first, last)) if first or last else x
            return x if spec.clamp is None else x.clamp(-spec.clamp, spec.clamp)
        kernels = self.first, self.second
        return filtered_rectifier(x, kernels, spec.up, spec.down, spec.padding, spec.clamp)
