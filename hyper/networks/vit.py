"""The image encoders of CLIP, read from their weights: vision transformers of any size, and residual networks."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from hyper.errors import NetworkError
from hyper.networks.clip_resnet import clip_resnet
from hyper.networks.looking import CLIP, Looker, Preparation
from hyper.networks.weights import fill, read_weights

Activation = Literal["quick_gelu", "gelu"]
# width of an attention head where it is not 64
_HEADS = {1280: 80, 1408: 88, 1664: 104}
# Hugging Face's names, and OpenAI's
_OUTSIDE = {
    "embeddings.class_embedding": "class_embedding",
    "embeddings.patch_embedding.weight": "conv1.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "pre_layrnorm.weight": "ln_pre.weight",
    "pre_layrnorm.bias": "ln_pre.bias",
    "post_layernorm.weight": "ln_post.weight",
    "post_layernorm.bias": "ln_post.bias",
}
_INSIDE = {
    "layer_norm1": "ln_1", "layer_norm2": "ln_2", "mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}  # fmt: skip


class Attention(nn.Module):
    """Multi-head self-attention, named as torch's."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, token, width) both."""
        parts = nn.functional.linear(x, self.in_proj_weight, self.in_proj_bias)
        query, key, value = parts.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return self.out_proj(scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention and two dense layers, each on the normalised tokens and added to them."""

    def __init__(self, width: int, heads: int, hidden: int, activation: Activation) -> None:
        super().__init__()
        self.activation = activation
        self.ln_1, self.attn = nn.LayerNorm(width), Attention(width, heads)
        self.ln_2 = nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, hidden), "c_proj": nn.Linear(hidden, width)})

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, token, width) both."""
        x = x + self.attn(self.ln_1(x))
        y = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](y * torch.sigmoid(1.702 * y) if self.activation == "quick_gelu" else gelu(y))


class Blocks(nn.Module):
    """Blocks under the name that they have in the weights."""

    def __init__(self, blocks: list[Block]) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(blocks)


class VisionTransformer(nn.Module):
    """The image encoder of CLIP (Radford et al., 2021, ICML), named as OpenAI's.

    Parameters
    ----------
    size, patch, width, blocks, heads, hidden, outside : int
        Pixels of image and patch; width of tokens; blocks; attention heads; hidden units; numbers of the embedding.
    activation : {'quick_gelu', 'gelu'}
    """

    def __init__(
        self,
        size: int,
        patch: int,
        width: int,
        blocks: int,
        heads: int,
        hidden: int,
        outside: int,
        activation: Activation = "quick_gelu",
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.class_embedding = nn.Parameter(torch.empty(width))
        self.positional_embedding = nn.Parameter(torch.empty((size // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Blocks([Block(width, heads, hidden, activation) for _ in range(blocks)])
        self.proj = nn.Parameter(torch.empty(width, outside))

    @property
    def layers(self) -> tuple[str, ...]:
        """``block1`` and so on, and ``embedding``."""
        return *(f"block{i + 1}" for i in range(len(self.transformer.resblocks))), "embedding"

    def forward(self, x: Tensor, layers: Collection[str] = ("embedding",)) -> dict[str, Tensor]:
        """Tokens behind a block, shape (n, token, width), the class token first; ``embedding``, shape (n, outside)."""
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), patches], 1) + self.positional_embedding
        x, found = self.ln_pre(x), {}
        for number, block in enumerate(self.transformer.resblocks, 1):
            x = found[f"block{number}"] = block(x)
        found["embedding"] = self.ln_post(x[:, 0]) @ self.proj
        return {name: found[name] for name in layers}


def load_clip(path: str | Path, activation: Activation = "quick_gelu") -> Looker:
    """The image encoder of a CLIP of any kind and size, such as ViT-L/14@336px or RN50; features are ``embedding``.

    Images are brought to the network's own resolution as a whole, bilinear, as MindEye does (Scotti et al., 2023).

    Parameters
    ----------
    path : str or Path
        OpenAI's ``ViT-L-14.pt`` or ``RN50.pt``, a state dict of open_clip, Hugging Face's ``model.safetensors`` (of
        transformers); with or without the text encoder.
    activation : {'quick_gelu', 'gelu'}
        Of transformers, which the weights do not tell: OpenAI's have quick_gelu, most of open_clip's gelu.

    Raises
    ------
    NetworkError
    """
    tensors = _visual(path, read_weights(path))
    if "attnpool.positional_embedding" in tensors:
        return clip_resnet(path, tensors)
    network = VisionTransformer(**_sizes(path, tensors), activation=activation)
    fill(path, network, tensors)
    pixels = network.conv1.kernel_size[0] * round((len(network.positional_embedding) - 1) ** 0.5)
    return Looker(network, Preparation(pixels, *CLIP), network.layers)


def _visual(path: str | Path, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if any(name.startswith("vision_model.") for name in tensors):
        return _from_hugging_face(tensors)
    prefix = "visual." if any(name.startswith("visual.") for name in tensors) else ""
    found = {name.removeprefix(prefix): values for name, values in tensors.items() if name.startswith(prefix)}
    if "attnpool.positional_embedding" in found:
        return found
    if "conv1.weight" not in found or "class_embedding" not in found or "proj" not in found:
        raise NetworkError(path, "it holds no vision transformer of CLIP", "Give the weights of a CLIP ViT")
    return found


def _from_hugging_face(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {}
    for name, values in tensors.items():
        own = name.removeprefix("vision_model.")
        if name == "visual_projection.weight":
            found["proj"] = values.T
        elif own in _OUTSIDE:
            found[_OUTSIDE[own]] = values
        elif own.startswith("encoder.layers.") and own != name:
            _, _, number, rest = own.split(".", 3)
            part, kind = rest.rsplit(".", 1)
            if part in _INSIDE:
                found[f"transformer.resblocks.{number}.{_INSIDE[part]}.{kind}"] = values
            elif part == "self_attn.q_proj":
                three = [tensors[name.replace("q_proj", letter)] for letter in ("q_proj", "k_proj", "v_proj")]
                found[f"transformer.resblocks.{number}.attn.in_proj_{kind}"] = torch.cat(three)
    return found


def _sizes(path: str | Path, tensors: Mapping[str, Tensor]) -> dict[str, int]:
    """Arguments of `VisionTransformer`, from the shapes of the weights."""
    try:
        width, _, patch, _ = tensors["conv1.weight"].shape
        side = round((len(tensors["positional_embedding"]) - 1) ** 0.5)
        hidden = len(tensors["transformer.resblocks.0.mlp.c_fc.weight"])
        outside = tensors["proj"].shape[1]
    except (KeyError, ValueError, IndexError) as fault:
        raise NetworkError(path, "it holds no vision transformer of CLIP", "Give the weights of a CLIP ViT") from fault
    blocks = len({name.split(".")[2] for name in tensors if name.startswith("transformer.resblocks.")})
    return {
        "size": side * patch, "patch": patch, "width": width, "blocks": blocks,
        "heads": max(1, width // _HEADS.get(width, 64)), "hidden": hidden, "outside": outside,
    }  # fmt: skip
