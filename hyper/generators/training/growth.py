"""Networks that are trained: begun at 8 x 8 pixels, grown a block at a time."""

import torch
from torch import nn

from hyper.generators.pggan import PGGAN, channels_last
from hyper.generators.training import equalised
from hyper.generators.training.critic import Critic

GENERATOR_GAINS = {"dense": 2**0.5 / 4, "rgb": 1.0}
CRITIC_GAINS = {"score": 1.0}


def new_generator(latent_dim: int, channels: tuple[int, ...], generator: torch.Generator) -> PGGAN:
    """Return a PGGAN with random weights that require gradients and two images to fade between."""
    network = PGGAN(latent_dim, channels, lod=0.5)
    equalised.start(network, GENERATOR_GAINS, generator)
    return network.requires_grad_(True).train()


def new_critic(channels: tuple[int, ...], generator: torch.Generator) -> Critic:
    """Return a critic with random weights, channels last."""
    critic = Critic(channels)
    equalised.start(critic, CRITIC_GAINS, generator)
    return channels_last(critic)


def inherit(network: nn.Module, smaller: nn.Module) -> None:
    """Copy the weights that a grown network shares with the one before it."""
    known = smaller.state_dict()
    if isinstance(smaller, PGGAN):  # its newest image becomes the older of the two, which is dropped
        renamed = {f"rgb.1.{name}": known[f"rgb.0.{name}"] for name in ("weight", "bias")}
        known = {name: value for name, value in known.items() if not name.startswith("rgb.")} | renamed
    network.load_state_dict(network.state_dict() | known)


def set_fade(network: PGGAN, critic: Critic, fade: float) -> None:
    """Give the newest block of both the weight `fade`, above 0 to 1."""
    network.lod, critic.fade = 1 - fade, fade


def finished(network: PGGAN) -> PGGAN:
    """Return the full network without what served fading, on the CPU, frozen."""
    plain = PGGAN(network.latent_dim, network.channels)
    state = {name: value.float().cpu() for name, value in network.state_dict().items() if not name.startswith("rgb.1.")}
    plain.load_state_dict(state)
    return plain
