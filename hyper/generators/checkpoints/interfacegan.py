"""The state dict of InterFaceGAN's PGGAN (Shen et al., 2020)."""

import re
from collections.abc import Mapping
from math import floor, sqrt
from pathlib import Path

from torch import Tensor

from hyper.generators.checkpoints.tensors import Pair, Plain, Tensors, check_lod, count_levels


def read_interfacegan(path: str | Path, state: Mapping[str, Tensor]) -> Plain:
    """Return the weights of a state dict, fused or plain up-scaling.

    Raises
    ------
    GeneratorError
        When a tensor is missing, too many or of another shape.
    """
    tensors = Tensors(path, state)
    outputs = sum(re.fullmatch(r"output\d+\.conv\.weight", name) is not None for name in state)
    levels = count_levels(path, outputs - 1)
    # Its network takes whole levels of detail only: it never fades
    lod = floor(check_lod(path, float(tensors.take("lod", ()))))
    weight = tensors.take("layer0.conv.weight", (None, None, 4, 4))
    width, latent = weight.shape[:2]
    bias = tensors.take("layer0.wscale.bias", (width,)).repeat_interleave(16)
    kernel = weight.flip(2, 3).permute(0, 2, 3, 1).reshape(16 * width, latent) * sqrt(2 / (16 * latent))
    convs = [_convolution(tensors, "layer1", width, width)]
    rgb = {0: _rgb(tensors, 0, width)}
    for level in range(1, levels):
        convs.append(_convolution(tensors, f"layer{2 * level}", width))
        width = convs[-1][0].shape[0]
        convs.append(_convolution(tensors, f"layer{2 * level + 1}", width, width))
        rgb[level] = _rgb(tensors, level, width)
    tensors.finish()
    return Plain((kernel, bias), convs, rgb, lod)


def _convolution(tensors: Tensors, name: str, width: int, after: int | None = None) -> Pair:
    if f"{name}.weight" in tensors:  # fused: (3, 3, in, out) of a transposed convolution
        weight = tensors.take(f"{name}.weight", (3, 3, width, after)).permute(3, 2, 0, 1).flip(2, 3)
    else:
        weight = tensors.take(f"{name}.conv.weight", (after, width, 3, 3))
    bias = tensors.take(f"{name}.wscale.bias", (weight.shape[0],))
    return weight * sqrt(2 / (9 * width)), bias


def _rgb(tensors: Tensors, level: int, width: int) -> Pair:
    weight = tensors.take(f"output{level}.conv.weight", (3, width, 1, 1)) / sqrt(width)
    return weight, tensors.take(f"output{level}.wscale.bias", (3,))
