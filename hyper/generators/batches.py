"""Run a generator over many latents in batches that fit the memory at hand."""

import os
from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.base import Generator, rounded_uint8

LARGEST = 32
_LARGEST_BYTES = 2**30  # at work on the CPU, where larger batches are no faster
_COPIES = 6  # of the largest activation that a layer's computation holds at a time
_SHARE = 0.5  # of the free memory


def generate(
    generator: Generator, latents: np.ndarray, layer: str = "image", batch: int | None = None
) -> Iterator[np.ndarray]:
    """Yield images or activations in consecutive blocks, single precision.

    Parameters
    ----------
    generator : Generator
    latents : ndarray, shape (n, latent)
    layer : str
        ``image`` or a name among the generator's layers.
    batch : int, optional
        Images at a time; `fitting_batch` when not given. It is halved whenever the memory does not suffice after
        all.

    Yields
    ------
    ndarray of float32, shape (up to batch, *shape of the layer)

    Raises
    ------
    GeneratorError
        When the latents or the layer do not fit the generator.
    """
    weight = next(iter(generator.parameters()))
    batch = batch or fitting_batch(generator, layer, weight)
    start = 0
    while start < len(latents):
        z = torch.as_tensor(latents[start : start + batch]).to(weight.device, torch.float32)
        try:
            values = _run(generator, z, layer).float().cpu().numpy()
        except (torch.OutOfMemoryError, RuntimeError, MemoryError) as fault:
            if batch == 1 or not _is_out_of_memory(fault):
                raise
            batch //= 2
            continue
        start += len(z)
        yield np.ascontiguousarray(values)


def images_uint8(generator: Generator, latents: np.ndarray, batch: int | None = None) -> np.ndarray:
    """Make 8-bit images.

    Parameters
    ----------
    generator : Generator
    latents : ndarray, shape (n, latent)
    batch : int, optional
        Images made at a time, as for `generate`.

    Returns
    -------
    ndarray of uint8, shape (n, height, width, 3)
        clip(rint(127.5 x + 127.5)), the rounding of the published stimuli.

    Raises
    ------
    GeneratorError
        When the latents do not fit the generator, or there are none.
    """
    if not len(latents):
        raise GeneratorError("latents", "there are none", "Give at least one")
    images, start = np.empty(0, np.uint8), 0
    for block in generate(generator, latents, batch=batch):
        if not start:
            images = np.empty((len(latents), *block.shape[2:], 3), np.uint8)
        images[start : start + len(block)] = rounded_uint8(block)
        start += len(block)
    return images


@torch.no_grad()
def _run(generator: Generator, z: Tensor, layer: str) -> Tensor:
    return generator.images(z) if layer == "image" else generator.activations(z, layer)


def _is_out_of_memory(fault: BaseException) -> bool:
    words = ("out of memory", "not enough memory", "can't allocate memory")
    return isinstance(fault, (torch.OutOfMemoryError, MemoryError)) or any(word in str(fault) for word in words)


def fitting_batch(generator: Generator, layer: str, weight: Tensor) -> int:
    """Return how many images fit into half the free memory, and on the CPU into 1 GiB: 1 to 32.

    Parameters
    ----------
    generator : Generator
    layer : str
        Last layer that is computed; a name the generator does not list stands for all of it.
    weight : Tensor
        One of its weights, for device and type.
    """
    names = [known.name for known in generator.layers]
    needed = generator.layers[: names.index(layer) + 1] if layer in names else generator.layers
    largest = max(prod(known.shape) for known in needed)
    allowed = _free_memory(weight.device) * _SHARE
    if weight.device.type == "cpu":
        allowed = min(allowed, _LARGEST_BYTES)
    return int(np.clip(allowed / (_COPIES * largest * weight.element_size()), 1, LARGEST))


def _free_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
