"""The blocks of PGGAN on the CPU without gradients: rows flow through all of them, a strip at a time.

What is at work stays in the cache, and no large activation is ever held as a whole. Threads take images, or parts of
an image, of their own, so that they need not wait for each other after every operation.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.generators.upscale import UpscaledConv

SLOPE = 0.2
EPSILON = 1e-8
STRIP = 2**21  # bytes of one activation of a strip
MARGIN = 2  # rows beyond a part's own, at every size, that its convolutions see
SMALLEST = 8  # rows of a part before the first block that is run in strips
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
    if whole < len(blocks):
        later = {number - whole: (read, found[number]) for number, read in reads.items() if number > whole}
        _share_out(x, blocks[whole:], later)
    return found


def _small_blocks(x: Tensor, blocks: Sequence[Block]) -> int:
    """How many blocks come before the first whose activation exceeds a strip."""
    place = x[0, 0].numel() * x.element_size()
    sizes = [4**number * place * conv.out_channels for number, (_, conv) in enumerate(blocks, 1)]
    return next((number for number, size in enumerate(sizes) if size > STRIP), len(blocks))


@dataclass(frozen=True)
class _Part:
    """Rows of an image, to be run by one thread: from `first` until before `last` of `height`."""

    image: int
    first: int
    last: int
    height: int

    @property
    def border(self) -> tuple[bool, bool]:
        """Whether the part with its margins begins, and ends, where the image does."""
        return self.first <= MARGIN, self.last + MARGIN >= self.height


def _share_out(x: Tensor, blocks: Sequence[Block], reads: Mapping[int, tuple[Read, Tensor]]) -> None:
    """Run every image through all blocks, in as many threads as torch may use."""
    torch.empty(_KEPT, dtype=torch.uint8)  # else each strip's memory is fetched from the system anew: 1.15 the time
    height, threads = x.shape[2], torch.get_num_threads()
    count = max(1, min(-(-threads // len(x)), height // SMALLEST))
    edges = [height * number // count for number in range(count + 1)]
    parts = [_Part(image, edges[n], edges[n + 1], height) for image in range(len(x)) for n in range(count)]
    mode = torch.inference_mode if torch.is_inference_mode_enabled() else torch.no_grad

    def run(part: _Part) -> None:
        with mode():
            _run(x[part.image : part.image + 1], part, blocks, reads)

    workers = min(threads, len(parts))
    if workers == 1:
        for part in parts:
            run(part)
        return
    try:
        with ThreadPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(threads // workers,)) as pool:
            deque(pool.map(run, parts), maxlen=0)
    finally:
        torch.set_num_threads(threads)  # a part of the setting is common to all threads


def _run(x: Tensor, part: _Part, blocks: Sequence[Block], reads: Mapping[int, tuple[Read, Tensor]]) -> None:
    start, end = max(part.first - MARGIN, 0), min(part.last + MARGIN, part.height)
    strips: Strips = iter([(x[:, :, start:end], True)])
    for number, (upscaled, conv) in enumerate(blocks, 1):
        strips = _convolved(_upscaled(strips, upscaled, part.border), conv, part.border)
        if number in reads:
            read, out = reads[number]
            strips = _kept(strips, read, out[part.image], part, 2**number)
    deque(strips, maxlen=0)


def _kept(strips: Strips, read: Read, out: Tensor, part: _Part, scale: int) -> Strips:
    """Write what is made of the part's own rows to `out`, shape (any, height, width), as they pass."""
    first, last = scale * part.first, scale * part.last
    place = 0 if part.border[0] else first - MARGIN
    for rows, end in strips:
        own = rows[:, :, max(first - place, 0) : max(last - place, 0)]
        if own.shape[2]:
            start = max(place, first)
            out[:, start : start + own.shape[2]] = read(own)[0]
        place += rows.shape[2]
        yield rows, end


def _upscaled(strips: Strips, layer: UpscaledConv, border: tuple[bool, bool]) -> Strips:
    """Rows after an up-scaling convolution; each pair of them sees two rows of those before."""
    held = None
    for rows, last in strips:
        size = max(1, STRIP // (4 * rows.shape[3] * layer.out_channels * rows.element_size()))
        parts = rows.split(size, 2)
        for number, part in enumerate(parts, 1):
            end = last and number == len(parts)
            above, below = held is None and border[0], end and border[1]
            x = _joined(held, part, above, below)
            if x.shape[2] > 1:
                y = layer.between(x)
                yield _activate_(y[:, :, int(above) : y.shape[2] - below]), end
            held = x[:, :, -1:]


def _convolved(strips: Strips, conv: nn.Conv2d, border: tuple[bool, bool]) -> Strips:
    """Rows after a 3 x 3 convolution; each of them sees three rows of those before."""
    held = None
    for rows, last in strips:
        x = _joined(held, rows, held is None and border[0], last and border[1])
        if x.shape[2] > 2:
            yield _activate_(functional.conv2d(x, conv.weight, conv.bias, padding=(0, 1))), last
        held = x[:, :, -2:]


def _joined(held: Tensor | None, rows: Tensor, above: bool, below: bool) -> Tensor:
    """Rows behind those held back, with a row of zeros where the image begins and ends."""
    zeros = torch.zeros_like(rows[:, :, :1], memory_format=torch.channels_last)
    parts = [*([zeros] if above else []), *([] if held is None else [held]), rows, *([zeros] if below else [])]
    return torch.cat(parts, 2) if len(parts) > 1 else rows


def _activate_(x: Tensor) -> Tensor:
    """`activate` in place."""
    functional.leaky_relu_(x, SLOPE)
    norm = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
    return x.mul_(norm.square_().div_(x.shape[1]).add_(EPSILON).rsqrt_().to(x.dtype))
