"""The network pickles of StyleGAN2 (its PyTorch code), StyleGAN3 and StyleGAN-XL."""

from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.persistent import MEND, Part, Persistent, keys_of, linear, same
from hyper.generators.stylegan import SLOPE, StyleGAN, StyleMapping, unit_power
from hyper.generators.stylegan2 import FILTER, StyleGAN2
from hyper.generators.stylegan3 import AliasFree, Signal, StyleGAN3

State = dict[str, Tensor]

# arguments of the generators; the numbers that follow from them are stored with each layer and taken from there
_KEYS = {
    "z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs", "synthesis_kwargs",
    "num_layers", "lr_multiplier", "w_avg_beta", "embed_features", "layer_features", "activation", "rand_embedding",
    "channel_base", "channel_max", "num_fp16_res", "conv_clamp", "architecture", "resample_filter", "use_fp16",
    "fp16_channels_last", "fused_modconv_default", "kernel_size", "use_noise", "num_critical", "first_cutoff",
    "first_stopband", "last_stopband_rel", "margin_size", "output_scale", "conv_kernel", "filter_size",
    "lrelu_upsampling", "use_radial_filters", "magnitude_ema_beta", "path_stem", "head_layers", "up_factor",
}  # fmt: skip
_VALUES = {"activation": ("lrelu",), "architecture": ("skip",), "kernel_size": (3,), "img_channels": (3,)}


def is_stylegan(tree: Any) -> bool:
    """Whether an unpickled tree is that of a network pickle."""
    return isinstance(tree, dict) and "G_ema" in tree


def read_stylegan(path: str | Path, tree: Any) -> StyleGAN:
    """Return G_ema, the averaged generator, of an unpickled tree.

    Raises
    ------
    GeneratorError
        When it is no such generator, or anything of it is missing, too much or unknown.
    """
    if not is_stylegan(tree) or not isinstance(tree["G_ema"], Persistent):
        raise GeneratorError(path, "it holds no network G_ema of torch_utils.persistence", MEND)
    whole = Part(path, tree["G_ema"])
    for key, value in keys_of(whole):
        if key not in _KEYS or (key in _VALUES and value not in _VALUES[key]):
            raise whole.fault(f"was made with {key} = {value!r}, which is unknown")
    synthesis = whole.part("synthesis")
    if "b4" not in synthesis and "input" not in synthesis:
        raise whole.fault(f"is a {whole.class_name}, neither StyleGAN2 nor StyleGAN3 nor StyleGAN-XL")
    mapping, state = _mapping(whole.part("mapping"))
    read: Callable[[Part, StyleMapping, State], StyleGAN] = _stylegan2 if "b4" in synthesis else _stylegan3
    network = read(synthesis, mapping, state)
    whole.finish()
    missing, unknown = network.load_state_dict({key: value.float() for key, value in state.items()}, strict=False)
    if missing or unknown:
        raise whole.fault(f"does not fill {', '.join([*missing, *unknown][:3])}")
    return network


def _put(state: State, name: str, pair: tuple[Tensor, Tensor]) -> None:
    state[f"{name}.weight"], state[f"{name}.bias"] = pair


def _mapping(part: Part) -> tuple[StyleMapping, State]:
    state: State = {}
    widths: list[int] = []
    first = 0
    while f"fc{len(widths)}" in part:
        number = len(widths)
        pair = linear(part.part(f"fc{number}"), (None, widths[-1] if widths else None), "lrelu")
        if not widths:
            first = pair[0].shape[1]
        widths.append(pair[0].shape[0])
        _put(state, f"mapping.layers.{number}", pair)
    if not widths:
        raise part.fault("has no layers")
    labels = _labels(part)
    means = part.tensor("w_avg")
    if means.shape not in ((widths[-1],), (len(labels), widths[-1])):
        raise part.fault(f"has mean styles of shape {tuple(means.shape)}")
    state |= {"mapping.labels": labels, "mapping.means": means.reshape(-1, widths[-1])}
    return StyleMapping([first, *widths], len(labels), labels.shape[1], means.ndim > 1), state


def _labels(part: Part) -> Tensor:
    """What stands for each class behind the latent, shape (class, width of it)."""
    classes = part.whole("c_dim")
    if "embed_proj" in part:  # StyleGAN-XL
        vectors = part.part("embed").tensor("weight", (None, None))
        weight, bias = linear(part.part("embed_proj"), (None, vectors.shape[1]), "lrelu")
        embedded = sqrt(2) * functional.leaky_relu(vectors @ weight.T + bias, SLOPE)
    elif "embed" in part:
        weight, bias = linear(part.part("embed"), (None, classes))
        embedded = weight.T + bias
    else:
        embedded = torch.zeros(0, 0, dtype=torch.float64)
    if len(embedded) != classes:
        raise part.fault(f"has {len(embedded)} embedded classes where {classes} are due")
    return unit_power(embedded) if classes else embedded


