"""Training of a VAE-GAN (Larsen et al., 2016, algorithm 1) on images of a generator."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hyper.baselines.images import small_images
from hyper.baselines.vaegan.losses import content_loss, deceit_loss, discriminator_loss, prior_loss
from hyper.baselines.vaegan.network import VAEGAN, Discriminator, as_tensor, image_size, start
from hyper.errors import SettingsError
from hyper.generators.base import Generator, check_normal_latents
from hyper.generators.pggan import channels_last
from hyper.io.seeds import derive_seed, generator_of

# A discriminator that always wins keeps nothing in its features but whether an image is real: as in common
# implementations, it does not learn while its loss, per image, is below ln 2 less a margin.
HELD_BACK = 0.35
_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Recipe:
    """How a VAE-GAN is trained.

    Attributes
    ----------
    channels : tuple of int
        Of the convolutions of encoder and discriminator; each halves the image, which ends at 4 x 4 pixels.
    latents, hidden : int
    layer : int
        Convolution of the discriminator whose features reconstructions are compared by, from 1.
    content : float
        Weight of that comparison against the discriminator's judgement, in the decoder's loss: gamma.
    images : int
        Drawn to train on.
    repeats : int
        Times each is shown.
    pool : int
        Images held at a time: drawn, shown `repeats` times in random order, let go.
    batch : int
        Images in a step.
    rate : float
        Learning rate of Adam (0.5, 0.999); it falls linearly to zero over the second half.
    precision : {'fp32', 'bf16'}
        Of the activations; weights and their steps are in single precision.
    seed : int
    """

    channels: tuple[int, ...]
    latents: int
    hidden: int
    layer: int
    content: float
    images: int
    repeats: int
    pool: int
    batch: int
    rate: float
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.layer <= len(self.channels):
            fault = f"there is no convolution {self.layer} among {len(self.channels)}"
            raise SettingsError("baselines.vaegan.layer", fault, f"Give a number from 1 to {len(self.channels)}")
        if self.batch < 2 or self.pool < self.batch or self.images < self.batch:
            fault = f"steps of {self.batch} images from pools of {self.pool}, {self.images} in all, are impossible"
            raise SettingsError("baselines.vaegan.batch", fault, "Give 2 or more, and no more than a pool holds")

    @property
    def pools(self) -> int:
        """Number of pools; a last one that would not fill a batch is left out."""
        whole, rest = divmod(self.images, self.pool)
        return whole + (rest >= self.batch)


class Training:
    """State of a training, one pool of images at a time.

    All that is random in a pool follows from the seed and the pool's number, so that the state between two pools is
    that of networks and optimisers alone.

    Parameters
    ----------
    generator : Generator
        Where images come from.
    recipe : Recipe
    device : torch.device

    Attributes
    ----------
    pool : int
        Pools that were shown.
    network : VAEGAN
        Encoder and decoder.

    Raises
    ------
    GeneratorError
        When the generator's latents cannot be drawn from N(0, I).
    """

    def __init__(self, generator: Generator, recipe: Recipe, device: torch.device) -> None:
        check_normal_latents(generator)
        self.generator, self.recipe, self.device = generator, recipe, device
        self.pool = 0
        random = torch.Generator().manual_seed(derive_seed(recipe.seed, "vaegan"))
        self.network = VAEGAN(recipe.channels, recipe.latents, recipe.hidden)
        self.discriminator = Discriminator(recipe.channels, recipe.hidden, recipe.layer)
        for part in (self.network, self.discriminator):
            start(part, random)
            channels_last(part).to(device)
        self.adams = {name: _adam(part, recipe.rate) for name, part in self._parts().items()}

    @property
    def finished(self) -> bool:
        """Whether all pools were shown."""
        return self.pool >= self.recipe.pools

    def train_pool(self) -> dict[str, float]:
        """Draw a pool of images and learn from it; returns the mean of each loss."""
        self.network.train()
        self.discriminator.train()
        faces = self._draw()
        random = torch.Generator().manual_seed(derive_seed(self.recipe.seed, "vaegan", "steps", str(self.pool)))
        sums: dict[str, Tensor] = {}
        batches = list(self._batches(len(faces), random))
        for done, chosen in enumerate(batches):
            self._set_rate((self.pool + done / len(batches)) / self.recipe.pools)
            losses = self.step(as_tensor(faces[chosen], self.device), random)
            sums = {name: sums[name] + value if sums else value for name, value in losses.items()}
        self.pool += 1
        self.network.eval()
        return {name: float(value) / len(batches) for name, value in sums.items()}

    def step(self, real: Tensor, random: torch.Generator) -> dict[str, Tensor]:
        """Show one batch to all three networks, each of which descends its own loss; returns the losses.

        Encoder: prior + content. Decoder: gamma content + deceit. Discriminator: its own, unless it wins by far
        (`HELD_BACK`). Content does not reach the discriminator and deceit does not reach the encoder. Real images and
        reconstructions pass the discriminator as one batch, so that features of both are normalised alike; images of
        random latents pass by themselves, and leave no trace in the decoder's running statistics.
        """
        encoder, decoder = self.network.encoder, self.network.decoder
        with self._cast():
            mean, log_variance = encoder(real)
            noise, drawn = (torch.randn(mean.shape, generator=random).to(self.device) for _ in range(2))
            latents = mean + noise * (log_variance / 2).exp()
            passed = decoder(latents)
            with _statistics_kept(decoder):
                invented = decoder(drawn)
            features, logits = self.discriminator(torch.cat((real, passed)))
            parts = *logits.chunk(2), self.discriminator(invented)[1]
        true, found = features.chunk(2)
        losses = {
            "prior": prior_loss(mean, log_variance),
            "content": content_loss(found, true.detach()),
            "discriminator": discriminator_loss(*parts),
            "deceit": deceit_loss(*parts[1:]),
        }
        critic, painter, reader = (list(part.parameters()) for part in (self.discriminator, decoder, encoder))
        (by_content,) = _gradients(losses["content"], [passed])
        by_deceit = _gradients(losses["deceit"], [passed, invented])
        gradients = {}
        if losses["discriminator"] > 3 * HELD_BACK:
            gradients["discriminator"] = _gradients(losses["discriminator"], critic)
        towards = [self.recipe.content * by_content + by_deceit[0], by_deceit[1]]
        gradients["decoder"] = _gradients([passed, invented], painter, towards)
        (of_latents,) = _gradients([passed], [latents], [by_content])
        gradients["encoder"] = _gradients(losses["prior"] + (latents * of_latents.detach()).sum(), reader)
        parts_of = self._parts()
        for name, found_gradients in gradients.items():
            for weight, gradient in zip(parts_of[name].parameters(), found_gradients, strict=True):
                weight.grad = gradient
            self.adams[name].step()
        return {name: value.detach() for name, value in losses.items()}

    def state(self) -> dict[str, Any]:
        """Return all that a later session needs to go on as if there had been no break."""
        return {
            "pool": self.pool,
            "network": self.network.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "adams": {name: adam.state_dict() for name, adam in self.adams.items()},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of the same recipe and generator."""
        self.pool = state["pool"]
        self.network.load_state_dict(state["network"])
        self.discriminator.load_state_dict(state["discriminator"])
        for name, adam in self.adams.items():
            adam.load_state_dict(state["adams"][name])
        self.network.eval()

    def held_out(self, count: int) -> np.ndarray:
        """Images of latents that no pool draws, uint8 (count, size, size, 3)."""
        return self._images("held out", count)

    def _parts(self) -> dict[str, torch.nn.Module]:
        network = self.network
        return {"encoder": network.encoder, "decoder": network.decoder, "discriminator": self.discriminator}

    def _draw(self) -> np.ndarray:
        count = min(self.recipe.pool, self.recipe.images - self.pool * self.recipe.pool)
        return self._images(f"pool {self.pool}", count)

    def _images(self, name: str, count: int) -> np.ndarray:
        rng = generator_of(self.recipe.seed, "vaegan", name)
        latents = rng.standard_normal((count, self.generator.latent_dim)).astype(np.float32)
        return small_images(self.generator, latents, image_size(len(self.recipe.channels)))

    def _batches(self, count: int, random: torch.Generator) -> Iterator[np.ndarray]:
        """Numbers of the images of each step; what is left of a round that does not fill a batch is not shown."""
        size = min(self.recipe.batch, count)
        for _ in range(self.recipe.repeats):
            order = torch.randperm(count, generator=random).numpy()
            yield from (order[at : at + size] for at in range(0, count - size + 1, size))

    def _set_rate(self, share: float) -> None:
        for adam in self.adams.values():
            adam.param_groups[0]["lr"] = self.recipe.rate * min(1.0, 2 - 2 * share)

    def _cast(self) -> torch.autocast:
        dtype = _TYPES[self.recipe.precision]
        return torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)


def _adam(part: torch.nn.Module, rate: float) -> torch.optim.Adam:
    return torch.optim.Adam(part.parameters(), lr=rate, betas=(0.5, 0.999))


def _gradients(
    values: Tensor | list[Tensor], of: Sequence[Tensor], towards: list[Tensor] | None = None
) -> tuple[Tensor, ...]:
    return torch.autograd.grad(values, of, towards, retain_graph=True)


@contextmanager
def _statistics_kept(network: torch.nn.Module) -> Iterator[None]:
    """Normalise by the batch, and let the running statistics be."""
    layers = [layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    yield
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
