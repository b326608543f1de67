"""The losses: WGAN-GP with drift, and the distance to the image of the same latent."""

import torch
from torch import Tensor
from torch.nn import functional

from hyper.generators.training.critic import Critic

PENALTY = 10.0
DRIFT = 0.001


def critic_loss(critic: Critic, real: Tensor, fake: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Wasserstein loss with gradient penalty (Gulrajani et al., 2017) and drift (Karras et al., 2018, appendix A.1).

    Parameters
    ----------
    critic : Critic
    real, fake : Tensor, shape (n, 3, height, width)
    generator : torch.Generator
        Draws the points between real and fake, on the CPU.

    Returns
    -------
    loss : Tensor, scalar
    distance : Tensor, scalar
        Mean score of the real minus that of the made images.
    """
    on_real, on_fake = critic(real).float(), critic(fake).float()
    share = torch.rand(len(real), 1, 1, 1, generator=generator).to(real.device)
    between = torch.lerp(fake, real, share).requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(between).float().sum(), between, create_graph=True)
    penalty = (gradient.float().flatten(1).norm(dim=1) - 1).square().mean()
    distance = on_real.mean() - on_fake.mean()
    return PENALTY * penalty + DRIFT * on_real.square().mean() - distance, distance.detach()


def paired_loss(made: Tensor, target: Tensor, pixels: int) -> Tensor:
    """Squared difference summed over pixels and colours, half of it, averaged over images.

    Both are averaged down to at most `pixels` x `pixels` first: what is coarser comes from the pair, what is finer
    from the critic.
    """
    times = made.shape[-1] // min(pixels, made.shape[-1])
    difference = functional.avg_pool2d(made.float() - target.float(), times)
    return difference.square().sum((1, 2, 3)).mean() / 2
