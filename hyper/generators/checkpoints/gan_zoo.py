"""The checkpoint of pytorch_GAN_zoo's progressive GAN (Riviere, 2018)."""

import re
from collections.abc import Mapping
from math import prod, sqrt
from pathlib import Path
from typing import Any

from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.tensors import MEND, Pair, Plain, Tensors, check_lod, count_levels
from hyper.generators.strips import SLOPE

CONFIG = ("models.utils.config", "BaseConfig")
_DUE: dict[str, Any] = {
    "leakyReluLeak": SLOPE,
    "perChannelNormalization": True,
    "equalizedlR": True,
    "dimOutput": 3,
}
_UNBOUNDED = ("WGANGP", "Logistic")  # losses whose generators end in RGB as it is; after the others stands a tanh


def read_gan_zoo(path: str | Path, config: Mapping[str, Any], state: Mapping[str, Tensor]) -> Plain:
    """Return the weights of the averaged generator, ``avgG``.

    Parameters
    ----------
    path : str or Path
    config : mapping
        Attributes of the checkpoint's configuration.
    state : mapping of str to Tensor

    Raises
    ------
    GeneratorError
        When a tensor is missing, too many or of another shape, or the configuration is of another network.
    """
    for name, due in _DUE.items():
        if config.get(name, due) != due:
            raise GeneratorError(path, f"its network has {name} {config[name]} where {due} is due", MEND)
    loss = config.get("lossCriterion", _UNBOUNDED[0])
    if loss not in _UNBOUNDED:
        fault = f"its network, trained with the loss {loss}, ends in a hyperbolic tangent, which no PGGAN does"
        raise GeneratorError(path, fault, MEND)
    alpha = config.get("alpha", 0)
    if not isinstance(alpha, (int, float)) or not 0 <= alpha <= 1:
        raise GeneratorError(path, f"its fading, alpha, is {alpha!r} where 0 to 1 is due", MEND)
    tensors = Tensors(path, {_current_name(name): value for name, value in state.items()})
    first = (re.fullmatch(r"scaleLayers\.\d+\.0\.(module\.)?weight", name) for name in state)
    levels = count_levels(path, sum(match is not None for match in first))
    dense = _layer(tensors, "formatLayer", (None, None))
    width = dense[0].shape[0] // 16
    convs = [_layer(tensors, "groupScale0.0", (width, width, 3, 3))]
    rgb = {0: _layer(tensors, "toRGBLayers.0", (3, width, 1, 1))}
    for level in range(1, levels):
        convs.append(_layer(tensors, f"scaleLayers.{level - 1}.0", (None, width, 3, 3)))
        width = convs[-1][0].shape[0]
        convs.append(_layer(tensors, f"scaleLayers.{level - 1}.1", (width, width, 3, 3)))
        rgb[level] = _layer(tensors, f"toRGBLayers.{level}", (3, width, 1, 1))
    if dense[0].shape[0] != 16 * convs[0][0].shape[0]:
        raise GeneratorError(path, "its format layer is not 16 times as wide as the block behind it", MEND)
    tensors.finish()
    return Plain(dense, convs, rgb, check_lod(path, float(alpha)))


def _current_name(name: str) -> str:
    """Name of a tensor since layers are wrapped; the tool itself still reads ``formatLayer.weight`` and the like."""
    return re.sub(r"(?<!\.module)\.(weight|bias)$", r".module.\1", name)


def _layer(tensors: Tensors, name: str, shape: tuple[int | None, ...]) -> Pair:
    """Weight and bias, both scaled: the constant multiplies the layer's output."""
    weight = tensors.take(f"{name}.module.weight", shape)
    scale = sqrt(2 / prod(weight.shape[1:]))
    return weight * scale, tensors.take(f"{name}.module.bias", (weight.shape[0],)) * scale
