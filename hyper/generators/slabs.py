"""Work on a large activation a slab of rows at a time, so that intermediate results stay in the CPU's cache."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

SIZE = 2**20  # bytes of the input that are worked on at a time


@dataclass(frozen=True)
class Slab:
    """Where a slab lies.

    Attributes
    ----------
    rows : slice
        Rows to compute, counted in the whole image.
    inner : slice
        The same rows, counted in the slab, which also holds neighbouring ones.
    """

    rows: slice
    inner: slice


def by_slabs(step: Callable[[Tensor, Slab], Tensor], x: Tensor, halo: int = 1) -> Tensor:
    """Apply a step to one image's activation in slabs; to all at once if there are several, or gradients, or a GPU.

    Parameters
    ----------
    step : callable
        Given a part of `x` and its `Slab`, computes the result of the rows ``inner``: as many, or a multiple.
    x : Tensor, shape (n, height, width, channels)
    halo : int
        Rows above and below that a row's result depends on.

    Returns
    -------
    Tensor, shape (n, multiple of height, ...)
    """
    count, height = x.shape[:2]
    row = x[:, :1].numel() * x.element_size()
    if count > 1 or height * row <= SIZE or x.device.type != "cpu" or is_differentiated(x):
        return step(x, Slab(slice(0, height), slice(0, height)))
    rows = max(2 * halo, SIZE // row)
    out = x.new_empty(0)
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        first, last = max(start - halo, 0), min(stop + halo, height)
        part = step(x[:, first:last], Slab(slice(start, stop), slice(start - first, stop - first)))
        times = part.shape[1] // (stop - start)
        if start == 0:
            out = part.new_empty(1, times * height, *part.shape[2:])
        out[:, times * start : times * stop] = part
    return out


def is_differentiated(x: Tensor) -> bool:
    """Whether gradients are wanted of what is computed from `x`."""
    return torch.is_grad_enabled() and x.requires_grad
