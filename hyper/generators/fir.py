"""Low-pass filters, resampling with them, and the rectification between two of them (StyleGAN3).

Karras et al., 2021, arXiv:2106.12423, appendices C and D. Both resamplings are depthwise convolutions with the
two-dimensional kernel, strided or transposed, so that no zeros are multiplied and no sample is computed to be thrown
away; channels lie last in memory, where such convolutions are fastest.
"""

import numpy as np
import torch
from scipy import signal, special
from torch import Tensor
from torch.nn import functional

from hyper.generators.slabs import is_differentiated

SLOPE = 0.2
_CHANNELS = 16  # worked on at a time: one cache line of a pixel
_BYTES = 2**24  # of the up-sampled map that is held at a time


def lowpass(taps: int, cutoff: float, width: float, rate: float, radial: bool = False) -> np.ndarray:
    """Design a filter with a Kaiser window.

    Parameters
    ----------
    taps : int
    cutoff : float
        Frequency, in the unit of `rate`.
    width : float
        Of the transition band.
    rate : float
        Sampling rate.
    radial : bool
        A jinc, which filters alike in all directions, instead of the product of two sincs.

    Returns
    -------
    ndarray, shape (taps, taps)
        Of sum 1.
    """
    if taps == 1:
        return np.ones((1, 1))
    if not radial:
        line = signal.firwin(taps, cutoff, width=width, fs=rate)
        return np.outer(line, line)
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(*np.meshgrid(x, x))
    window = np.kaiser(taps, signal.kaiser_beta(signal.kaiser_atten(taps, width / (rate / 2))))
    kernel = special.j1(2 * cutoff * np.pi * r) / (np.pi * r) * np.outer(window, window)
    return kernel / kernel.sum()


def upsampled(
    x: Tensor, kernel: Tensor, up: int, before: int, after: int, rows: tuple[int, int] | None = None
) -> Tensor:
    """Insert zeros between samples, pad with zeros (or crop) and convolve; no border is added.

    Parameters
    ----------
    x : Tensor, shape (n, channel, height, width)
    kernel : Tensor, shape (taps, taps)
    up : int
        Times the sampling rate.
    before, after : int
        Zeros added to both axes at the higher rate; negative numbers crop.
    rows : tuple of int, optional
        First row of the result and number of rows, which may lie beyond what `x` reaches; all when not given.

    Returns
    -------
    Tensor, shape (n, channel, up * height + before + after - taps + 1, likewise for width)
    """
    channels, taps = x.shape[1], len(kernel)
    height, width = (up * size + before + after - taps + 1 for size in x.shape[2:])
    first, height = rows or (0, height)
    kernels = kernel.to(x.dtype).expand(channels, 1, -1, -1).contiguous()
    y = functional.conv_transpose2d(x, kernels, stride=up, groups=channels)
    left = taps - 1 - before  # where the result begins in that with all borders
    top = left + first
    right, bottom = left + width - y.shape[3], top + height - y.shape[2]
    if min(top, left) < 0 or max(right, bottom) > 0:
        return functional.pad(y, (-left, right, -top, bottom))
    return y[:, :, top : top + height, left : left + width]


def downsampled(x: Tensor, kernel: Tensor, down: int) -> Tensor:
    """Convolve with a symmetric kernel (taps, taps) and keep every `down`-th sample; no border is added."""
    channels = x.shape[1]
    kernels = kernel.to(x.dtype).expand(channels, 1, -1, -1).contiguous()
    return functional.conv2d(x, kernels, stride=down, groups=channels)


def filtered_rectifier(
    x: Tensor, kernels: tuple[Tensor, Tensor], up: int, down: int, padding: tuple[int, int], clamp: float | None
) -> Tensor:
    """Up-sample, apply sqrt(2) times the leaky rectifier, clip, and down-sample.

    One image without gradients on the CPU is worked on in parts, as the map between the filters is many times as large
    as the others.

    Parameters
    ----------
    x : Tensor, shape (n, channel, size, size)
    kernels : tuple of Tensor
        For up- and for down-sampling, both symmetric; the first is that of sum 1 times ``up ** 2 * sqrt(2)``.
    up, down : int
    padding : tuple of int
        Zeros before and after each axis, at the higher rate.
    clamp : float, optional

    Returns
    -------
    Tensor, shape (n, channel, size of the result, size of the result)
    """
    if len(x) > 1 or x.device.type != "cpu" or is_differentiated(x):
        return _rectified(x.contiguous(memory_format=torch.channels_last), kernels, up, down, padding, clamp)
    before, after = padding
    between = up * x.shape[2] + before + after - len(kernels[0]) + 1
    size = (between - len(kernels[1])) // down + 1
    rows = max(_BYTES // (_CHANNELS * between * x.element_size() * down), 8)
    out = torch.empty((1, x.shape[1], size, size), dtype=x.dtype, memory_format=torch.channels_last)
    for start in range(0, size, rows):
        stop = min(start + rows, size)
        # rows of the map between that are needed, and of the input that these are made from
        first, last = start * down, (stop - 1) * down + len(kernels[1])
        top = max((first - before) // up, 0)
        bottom = min(-(-(last + len(kernels[0]) - 1 - before) // up), x.shape[2])
        for channel in range(0, x.shape[1], _CHANNELS):
            chosen = slice(channel, channel + _CHANNELS)
            part = x[:, chosen, top:bottom]
            count = part.shape[1]
            part = functional.pad(part, (0, 0, 0, 0, 0, _CHANNELS - count))  # one channel takes as long as many
            part = part.contiguous(memory_format=torch.channels_last)
            lifted = upsampled(part, kernels[0], up, before, after, (first - top * up, last - first))
            out[:, chosen, start:stop] = downsampled(_clipped(lifted, clamp), kernels[1], down)[:, :count]
    return out


def _rectified(
    x: Tensor, kernels: tuple[Tensor, Tensor], up: int, down: int, padding: tuple[int, int], clamp: float | None
) -> Tensor:
    lifted = upsampled(x, kernels[0], up, *padding)
    return downsampled(_clipped(lifted, clamp), kernels[1], down)


def _clipped(x: Tensor, clamp: float | None) -> Tensor:
    """Rectify, in place where no gradient is wanted."""
    in_place = not is_differentiated(x)
    x = functional.leaky_relu(x, SLOPE, inplace=in_place)
    if clamp is None:
        return x
    return x.clamp_(-clamp, clamp) if in_place else x.clamp(-clamp, clamp)
