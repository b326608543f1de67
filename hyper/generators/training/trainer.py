"""Progressive growing of a PGGAN (Karras et al., 2018)."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from hyper.errors import DataError, SettingsError
from hyper.generators.training import equalised, growth
from hyper.generators.training.faces import Faces, faded
from hyper.generators.training.losses import critic_loss, paired_loss
from hyper.generators.training.schedule import Schedule

_TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class Recipe:
    """How a PGGAN is trained.

    Attributes
    ----------
    channels : tuple of int
        Of the blocks, from 4 x 4 pixels upward.
    schedule : Schedule
    latent_dim : int
    rate : float
        Learning rate of Adam.
    generator_rate : float, optional
        That of the generator once the critic judges it; `rate` when not given.
    averaging : float
        Images after which a weight's share in the moving average of the generator has halved.
    alone : int
        Images shown first, from which the generator learns by their latents alone, without the critic; 0: none.
    critic_first : int
        Images after those from which the critic alone learns.
    paired : float
        Weight of the distance to the image of the same latent, beside the critic; 0: none.
    paired_pixels : int
        That distance is taken on images averaged down to at most so many pixels a side.
    mirrored : bool
        Show the critic every image turned left to right as well.
    precision : {'fp32', 'bf16'}
        Of the activations; weights and their steps are in single precision.
    seed : int
    """

    channels: tuple[int, ...]
    schedule: Schedule
    latent_dim: int = 512
    rate: float = 1e-3
    generator_rate: float | None = None
    averaging: float = 10_000
    alone: int = 0
    critic_first: int = 0
    paired: float = 0.0
    paired_pixels: int = 16
    mirrored: bool = True
    precision: Literal["fp32", "bf16"] = "fp32"
    seed: int = 0


class Training:
    """State of a training, one step at a time.

    Parameters
    ----------
    faces : Faces
    recipe : Recipe
    device : torch.device

    Attributes
    ----------
    seen : int
        Images shown to the critic.
    generator, average : PGGAN
        The network that is trained, and the moving average of its weights: what is kept in the end.
    """

    def __init__(self, faces: Faces, recipe: Recipe, device: torch.device) -> None:
        if not len(faces):
            raise DataError("--held-out", "no images are left to train on", "Hold fewer of them out")
        if recipe.alone or recipe.paired:
            _check_pairs(faces, recipe.latent_dim)
        self.faces, self.recipe, self.device = faces, recipe, device
        self.seen = 0
        self.random = torch.Generator().manual_seed(recipe.seed)
        self._build(recipe.schedule.at(0).blocks)
        self.average = deepcopy(self.generator).requires_grad_(False).eval()

    @property
    def size(self) -> int:
        """Height and width of the images at present."""
        return self.generator.resolution

    @property
    def finished(self) -> bool:
        """Whether the last level stands alone."""
        return len(self.generator.channels) == len(self.recipe.channels) and self.critic.fade == 1

    def step(self) -> dict[str, Tensor]:
        """Show one batch: one step of the critic, one of the generator. Returns their losses."""
        moment = self.recipe.schedule.at(self.seen)
        if moment.blocks != len(self.generator.channels):
            self._grow(moment.blocks)
        growth.set_fade(self.generator, self.critic, moment.fade)
        self.average.lod = self.generator.lod
        alone = self.seen < self.recipe.alone
        losses = {} if alone else self._train_critic(moment.batch, moment.fade)
        if alone or self.seen >= self.recipe.alone + self.recipe.critic_first:
            losses |= self._train_generator(moment.batch, moment.fade, alone)
        kept = 0.5 ** (moment.batch / self.recipe.averaging)
        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.generator.parameters(), strict=True):
                mean.lerp_(weight, 1 - kept)
        self.seen += moment.batch
        return losses

    def state(self) -> dict[str, Any]:
        """Return all that a later session needs to go on as if there had been no break."""
        return {
            "seen": self.seen,
            "blocks": len(self.generator.channels),
            "random": self.random.get_state(),
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "critic": self.critic.state_dict(),
            "generator_adam": self.generator_adam.state_dict(),
            "critic_adam": self.critic_adam.state_dict(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a `state` of the same recipe."""
        self.seen = state["seen"]
        self._build(state["blocks"])
        self.average = deepcopy(self.generator).requires_grad_(False).eval()
        for name in ("generator", "average", "critic", "generator_adam", "critic_adam"):
            getattr(self, name).load_state_dict(state[name])
        growth.set_fade(self.generator, self.critic, self.recipe.schedule.at(self.seen).fade)
        self.average.lod = self.generator.lod
        self.random.set_state(state["random"])

    def _build(self, blocks: int) -> None:
        channels = self.recipe.channels[:blocks]
        generator = growth.new_generator(self.recipe.latent_dim, channels, self.random)
        self.generator = generator.channels_last().to(self.device)
        self.critic = growth.new_critic(channels, self.random).to(self.device)
        self.generator_adam = equalised.adam(self.generator, growth.GENERATOR_GAINS, self.recipe.rate)
        self.critic_adam = equalised.adam(self.critic, growth.CRITIC_GAINS, self.recipe.rate)

    def _grow(self, blocks: int) -> None:
        before = self.generator, self.critic, self.average
        self._build(blocks)
        growth.inherit(self.generator, before[0])
        growth.inherit(self.critic, before[1])
        self.average = deepcopy(self.generator).requires_grad_(False).eval()
        growth.inherit(self.average, before[2])

    def _train_critic(self, batch: int, fade: float) -> dict[str, Tensor]:
        mirrored = torch.rand(batch, generator=self.random) < 0.5
        real = self._real(self._choose(batch), fade, mirrored.numpy() if self.recipe.mirrored else None)
        with torch.no_grad(), self._cast():
            fake = self.generator.images(self._latents(batch)).float()
        with self._cast():
            loss, distance = critic_loss(self.critic, real, fake, self.random)
        _descend(self.critic_adam, loss)
        return {"critic_loss": loss.detach(), "distance": distance}

    def _train_generator(self, batch: int, fade: float, alone: bool) -> dict[str, Tensor]:
        losses, total = {}, torch.zeros((), device=self.device)
        self.critic.requires_grad_(False)
        with self._cast():
            if alone or self.recipe.paired:
                z, real = self._pairs(self._choose(batch), fade)
                made = self.generator.images(z)
                pixels = self.size if alone else self.recipe.paired_pixels
                losses["paired_loss"] = paired_loss(made, real, pixels)
                total = losses["paired_loss"] * (1.0 if alone else self.recipe.paired)
            else:
                made = self.generator.images(self._latents(batch))
            if not alone:
                self._set_generator_rate()
                losses["generator_loss"] = -self.critic(made).float().mean()
                total = total + losses["generator_loss"]
        _descend(self.generator_adam, total)
        self.critic.requires_grad_(True)
        return {name: value.detach() for name, value in losses.items()}

    def _set_generator_rate(self) -> None:
        ratio = (self.recipe.generator_rate or self.recipe.rate) / self.recipe.rate
        for group in self.generator_adam.param_groups:
            group["lr"] = group["first_lr"] * ratio

    def _pairs(self, chosen: np.ndarray, fade: float) -> tuple[Tensor, Tensor]:
        assert self.faces.latents is not None  # _check_pairs
        z = torch.from_numpy(self.faces.latents[chosen, : self.recipe.latent_dim])
        return z.to(self.device), self._real(chosen, fade)

    def _choose(self, batch: int) -> np.ndarray:
        return torch.randint(len(self.faces), (batch,), generator=self.random).numpy()

    def _latents(self, batch: int) -> Tensor:
        return torch.randn(batch, self.recipe.latent_dim, generator=self.random).to(self.device)

    def _real(self, chosen: np.ndarray, fade: float, mirrored: np.ndarray | None = None) -> Tensor:
        return faded(self.faces.tensor(chosen, self.size, mirrored).to(self.device), fade)

    def _cast(self) -> torch.autocast:
        dtype = _TYPES[self.recipe.precision]
        return torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)


def _check_pairs(faces: Faces, latent_dim: int) -> None:
    if faces.latents is None:
        mend = "Set both to 0, or draw the images by `hyper draw`"
        raise SettingsError("--alone, --paired", "the latents of the images are not known", mend)
    if faces.latents.shape[1] < latent_dim:
        size = faces.latents.shape[1]
        raise SettingsError(
            "--latent", f"it is {latent_dim}, but the images' latents have {size} numbers", f"Set {size} or less"
        )


def _descend(adam: torch.optim.Adam, loss: Tensor) -> None:
    adam.zero_grad()
    loss.backward()
    adam.step()
