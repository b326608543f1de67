"""Inception v3, up to its final pooling."""

from collections.abc import Collection
from pathlib import Path
from typing import TypedDict

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, max_pool2d

from hyper.networks.looking import HALVES, Looker, Preparation
from hyper.networks.weights import fill, read_weights

LAYERS = ("pool",)
Size = int | tuple[int, int]


class _Along(TypedDict):
    kernel: Size
    padding: Size


class Unit(nn.Module):
    """Convolution, normalisation, activation."""

    def __init__(self, inside: int, outside: int, kernel: Size, stride: int = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outside, 1e-3)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (n, channel, y, x) both."""
        return self.bn(self.conv(x)).relu()


def _pooled(x: Tensor) -> Tensor:
    return avg_pool2d(x, 3, 1, 1)


class MixedA(nn.Module):
    """35 x 35 positions."""

    def __init__(self, inside: int, pool: int) -> None:
        super().__init__()
        self.branch1x1 = Unit(inside, 64, 1)
        self.branch5x5_1, self.branch5x5_2 = Unit(inside, 48, 1), Unit(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = Unit(inside, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = Unit(64, 96, 3, padding=1), Unit(96, 96, 3, padding=1)
        self.branch_pool = Unit(inside, pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Four branches, side by side."""
        five = self.branch5x5_2(self.branch5x5_1(x))
        three = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, three, self.branch_pool(_pooled(x))], 1)


class MixedB(nn.Module):
    """From 35 x 35 to 17 x 17 positions."""

    def __init__(self, inside: int) -> None:
        super().__init__()
        self.branch3x3 = Unit(inside, 384, 3, 2)
        self.branch3x3dbl_1 = Unit(inside, 64, 1)
        self.branch3x3dbl_2, self.branch3x3dbl_3 = Unit(64, 96, 3, padding=1), Unit(96, 96, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Three branches, side by side."""
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, max_pool2d(x, 3, 2)], 1)


class MixedC(nn.Module):
    """17 x 17 positions."""

    def __init__(self, inside: int, width: int) -> None:
        super().__init__()
        row: _Along = {"kernel": (1, 7), "padding": (0, 3)}
        column: _Along = {"kernel": (7, 1), "padding": (3, 0)}
        self.branch1x1 = Unit(inside, 192, 1)
        self.branch7x7_1 = Unit(inside, width, 1)
        self.branch7x7_2, self.branch7x7_3 = Unit(width, width, **row), Unit(width, 192, **column)
        self.branch7x7dbl_1 = Unit(inside, width, 1)
        self.branch7x7dbl_2, self.branch7x7dbl_3 = Unit(width, width, **column), Unit(width, width, **row)
        self.branch7x7dbl_4, self.branch7x7dbl_5 = Unit(width, width, **column), Unit(width, 192, **row)
        self.branch_pool = Unit(inside, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Four branches, side by side."""
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_pooled(x))], 1)


class MixedD(nn.Module):
    """From 17 x 17 to 8 x 8 positions."""

    def __init__(self, inside: int) -> None:
        super().__init__()
        self.branch3x3_1, self.branch3x3_2 = Unit(inside, 192, 1), Unit(192, 320, 3, 2)
        self.branch7x7x3_1 = Unit(inside, 192, 1)
        self.branch7x7x3_2 = Unit(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Unit(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Unit(192, 192, 3, 2)

    def forward(self, x: Tensor) -> Tensor:
        """Three branches, side by side."""
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, max_pool2d(x, 3, 2)], 1)


class MixedE(nn.Module):
    """8 x 8 positions."""

    def __init__(self, inside: int) -> None:
        super().__init__()
        row: _Along = {"kernel": (1, 3), "padding": (0, 1)}
        column: _Along = {"kernel": (3, 1), "padding": (1, 0)}
        self.branch1x1 = Unit(inside, 320, 1)
        self.branch3x3_1 = Unit(inside, 384, 1)
        self.branch3x3_2a, self.branch3x3_2b = Unit(384, 384, **row), Unit(384, 384, **column)
        self.branch3x3dbl_1, self.branch3x3dbl_2 = Unit(inside, 448, 1), Unit(448, 384, 3, padding=1)
        self.branch3x3dbl_3a, self.branch3x3dbl_3b = Unit(384, 384, **row), Unit(384, 384, **column)
        self.branch_pool = Unit(inside, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Four branches, side by side."""
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        parts = [self.branch1x1(x), self.branch3x3_2a(three), self.branch3x3_2b(three)]
        parts += [self.branch3x3dbl_3a(double), self.branch3x3dbl_3b(double), self.branch_pool(_pooled(x))]
        return torch.cat(parts, 1)


class InceptionV3(nn.Module):
    """Inception v3 (Szegedy et al., 2016, CVPR) without classifiers, named as torchvision's."""

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = Unit(3, 32, 3, 2)
        self.Conv2d_2a_3x3 = Unit(32, 32, 3)
        self.Conv2d_2b_3x3 = Unit(32, 64, 3, padding=1)
        self.Conv2d_3b_1x1 = Unit(64, 80, 1)
        self.Conv2d_4a_3x3 = Unit(80, 192, 3)
        self.Mixed_5b, self.Mixed_5c, self.Mixed_5d = MixedA(192, 32), MixedA(256, 64), MixedA(288, 64)
        self.Mixed_6a = MixedB(288)
        self.Mixed_6b, self.Mixed_6c = MixedC(768, 128), MixedC(768, 160)
        self.Mixed_6d, self.Mixed_6e = MixedC(768, 160), MixedC(768, 192)
        self.Mixed_7a = MixedD(768)
        self.Mixed_7b, self.Mixed_7c = MixedE(1280), MixedE(2048)

    def forward(self, x: Tensor, layers: Collection[str] = LAYERS) -> dict[str, Tensor]:
        """``pool``, shape (n, 2048): the mean over the last map."""
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = max_pool2d(x, 3, 2)
        x = max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        for name, module in self.named_children():
            if name.startswith("Mixed"):
                x = module(x)
        return {"pool": x.mean(dim=(2, 3))}


def load_inception(path: str | Path) -> Looker:
    """Read torchvision's ``inception_v3_google-0cc3c7bd.pth``; images at 342 x 342 pixels.

    The size is MindEye's (Scotti et al., 2023); its weights want pixels from -1 to 1.

    Raises
    ------
    NetworkError
    """
    network = InceptionV3()
    fill(path, network, read_weights(path), ("fc.", "AuxLogits."))
    return Looker(network, Preparation(342, *HALVES), LAYERS)
