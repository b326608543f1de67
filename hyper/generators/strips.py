"""The blocks of PGGAN on the CPU without gradients: rows flow through all of them, a strip at a time.

What is at work stays in the cache, and no large activation is ever held as a whole.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.generators.upscale import UpscaledConv

SLOPE = 0.2
EPSILON = 1e-8
STRIP = 2**21  # bytes of one activation of a strip
_KEPT = 2**25 - 2**16  # bytes, just below the largest block whose return tells glibc to keep smaller ones

Block = tuple[UpscaledConv, nn.Conv2d]
Read = Callable[[Tensor], Tensor]
Strips = Iterator[tuple[Tensor, bool]]  # rows that follow each other, and whether they are the last of the image


def activate(x: Tensor) -> Tensor:
    """Leaky rectification and pixel normalisation."""
    return pixel_norm(functional.leaky_relu(x, SLOPE))


def pixel_norm(x: Tensor) -> Tensor:
    """Scale every pixel to a root mean square of 1 over the channels; the mean is taken in single precision."""
    power = x.to(torch.promote_types(x.dtype, torch.float32)).square().mean(1, keepdim=True)
    return x * torch.rsqrt(power + EPSILON).to(x.dtype)


def climb(
    x: Tensor, blocks: Sequence[Block], reads: Mapping[int, Read], order: torch.memory_format
) -> dict[int, Tensor]:
    """Run blocks one after the other, without gradients.

    As long as one image's activation of a block takes no more than `STRIP` bytes, all images are run at once; from
    there on image by image and strip by strip.

    Parameters
    ----------
    x : Tensor, shape (n, channels, height, width)
    blocks : sequence of (UpscaledConv, Conv2d)
    reads : mapping of int to callable
        What is made of the activation of a block, by its number: 0 for `x` itself, 1 for the first of `blocks`, ...
        Each must treat every pixel alone.
    order : torch.memory_format
        Of the results.

    Returns
    -------
    dict of int to Tensor, shape (n, any, height, width)
        What was made of each of them.
    """
    x = x.contiguous(memory_format=torch.channels_last)
    found: dict[int, Tensor] = {}
    whole = _small_blocks(x, blocks)
    for number in range(whole + 1):
        if number:
            upscaled, conv = blocks[number - 1]
            x = _activate_(conv(_activate_(upscaled(x))))
        if number in reads:
            found[number] = reads[number](x).contiguous(memory_format=order)
    for number in [number for number in reads if number > whole]:
        channels = reads[number](x.new_zeros(1, blocks[number - 1][1].out_channels, 1, 1)).shape[1]
        shape = (len(x), channels, *(2 ** (number - whole) * size for size in x.shape[2:]))
        found[number] = torch.empty(shape, dtype=x.dtype, memory_format=order)
    torch.empty(_KEPT, dtype=torch.uint8)  # else each strip's memory is fetched from the system anew: 1.15 the time
    for index, image in enumerate(x.split(1) if whole < len(blocks) else ()):
        strips: Strips = iter([(image, True)])
        for number, (upscaled, conv) in enumerate(blocks[whole:], whole + 1):
            strips = _convolved(_upscaled(strips, upscaled), conv)
            if number in reads:
                strips = _kept(strips, reads[number], found[number][index])
        deque(strips, maxlen=0)
    return found


def _small_blocks(x: Tensor, blocks: Sequence[Block]) -> int:
    """How many blocks come before the first whose activation exceeds a strip."""
    place = x[0, 0].numel() * x.element_size()
    sizes = [4**number * place * conv.out_channels for number, (_, conv) in enumerate(blocks, 1)]
    return next((number for number, size in enumerate(sizes) if size > STRIP), len(blocks))


def _kept(strips: Strips, read: Read, out: Tensor) -> Strips:
    """Write what is made of the rows to `out`, shape (any, height, width), as they pass."""
    first = 0
    for rows, last in strips:
        part = read(rows)[0]
        out[:, first : first + part.shape[1]] = part
        first += part.shape[1]
        yield rows, last


def _upscaled(strips: Strips, layer: UpscaledConv) -> Strips:
    """Rows after an up-scaling convolution; each pair of them sees two rows of those before."""
    held = None
    for rows, last in strips:
        size = max(1, STRIP // (4 * rows.shape[3] * layer.out_channels * rows.element_size()))
        parts = rows.split(size, 2)
        for part in parts:
            end = last and part is parts[-1]
            x = _joined(held, part, end)
            y = layer.between(x)
            yield _activate_(y[:, :, int(held is None) : y.shape[2] - end]), end
            held = x[:, :, -1:]


def _convolved(strips: Strips, conv: nn.Conv2d) -> Strips:
    """Rows after a 3 x 3 convolution; each of them sees three rows of those before."""
    held = None
    for rows, last in strips:
        x = _joined(held, rows, last)
        if x.shape[2] > 2:
            yield _activate_(functional.conv2d(x, conv.weight, conv.bias, padding=(0, 1))), last
        held = x[:, :, -2:]


def _joined(before: Tensor | None, rows: Tensor, last: bool) -> Tensor:
    """Rows behind those held back, with a row of zeros where the image begins and ends."""
    zeros = torch.zeros_like(rows[:, :, :1], memory_format=torch.channels_last)
    return torch.cat([zeros if before is None else before, rows, *([zeros] if last else [])], 2)


def _activate_(x: Tensor) -> Tensor:
    """`activate` in place."""
    functional.leaky_relu_(x, SLOPE)
    norm = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
    return x.mul_(norm.square_().div_(x.shape[1]).add_(EPSILON).rsqrt_().to(x.dtype))
