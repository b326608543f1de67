"""The networks of a VAE-GAN (Larsen et al., 2016), with the sizes of VanRullen & Reddy (2019).

Theirs, read from their code (github.com/rufinv/VAE-GAN-celebA): images of 128 x 128 pixels; an encoder of five
convolutions of 3 x 3 with stride 2, batch normalisation and ELU, with 192, 256, 384, 512 and 768 channels, and 1024
hidden units; 1024 latents; a decoder that mirrors it from 1024 x 4 x 4. Here, as by Larsen et al., mean and
log-variance are not bounded by tanh, the hidden layer has batch normalisation and ELU too, and the image comes from a
tanh alone; kernels of decoder and discriminator are 4 x 4, since those of 3 x 3 overlap unevenly at stride 2 and draw
a checkerboard. Their discriminator was not released: here it is the encoder's convolutions with one score at the end.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from hyper.baselines.images import shrunk
from hyper.errors import SettingsError
from hyper.generators.base import rounded_uint8

EDGE = 4  # pixels of the coarsest map
_BLOCK = 64  # images at a time


class Encoder(nn.Module):
    """Image -> halved down to 4 x 4 -> mean and log-variance of each latent."""

    def __init__(self, channels: Sequence[int], latents: int, hidden: int) -> None:
        super().__init__()
        self.convs = _halving(channels, 3, first_normed=True)
        self.hidden = _dense(EDGE**2 * channels[-1], hidden)
        self.mean = nn.Linear(hidden, latents)
        self.log_variance = nn.Linear(hidden, latents)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, shape (n, latent) each, of images (n, 3, height, width) in [-1, 1]."""
        x = self.hidden(_through(self.convs, images).flatten(1))
        return self.mean(x).float(), self.log_variance(x).float()


class Decoder(nn.Module):
    """Latents -> as many maps of 4 x 4 -> doubled up to the image."""

    def __init__(self, channels: Sequence[int], latents: int) -> None:
        super().__init__()
        self.latents = latents
        self.dense = nn.Linear(latents, EDGE**2 * latents)
        self.convs = nn.ModuleList(_doubled(*pair) for pair in pairwise((latents, *channels[-2::-1])))
        self.rgb = nn.ConvTranspose2d(channels[0], 3, 4, stride=2, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        """Images in [-1, 1], shape (n, 3, height, width), of latents (n, latent)."""
        x = nn.functional.elu(self.dense(latents)).unflatten(1, (self.latents, EDGE, EDGE))
        return torch.tanh(self.rgb(_through(self.convs, x)).float())


class Discriminator(nn.Module):
    """Image -> halved down to 4 x 4 -> score; the first convolution is not normalised.

    Parameters
    ----------
    channels : sequence of int
    hidden : int
    layer : int
        Number of the convolution, from 1, whose activation is what reconstructions are compared by.
    """

    def __init__(self, channels: Sequence[int], hidden: int, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.convs = _halving(channels, 4, first_normed=False)
        self.hidden = _dense(EDGE**2 * channels[-1], hidden)
        self.score = nn.Linear(hidden, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features, shape (n, channel, height, width), and logit of being real, shape (n,)."""
        features = _through(self.convs[: self.layer], images)
        x = _through(self.convs[self.layer :], features)
        return features.float(), self.score(self.hidden(x.flatten(1))).squeeze(1).float()


class VAEGAN(nn.Module):
    """Encoder and decoder: what is left of a VAE-GAN once it is trained.

    Parameters
    ----------
    channels : sequence of int
        Of the encoder's convolutions; each halves the image, which ends at 4 x 4 pixels.
    latents, hidden : int

    Raises
    ------
    SettingsError
        When a size is not positive.
    """

    def __init__(self, channels: Sequence[int], latents: int, hidden: int) -> None:
        super().__init__()
        if not channels or min(latents, hidden, *channels) < 1:
            fault = f"{list(channels)} channels, {latents} latents and {hidden} hidden units are no network"
            raise SettingsError("VAE-GAN", fault, "Give numbers of 1 or more")
        self.channels, self.latents, self.hidden = tuple(channels), latents, hidden
        self.size = image_size(len(channels))
        self.encoder = Encoder(channels, latents, hidden)
        self.decoder = Decoder(channels, latents)

    @torch.no_grad()
    def encode(self, images: np.ndarray) -> np.ndarray:
        """Mean latents of images of any size, uint8 (n, height, width, 3); shape (n, latent), float64."""
        pixels = shrunk(images, self.size)
        blocks = [as_tensor(pixels[at : at + _BLOCK], self.device) for at in range(0, len(pixels), _BLOCK)]
        return np.concatenate([self.encoder(block)[0].cpu().numpy() for block in blocks]).astype(np.float64)

    @torch.no_grad()
    def images(self, latents: np.ndarray, size: int) -> np.ndarray:
        """Images of latents, brought to a size; shape (n, size, size, 3), uint8."""
        z = torch.as_tensor(latents, dtype=torch.float32).to(self.device).split(_BLOCK)
        return shrunk(np.concatenate([rounded_uint8(self.decoder(block).cpu().numpy()) for block in z]), size)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device


def image_size(convolutions: int) -> int:
    """Height and width of the images of networks with so many convolutions."""
    return EDGE * 2**convolutions


def as_tensor(images: np.ndarray, device: torch.device) -> Tensor:
    """Images uint8 (n, height, width, 3) as float (n, 3, height, width) in [-1, 1], channels last in memory."""
    return torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1


def start(network: nn.Module, random: torch.Generator) -> None:
    """Draw weights by Glorot & Bengio's (2010) uniform rule, as published; biases are zero."""
    for layer in network.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(layer.weight, generator=random)
            nn.init.zeros_(cast(Tensor, layer.bias))


def _halving(channels: Sequence[int], kernel: int, first_normed: bool) -> nn.ModuleList:
    layers = nn.ModuleList()
    for before, after in pairwise((3, *channels)):
        normed = [nn.BatchNorm2d(after)] if layers or first_normed else []
        layers.append(nn.Sequential(nn.Conv2d(before, after, kernel, stride=2, padding=1), *normed, nn.ELU()))
    return layers


def _doubled(before: int, after: int) -> nn.Sequential:
    conv = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
    return nn.Sequential(conv, nn.BatchNorm2d(after), nn.ELU())


def _dense(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.BatchNorm1d(after), nn.ELU())


def _through(layers: nn.ModuleList | Sequence[nn.Module], x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x