def _stylegan2(synthesis: Part, mapping: StyleMapping, state: State) -> StyleGAN2:
    levels = 1
    while f"b{4 * 2**levels}" in synthesis:
        levels += 1
    blocks = [synthesis.part(f"b{4 * 2**level}") for level in range(levels)]
    kernel = np.outer(FILTER, FILTER) / sum(FILTER) ** 2
    channels: list[int] = []
    clamps: set[float | None] = set()
    for level, block in enumerate(blocks):
        block.must_be("architecture", "skip")
        _resampling(block, kernel)
        names = ["conv0", "conv1"] if level else ["conv1"]
        for name in names:
            layer = block.part(name)
            layer.must_be("activation", "lrelu")
            _resampling(layer, kernel)
            target = f"pairs.{level - 1}.{names.index(name)}" if level else "first"
            _modulated2(state, target, layer, mapping.width, 4 * 2**level, channels)
            clamps.add(_clamp(layer))
        _colours2(state, f"colours.{level}", block.part("torgb"), mapping.width, channels[-1])
        clamps.add(_clamp(block.part("torgb")))
        if level:
            del channels[-2]  # both layers of a block added theirs
    state["constant"] = blocks[0].tensor("const", (channels[0], 4, 4))
    if len(clamps) != 1:
        raise synthesis.fault(f"clips its layers to different values, {sorted(map(str, clamps))}")
    return StyleGAN2(mapping, channels, clamps.pop())


def _resampling(part: Part, kernel: np.ndarray) -> None:
    if "resample_filter" in part and not same(part.tensor("resample_filter"), kernel):
        raise part.fault("has a resample_filter that is not [1, 3, 3, 1]")


def _clamp(part: Part) -> float | None:
    return None if part.value("conv_clamp") is None else part.number("conv_clamp")


def _modulated2(state: State, target: str, part: Part, width: int, size: int, channels: list[int]) -> None:
    before = channels[-1] if channels else None
    weight = part.tensor("weight", (None, before, 3, 3))
    channels.append(weight.shape[0])
    _put(state, f"{target}.affine", linear(part.part("affine"), (weight.shape[1], width)))
    state[f"{target}.weight"], state[f"{target}.bias"] = weight, part.tensor("bias", (weight.shape[0],))
    noise = torch.zeros(size, size, dtype=torch.float64)
    if "noise_const" in part:
        noise = part.tensor("noise_const", (size, size)) * part.tensor("noise_strength", ())
    state[f"{target}.noise"] = noise if part.value("use_noise") else torch.zeros_like(noise)


def _colours2(state: State, target: str, part: Part, width: int, before: int) -> None:
    _put(state, f"{target}.affine", linear(part.part("affine"), (before, width)))
    state[f"{target}.weight"] = part.tensor("weight", (3, before, 1, 1)) * part.number("weight_gain")
    state[f"{target}.bias"] = part.tensor("bias", (3,))


def _stylegan3(synthesis: Part, mapping: StyleMapping, state: State) -> StyleGAN3:
    features = synthesis.part("input")
    names = synthesis.value("layer_names")
    if not isinstance(names, list) or sorted(map(str, names)) != sorted(set(synthesis) - {"input"}):
        raise synthesis.fault("has other layers than it names")
    parts = [synthesis.part(str(name)) for name in names]
    if not parts:
        raise synthesis.fault("has no layers")
    layers = [_alias_free(part) for part in parts]
    for number, (part, layer) in enumerate(zip(parts, layers, strict=True)):
        layer.check()
        _check_filters(part, layer)
        _layer3(state, f"blocks.{number}", part, layer, mapping.width)
    start = Signal(
        features.whole("channels"), features.whole("size"), features.whole("sampling_rate"),
        features.number("bandwidth"), layers[0].before.half_width,
    )  # fmt: skip
    count = start.channels
    _put(state, "input.affine", linear(features.part("affine"), (4, mapping.width)))
    state["input.weight"] = features.tensor("weight", (count, count)) / sqrt(count)
    state["input.frequencies"] = features.tensor("freqs", (count, 2))
    state["input.phases"] = features.tensor("phases", (count,))
    state["input.transform"] = features.tensor("transform", (3, 3))
    return StyleGAN3(mapping, start, layers, synthesis.number("output_scale"))


def _alias_free(part: Part) -> AliasFree:
    before, after = (
        Signal(
            part.whole(f"{side}_channels"), part.whole(f"{side}_size"), part.whole(f"{side}_sampling_rate"),
            part.number(f"{side}_cutoff"), part.number(f"{side}_half_width"),
        )
        for side in ("in", "out")
    )  # fmt: skip
    return AliasFree(
        before, after, part.whole("tmp_sampling_rate"), part.whole("conv_kernel"), part.whole("up_taps"),
        part.whole("down_taps"), part.value("down_radial") is True, _clamp(part), part.value("is_torgb") is True,
    )  # fmt: skip


def _check_filters(part: Part, layer: AliasFree) -> None:
    for name, due in zip(("up_filter", "down_filter"), layer.filters(), strict=True):
        if name in part and not same(part.tensor(name), due):
            raise part.fault(f"has a {name} that does not follow from its frequencies")


def _layer3(state: State, target: str, part: Part, layer: AliasFree, width: int) -> None:
    before, after, edge = layer.before.channels, layer.after.channels, layer.kernel
    _put(state, f"{target}.affine", linear(part.part("affine"), (before, width)))
    weight, gain = part.tensor("weight", (after, before, edge, edge)), part.tensor("magnitude_ema", ()).rsqrt()
    if not bool(gain.isfinite()):
        raise part.fault("has a magnitude_ema that is not positive")
    if layer.colours:
        weight = weight / sqrt(before)
    else:
        weight = weight * torch.rsqrt(weight.square().mean((1, 2, 3), keepdim=True).clamp_min(1e-30))
    state[f"{target}.weight"], state[f"{target}.bias"] = weight, part.tensor("bias", (after,))
    state[f"{target}.gain"] = gain
