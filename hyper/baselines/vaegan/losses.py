"""The three terms of a VAE-GAN (Larsen et al., 2016, equations 2, 7 and 5)."""

from torch import Tensor
from torch.nn import functional


def prior_loss(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of N(mean, variance) from N(0, I), summed over latents, averaged over images."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2


def content_loss(made: Tensor, true: Tensor) -> Tensor:
    """Minus the log-likelihood of features under N(made, I), less its constant.

    Half the squared difference, summed over features, averaged over images.
    """
    return (made - true).square().flatten(1).sum(1).mean() / 2


def discriminator_loss(real: Tensor, passed: Tensor, drawn: Tensor) -> Tensor:
    """Minus log D(real) + log(1 - D(passed)) + log(1 - D(drawn)), of logits, averaged over images.

    Parameters
    ----------
    real, passed, drawn : Tensor, shape (n,)
        Logits of real images, of their reconstructions, and of images of latents from N(0, I).
    """
    softplus = functional.softplus
    return softplus(-real).mean() + softplus(passed).mean() + softplus(drawn).mean()


def deceit_loss(passed: Tensor, drawn: Tensor) -> Tensor:
    """Minus log D(passed) + log D(drawn), which, unlike log(1 - D), does not saturate (Goodfellow et al., 2014)."""
    return functional.softplus(-passed).mean() + functional.softplus(-drawn).mean()
