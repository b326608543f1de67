"""CLIP's residual networks, such as RN50, whose last map is pooled by attention; read from their weights."""

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, scaled_dot_product_attention

from hyper.errors import NetworkError
from hyper.networks.looking import CLIP, Looker, Preparation
from hyper.networks.weights import fill

LAYERS = ("layer1", "layer2", "layer3", "layer4", "embedding")
_HEAD = 64  # width of an attention head
_SMALLER = 32  # pixels of the image for one of the last map


class Block(nn.Module):
    """Three convolutions and a shortcut; means over squares take the place of strides."""

    def __init__(self, inside: int, width: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.conv1, self.bn1 = nn.Conv2d(inside, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride > 1 or inside != 4 * width:
            shortcut = nn.Conv2d(inside, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
            self.downsample = nn.Sequential(OrderedDict(zip(("0", "1"), shortcut, strict=True)))

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channel, y, x) both."""
        y = self.bn1(self.conv1(x)).relu()
        y = self.bn2(self.conv2(y)).relu()
        y = self.bn3(self.conv3(self._pooled(y)))
        return (y + (x if self.downsample is None else self.downsample(self._pooled(x)))).relu()

    def _pooled(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, self.stride) if self.stride > 1 else x


class AttentionPool(nn.Module):
    """What the mean over a map attends to in it."""

    def __init__(self, side: int, width: int, outside: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(side**2 + 1, width))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width) for _ in range(3))
        self.c_proj = nn.Linear(width, outside)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channel, y, x) -> (n, outside)."""
        places = x.flatten(2).transpose(1, 2)
        tokens = torch.cat([places.mean(dim=1, keepdim=True), places], 1) + self.positional_embedding
        asked = self._heads(self.q_proj(tokens[:, :1]))
        found = scaled_dot_product_attention(asked, self._heads(self.k_proj(tokens)), self._heads(self.v_proj(tokens)))
        return self.c_proj(found.transpose(1, 2).flatten(2))[:, 0]

    def _heads(self, x: Tensor) -> Tensor:
        """(n, token, width) -> (n, head, token, 64)."""
        return x.unflatten(2, (-1, _HEAD)).transpose(1, 2)


class ClipResNet(nn.Module):
    """The residual image encoder of CLIP (Radford et al., 2021, ICML), named as OpenAI's.

    Parameters
    ----------
    blocks : sequence of int
        Of each of the four layers.
    width, side, outside : int
        Channels behind the stem, pixels of the last map along an axis, numbers of the embedding.
    """

    def __init__(self, blocks: Sequence[int], width: int, side: int, outside: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, width // 2, 3, 2, 1, bias=False), nn.BatchNorm2d(width // 2)
        self.conv2, self.bn2 = nn.Conv2d(width // 2, width // 2, 3, 1, 1, bias=False), nn.BatchNorm2d(width // 2)
        self.conv3, self.bn3 = nn.Conv2d(width // 2, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
        inside = width
        for number, count in enumerate(blocks):
            own = width * 2**number
            layer = [
                Block(4 * own if place else inside, own, 2 if number and not place else 1) for place in range(count)
            ]
            setattr(self, f"layer{number + 1}", nn.Sequential(*layer))
            inside = 4 * own
        self.attnpool = AttentionPool(side, inside, outside)

    def forward(self, x: Tensor, layers: Collection[str] = ("embedding",)) -> dict[str, Tensor]:
        """Maps behind ``layer1`` to ``layer4``, shape (n, channel, y, x); ``embedding``, shape (n, outside)."""
        for number in (1, 2, 3):
            x = getattr(self, f"bn{number}")(getattr(self, f"conv{number}")(x)).relu()
        x, found = avg_pool2d(x, 2), {}
        for name in LAYERS[:-1]:
            x = found[name] = getattr(self, name)(x)
        found["embedding"] = self.attnpool(x)
        return {name: found[name] for name in layers}


def clip_resnet(path: str | Path, tensors: Mapping[str, Tensor]) -> Looker:
    """Make the network that the weights of a residual image encoder of CLIP belong to.

    Parameters
    ----------
    path : str or Path
        Named in messages.
    tensors : mapping of str to Tensor
        By OpenAI's names, without ``visual.``.

    Raises
    ------
    NetworkError
        When they are not those of such a network.
    """
    try:
        width = len(tensors["layer1.0.conv1.weight"])
        side = round((len(tensors["attnpool.positional_embedding"]) - 1) ** 0.5)
        outside = len(tensors["attnpool.c_proj.weight"])
    except (KeyError, TypeError) as fault:
        raise NetworkError(path, "it holds no image encoder of CLIP", "Give the weights of a CLIP") from fault
    blocks = [
        len({name.split(".")[1] for name in tensors if name.startswith(f"{layer}.")}) for layer in LAYERS[:-1]
    ]  # fmt: skip
    network = ClipResNet(blocks, width, side, outside)
    fill(path, network, tensors)
    return Looker(network, Preparation(_SMALLER * side, *CLIP), LAYERS)
