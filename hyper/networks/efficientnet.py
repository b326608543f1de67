"""EfficientNet-B1, up to its final pooling."""

from collections.abc import Collection
from pathlib import Path

from torch import Tensor, nn
from torch.nn.functional import silu

from hyper.networks.looking import IMAGENET, Looker, Preparation
from hyper.networks.weights import fill, read_weights

LAYERS = ("pool",)
# expansion, kernel, stride, channels in, channels out, blocks
_STAGES = (
    (1, 3, 1, 32, 16, 2), (6, 3, 2, 16, 24, 3), (6, 5, 2, 24, 40, 3), (6, 3, 2, 40, 80, 4),
    (6, 5, 1, 80, 112, 4), (6, 5, 2, 112, 192, 5), (6, 3, 1, 192, 320, 2),
)  # fmt: skip


class Unit(nn.Sequential):
    """Convolution, normalisation and, but for the last of a block, activation."""

    def __init__(self, inside: int, outside: int, kernel: int, stride: int = 1, groups: int = 1, act: bool = True):
        conv = nn.Conv2d(inside, outside, kernel, stride, kernel // 2, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outside), *([nn.SiLU()] if act else []))


class Excitation(nn.Module):
    """Weights of the channels from their means (Hu, Shen & Sun, 2018, CVPR)."""

    def __init__(self, channels: int, squeezed: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Conv2d(channels, squeezed, 1), nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channel, y, x) both."""
        return x * self.fc2(silu(self.fc1(x.mean(dim=(2, 3), keepdim=True)))).sigmoid()


class Block(nn.Module):
    """Expand, filter each channel, weigh the channels, project back."""

    def __init__(self, expansion: int, kernel: int, stride: int, inside: int, outside: int) -> None:
        super().__init__()
        wide = inside * expansion
        steps: list[nn.Module] = [Unit(inside, wide, 1)] if expansion > 1 else []
        steps += [Unit(wide, wide, kernel, stride, wide), Excitation(wide, max(1, inside // 4))]
        self.block = nn.Sequential(*steps, Unit(wide, outside, 1, act=False))
        self.same = stride == 1 and inside == outside

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channel, y, x) both."""
        return x + self.block(x) if self.same else self.block(x)


class EfficientNetB1(nn.Module):
    """EfficientNet-B1 (Tan & Le, 2019, ICML) without classifier, named as torchvision's."""

    def __init__(self) -> None:
        super().__init__()
        stages: list[nn.Module] = [Unit(3, 32, 3, 2)]
        for expansion, kernel, stride, inside, outside, count in _STAGES:
            first = Block(expansion, kernel, stride, inside, outside)
            stages.append(
                nn.Sequential(first, *(Block(expansion, kernel, 1, outside, outside) for _ in range(count - 1)))
            )
        self.features = nn.Sequential(*stages, Unit(320, 1280, 1))

    def forward(self, x: Tensor, layers: Collection[str] = LAYERS) -> dict[str, Tensor]:
        """``pool``, shape (n, 1280): the mean over the last map."""
        return {"pool": self.features(x).mean(dim=(2, 3))}


def load_efficientnet(path: str | Path) -> Looker:
    """Read torchvision's ``efficientnet_b1-c27df63c.pth``; images at 255 x 255 pixels.

    The size is MindEye's (Scotti et al., 2023).

    Raises
    ------
    NetworkError
    """
    network = EfficientNetB1()
    fill(path, network, read_weights(path), ("classifier.",))
    return Looker(network, Preparation(255, *IMAGENET), LAYERS)
