"""What is common to networks that look at images: preparing them, and reading activations in batches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from hyper.errors import NetworkError

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALVES = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
_BATCH = 8


@dataclass(frozen=True)
class Preparation:
    """How a network wants its images.

    Attributes
    ----------
    size : int
        Height and width, pixels; images are brought to it as a whole, bilinear, antialiased when smaller.
    mean, std : tuple of float
        Subtracted and divided by, per channel in the order of the network.
    scale : float
        White: 1 or 255.
    bgr : bool
        Blue first.
    """

    size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    scale: float = 1.0
    bgr: bool = False

    def __call__(self, images: np.ndarray) -> Tensor:
        """Images, shape (n, height, width, 3), uint8, as the network takes them: (n, 3, size, size)."""
        pixels = torch.from_numpy(np.require(images, requirements=["C", "W"])).permute(0, 3, 1, 2).float()
        if pixels.shape[2:] != (self.size, self.size):
            pixels = interpolate(pixels, (self.size, self.size), mode="bilinear", antialias=True, align_corners=False)
        if self.bgr:
            pixels = pixels.flip(1)
        mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (self.mean, self.std))
        return (pixels * (self.scale / 255) - mean) / std


class Looker:
    """A network with its preparation of images.

    Parameters
    ----------
    network : Module
        Its ``forward(x, layers)`` returns the activations of the layers named, each a tensor (n, ...).
    prepare : callable
        From images to the network's input.
    layers : sequence of str
        Names of all layers.
    """

    def __init__(self, network: nn.Module, prepare: Callable[[np.ndarray], Tensor], layers: Sequence[str]) -> None:
        self.network, self.prepare, self.layers = network, prepare, tuple(layers)
        self.device = torch.device("cpu")

    def to(self, device: torch.device) -> Self:
        """Move to a device; activations come back to the CPU."""
        self.network.to(device)
        self.device = device
        return self

    @torch.no_grad()
    def activations(self, images: np.ndarray, layers: Sequence[str], batch: int = _BATCH) -> dict[str, np.ndarray]:
        """Activations of layers.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, height, width, 3)
        layers : sequence of str
        batch : int
            Images at a time.

        Returns
        -------
        dict of str to ndarray of float32, shape (n, ...)

        Raises
        ------
        NetworkError
            When there is no such layer.
        """
        unknown = [layer for layer in layers if layer not in self.layers]
        if unknown:
            raise NetworkError(unknown[0], "the network has no such layer", f"Choose from {', '.join(self.layers)}")
        parts: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
        for start in range(0, len(images), batch):
            found = self.network(self.prepare(images[start : start + batch]).to(self.device), layers)
            for layer in layers:
                parts[layer].append(found[layer].cpu().numpy())
        return {layer: np.concatenate(part) for layer, part in parts.items()}
