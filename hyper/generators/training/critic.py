"""The critic of a progressively grown PGGAN."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.generators.strips import SLOPE


class Critic(nn.Module):
    """Mirror of the generator: image -> halved down to 4 x 4 -> score (Karras et al., 2018, Table 2).

    Parameters
    ----------
    channels : sequence of int
        Of the blocks, from 4 x 4 pixels upward.
    group : int
        Images over which the minibatch standard deviation is taken.

    Attributes
    ----------
    fade : float
        Weight of the newest block, 0 to 1; the rest is the halved image through the block below.
    """

    def __init__(self, channels: Sequence[int], group: int = 4) -> None:
        super().__init__()
        self.channels, self.group, self.fade = tuple(channels), group, 1.0
        first = channels[0]
        self.rgb = nn.ModuleList(nn.Conv2d(3, width, 1) for width in channels)
        self.keep = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for width in channels[1:])
        self.halve = nn.ModuleList(nn.Conv2d(above, below, 3, padding=1) for below, above in pairwise(channels))
        self.conv = nn.Conv2d(first + 1, first, 3, padding=1)
        self.dense = nn.Linear(16 * first, first)
        self.score = nn.Linear(first, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Score images of shape (n, 3, height, width): the higher, the more real. Shape (n,)."""
        top = len(self.channels) - 1
        x = _activate(self.rgb[top](images))
        for block in range(top - 1, -1, -1):
            x = _activate(self.keep[block](x))
            x = functional.avg_pool2d(_activate(self.halve[block](x)), 2)
            if block == top - 1 and self.fade < 1:
                below = _activate(self.rgb[block](functional.avg_pool2d(images, 2)))
                x = torch.lerp(below, x, self.fade)
        x = _activate(self.conv(torch.cat((x, deviation(x, self.group)), 1)))
        return self.score(_activate(self.dense(x.flatten(1)))).squeeze(1)


def deviation(x: Tensor, group: int) -> Tensor:
    """Minibatch standard deviation: over a group of images, averaged over channels and pixels.

    Parameters
    ----------
    x : Tensor, shape (n, channel, height, width)
    group : int
        Size of the groups; the whole batch where it does not divide n.

    Returns
    -------
    Tensor, shape (n, 1, height, width)
    """
    n, _, height, width = x.shape
    group = group if n % group == 0 else n
    groups = x.float().unflatten(0, (group, n // group))
    spread = (groups.var(0, correction=0) + 1e-8).sqrt().mean((1, 2, 3))
    return spread.repeat(group)[:, None, None, None].expand(n, 1, height, width).to(x.dtype)


def _activate(x: Tensor) -> Tensor:
    return functional.leaky_relu(x, SLOPE)
