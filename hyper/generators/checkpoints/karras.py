"""The TensorFlow pickle of Karras et al. (2018) and the bare list of weights dumped from it."""

import re
from collections.abc import Mapping, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.tensors import MEND, Pair, Plain, Tensors, check_lod, count_levels
from hyper.io.unpickle import Inert, StoredArray

NETWORKS = (("tfutil", "Network"), ("network", "Network"))


def read_networks(path: str | Path, tree: Any) -> Plain:
    """Return the weights of Gs, the averaged generator, of the unpickled (G, D, Gs).

    Raises
    ------
    GeneratorError
    """
    if not (isinstance(tree, tuple) and len(tree) == 3 and all(isinstance(network, Inert) for network in tree)):
        raise GeneratorError(path, "it is no tuple of the networks G, D and Gs", MEND)
    state = tree[2].state
    if state.get("version") != 2:
        raise GeneratorError(path, f"its networks are of version {state.get('version')!r} where 2 is due", MEND)
    return read_variables(path, _arrays(path, state.get("variables")))


def _arrays(path: str | Path, variables: Any) -> dict[str, np.ndarray]:
    if not isinstance(variables, list):
        raise GeneratorError(path, "its network has no variables", MEND)
    arrays: dict[str, np.ndarray] = {}
    for entry in variables:
        name, value = entry if isinstance(entry, (tuple, list)) and len(entry) == 2 else (None, None)
        if isinstance(value, StoredArray):
            value = value.values
        if not isinstance(name, str) or not isinstance(value, (np.ndarray, float, int)) or name in arrays:
            raise GeneratorError(path, "its variables are not pairs of a name and an array", MEND)
        arrays[name] = np.asarray(value)
    return arrays


def read_variables(path: str | Path, variables: Mapping[str, np.ndarray]) -> Plain:
    """Return the weights of a generator's TensorFlow variables, fused or plain up-scaling.

    Raises
    ------
    GeneratorError
        When a variable is missing, too many or of another shape.
    """
    tensors = Tensors(path, variables)
    found = (re.fullmatch(r"(\d+)x\1/Conv1/weight", name) for name in variables)
    levels = count_levels(path, sum(match is not None for match in found))
    lod = check_lod(path, float(tensors.take("lod", ())))
    weight = tensors.take("4x4/Dense/weight", (None, None))
    width = weight.shape[1] // 16
    bias = tensors.take("4x4/Dense/bias", (width,))
    dense = weight.T * (sqrt(2) / 4 / sqrt(weight.shape[0])), bias.repeat_interleave(16)
    convs = [_plain(tensors, "4x4/Conv", width)]
    rgb = {0: _rgb(tensors, levels - 1, width)}
    for level in range(1, levels):
        block = f"{4 * 2**level}x{4 * 2**level}"
        fused = f"{block}/Conv0_up/weight" in tensors
        convs.append(_fused(tensors, f"{block}/Conv0_up", width) if fused else _plain(tensors, f"{block}/Conv0", width))
        width = convs[-1][0].shape[0]
        convs.append(_plain(tensors, f"{block}/Conv1", width, width))
        rgb[level] = _rgb(tensors, levels - 1 - level, width)
    if dense[0].shape[0] != 16 * convs[0][0].shape[0]:
        raise GeneratorError(path, "'4x4/Dense' and '4x4/Conv' are of different widths", MEND)
    tensors.finish()
    return Plain(dense, convs, rgb, lod)


def _plain(tensors: Tensors, name: str, width: int, after: int | None = None) -> Pair:
    weight = tensors.take(f"{name}/weight", (3, 3, width, after))
    return _scaled(weight.permute(3, 2, 0, 1)), tensors.take(f"{name}/bias", (weight.shape[3],))


def _fused(tensors: Tensors, name: str, width: int) -> Pair:
    """Kernel of a stride-2 transposed convolution over its four shifts: a flipped kernel behind an up-scaling."""
    weight = tensors.take(f"{name}/weight", (3, 3, None, width))
    return _scaled(weight.permute(2, 3, 0, 1).flip(2, 3)), tensors.take(f"{name}/bias", (weight.shape[2],))


def _scaled(weight: Tensor) -> Tensor:
    return weight * sqrt(2 / (9 * weight.shape[1]))


def _rgb(tensors: Tensors, lod: int, width: int) -> Pair:
    weight = tensors.take(f"ToRGB_lod{lod}/weight", (1, 1, width, 3))
    return weight.permute(3, 2, 0, 1) / sqrt(width), tensors.take(f"ToRGB_lod{lod}/bias", (3,))


def read_list(path: str | Path, tree: Any) -> Plain:
    """Return the weights of Gs of the unpickled list: the trainable arrays of G, D and Gs in TensorFlow's order.

    Raises
    ------
    GeneratorError
        When the list is not that of a PGGAN, or does not tell fused from plain up-scaling.
    """
    arrays = [entry.values for entry in tree if isinstance(entry, StoredArray)] if isinstance(tree, list) else []
    if not arrays or len(arrays) != len(tree):
        raise GeneratorError(path, "it is no list of arrays", MEND)
    starts = [index for index in range(len(arrays) - 1) if _is_dense(arrays[index], arrays[index + 1])]
    if not starts:
        raise GeneratorError(path, "it holds another network than a PGGAN (no array fits the first layer)", MEND)
    levels = count_levels(path, (len(arrays) - starts[-1]) // 6 - 1)
    due = 6 * levels + (6 * levels + 2) + 6 * levels
    if len(arrays) != due or starts[-1] != due - 6 * levels:
        fault = f"it holds {len(arrays)} arrays where G, D and Gs of {levels} blocks have {due}"
        raise GeneratorError(path, fault, MEND)
    smoothed = arrays[starts[-1] :]
    if [array.shape for array in arrays[: 6 * levels]] != [array.shape for array in smoothed]:
        raise GeneratorError(path, "its first and last network, G and Gs, have different shapes", MEND)
    names = _names(levels, _is_fused(path, smoothed))
    return read_variables(path, {"lod": np.zeros(()), **dict(zip(names, smoothed, strict=True))})


def _is_dense(weight: np.ndarray, bias: np.ndarray) -> bool:
    return weight.ndim == 2 and bias.ndim == 1 and weight.shape[1] == 16 * bias.shape[0]


def _is_fused(path: str | Path, arrays: Sequence[np.ndarray]) -> bool:
    """Tell (3, 3, out, in) from (3, 3, in, out) by a block whose width changes."""
    for weight, bias in zip(arrays[6::6], arrays[7::6], strict=True):
        if weight.ndim == 4 and bias.ndim == 1 and weight.shape[2] != weight.shape[3]:
            return weight.shape[2] == bias.shape[0]
    mend = "Convert the pickle that the list was dumped from, which names its layers"
    raise GeneratorError(path, "all blocks are equally wide: fused and plain up-scaling look the same", mend)


def _names(levels: int, fused: bool) -> list[str]:
    layers = ["4x4/Dense", "4x4/Conv", f"ToRGB_lod{levels - 1}"]
    for level in range(1, levels):
        block = f"{4 * 2**level}x{4 * 2**level}"
        layers += [f"{block}/Conv0{'_up' if fused else ''}", f"{block}/Conv1", f"ToRGB_lod{levels - 1 - level}"]
    return [f"{layer}/{part}" for layer in layers for part in ("weight", "bias")]
