"""Part of a layer's map, without computing what lies too far away to have any influence on it."""

from typing import Any

from torch import Tensor, nn

from hyper.generators.base import Generator, layer_index
from hyper.generators.pggan import PGGAN
from hyper.generators.strips import MARGIN, activate

Span = tuple[int, int]


def windowed_activations(generator: Generator, z: Tensor, layer: str, window: tuple[slice, ...]) -> Tensor:
    """Compute the activation of a layer within a window, differentiable in the latents.

    Parameters
    ----------
    generator : Generator
    z : Tensor, shape (n, latent_dim)
    layer : str
    window : tuple of slice
        Of height and width, start and stop given; none for a layer that is no map.

    Returns
    -------
    Tensor, shape (n, channel, *size of the window)
        Of a PGGAN, each block is run on the places that matter alone; of other generators, on all.

    Raises
    ------
    GeneratorError
        When there is no such layer, or the latents have another size.
    """
    number = layer_index(generator.layers, layer) - 1
    if not isinstance(generator, PGGAN) or layer in ("latent", "image") or number == 0:
        place: tuple[Any, ...] = (..., *window)
        return generator.activations(z, layer)[place]
    rows, columns = ((part.start, part.stop) for part in window)
    needed = [(rows, columns)]  # from the layer downward
    for level in range(number - 1, -1, -1):
        size = 4 * 2**level
        needed.append((_seen(needed[-1][0], size), _seen(needed[-1][1], size)))
    x, corner = generator.activations(z, "L1"), (0, 0)
    for spans, convs in zip(needed[:0:-1], _blocks(generator)[:number], strict=True):
        x = _cropped(x, corner, spans)
        for conv in convs:
            x = activate(conv(x))
        corner = (2 * spans[0][0], 2 * spans[1][0])
    return _cropped(x, corner, needed[0])


def _seen(span: Span, size: int) -> Span:
    """Places below, of `size`, that a span of places above depends on through both convolutions of a block."""
    return max((span[0] - MARGIN) // 2, 0), min(-(-(span[1] + MARGIN) // 2), size)


def _blocks(network: PGGAN) -> list[tuple[nn.Module, ...]]:
    _, *rest = network.convs
    return list(zip(rest[::2], rest[1::2], strict=True))


def _cropped(x: Tensor, corner: tuple[int, int], spans: tuple[Span, Span]) -> Tensor:
    """Cut spans out of a map whose first place is `corner`."""
    (top, bottom), (left, right) = spans
    return x[:, :, top - corner[0] : bottom - corner[0], left - corner[1] : right - corner[1]]
