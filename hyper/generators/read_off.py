"""Small images from a large generator at a fraction of the cost: read off an inner layer by a linear map."""

import logging
from collections.abc import Iterator
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from hyper.errors import GeneratorError
from hyper.generators.batches import generate
from hyper.generators.cropped import Cropped

_log = logging.getLogger(__name__)


class ReadOff:
    """Images of a generator, cropped and shrunken, approximated from one of its layers.

    The colours of a pixel are an affine function of the layer's channels at that place, both averaged over the pixel;
    the function is the least-squares fit to true images. Nothing behind the layer is computed.

    Parameters
    ----------
    exact : Cropped
        The generator, the size of the images and the crop.
    layer : str
        Best one that is not coarser than the images.
    latents : ndarray, shape (n, latent)
        Of the images that are made in full to fit the map; the last eighth of them is left to test it.

    Attributes
    ----------
    explained : float
        Share of the variance (about the mean image) of the tested images that the map explains.

    Raises
    ------
    GeneratorError
        When the layer is no stack of maps.
    """

    def __init__(self, exact: Cropped, layer: str, latents: np.ndarray) -> None:
        self.exact, self.layer = exact, layer
        self.latent_dim, self.layers = exact.latent_dim, exact.layers
        shapes = {place.name: place.shape for place in exact.layers}
        if len(shapes.get(layer, ())) != 3:
            names = ", ".join(name for name, shape in shapes.items() if len(shape) == 3)
            raise GeneratorError("--read-off", f"{layer!r} is no stack of maps", f"Choose one of {names}")
        truth = np.concatenate(list(generate(exact, latents)))
        weight = next(exact.parameters())
        self.rows, self.columns = (
            part.to(weight.device) for part in self._places(shapes[layer][1], shapes["image"][1])
        )
        fitted = len(latents) - max(1, len(latents) // 8)
        self.map = torch.zeros(shapes[layer][0] + 1, 3).to(weight.device)
        self.map = self._fit(latents[:fitted], truth[:fitted]).to(weight.device, torch.float32)
        made = np.concatenate(list(generate(self, latents[fitted:])))
        error = np.square(made - truth[fitted:]).sum()
        self.explained = 1 - float(error / np.square(truth[fitted:] - truth[:fitted].mean(0)).sum())
        _log.info("read off %s: %.3f of the variance of %d images", layer, self.explained, len(made))

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of a layer; only images are approximated."""
        return self.images(z) if layer == "image" else self.exact.activations(z, layer)

    def images(self, z: Tensor) -> Tensor:
        """RGB images, shape (n, 3, size, size)."""
        return torch.einsum("nkyx,kc->ncyx", self._features(z), self.map)

    def parameters(self) -> Iterator[nn.Parameter]:
        """The weights of the generator."""
        return self.exact.parameters()

    def to(self, device: torch.device) -> Self:
        """Move to a device."""
        self.exact, self.map = self.exact.to(device), self.map.to(device)
        self.rows, self.columns = self.rows.to(device), self.columns.to(device)
        return self

    def _places(self, layer_size: int, image_size: int) -> tuple[Tensor, Tensor]:
        left, top, right, bottom = self.exact.crop or (0, 0, image_size, image_size)
        share = layer_size / image_size
        rows = mean_over_pixels(top * share, bottom * share, layer_size, self.exact.size)
        return rows, mean_over_pixels(left * share, right * share, layer_size, self.exact.size)

    def _features(self, z: Tensor) -> Tensor:
        maps = self.exact.activations(z, self.layer).float()
        maps = torch.einsum("yh,nkhw,xw->nkyx", self.rows, maps, self.columns)
        return torch.cat((maps, torch.ones_like(maps[:, :1])), 1)

    @torch.no_grad()
    def _fit(self, latents: np.ndarray, truth: np.ndarray) -> Tensor:
        channels = len(self.map)
        moments = torch.zeros(channels, channels + 3, dtype=torch.float64)
        for start in range(0, len(latents), 8):
            z = torch.from_numpy(latents[start : start + 8]).to(self.map)
            x = self._features(z).transpose(0, 1).flatten(1).double().cpu()
            y = torch.from_numpy(truth[start : start + 8]).transpose(0, 1).flatten(1).double()
            moments += x @ torch.cat((x, y)).T
        gram = moments[:, :channels]
        return torch.linalg.solve(
            gram + 1e-6 * gram.diagonal().mean() * torch.eye(channels).double(), moments[:, channels:]
        )


def mean_over_pixels(start: float, stop: float, size: int, pixels: int) -> Tensor:
    """Return weights that average places over equal pixels, in proportion to the overlap.

    Parameters
    ----------
    start, stop : float
        Part of the axis that the pixels cover, in places.
    size : int
        Places on the axis.
    pixels : int

    Returns
    -------
    Tensor, shape (pixels, size)
        Rows sum to 1.
    """
    edges = np.linspace(start, stop, pixels + 1)
    places = np.arange(size)
    overlap = np.minimum(edges[1:, None], places + 1) - np.maximum(edges[:-1, None], places)
    return torch.from_numpy((np.clip(overlap, 0, None) * pixels / (stop - start)).astype(np.float32))
