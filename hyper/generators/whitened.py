"""A style network's styles as latents that are independent and normal."""

from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from hyper.errors import GeneratorError
from hyper.generators.base import Layer, check_latents
from hyper.generators.checkpoints.tensors import Tensors
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.styles import StyleGenerator


class WhitenedStyles(nn.Module):
    """A MobileStyleGAN whose latent is the style along its principal axes, in standard deviations.

    w = mean + psi * axes (spread * u) with u ~ N(0, I). Images follow u more smoothly than the mapping network's
    latents. (Zhu et al., 2020, arXiv:2012.09036, whiten the same space after undoing the last rectification.)

    Parameters
    ----------
    network : MobileStyleGAN
    axes : tuple of Tensor
        As `principal_axes` gives them.
    """

    def __init__(self, network: MobileStyleGAN, axes: tuple[Tensor, Tensor, Tensor]) -> None:
        super().__init__()
        mean, directions, spread = axes
        self.styled = StyleGenerator(network)
        self.latent_dim = len(spread)
        self.layers = (Layer("latent", (self.latent_dim,)), *self.styled.layers[1:])
        self.mean: Tensor
        self.reach: Tensor
        self.register_buffer("mean", mean)
        self.register_buffer("reach", network.psi * directions * spread)

    def styles(self, u: Tensor) -> Tensor:
        """Styles, shape (n, width of a style), of latents of shape (n, latent_dim)."""
        check_latents(u, self.latent_dim)
        return self.mean + u.to(self.reach.dtype) @ self.reach.T

    def activations(self, u: Tensor, layer: str) -> Tensor:
        """Activation of `layer`, shape (n, *shape of the layer)."""
        return u if layer == "latent" else self.styled.activations(self.styles(u), layer)

    def images(self, u: Tensor) -> Tensor:
        """RGB images, shape (n, 3, height, width)."""
        return self.styled.images(self.styles(u))

    def forward(self, u: Tensor) -> Tensor:
        """Same as `images`."""
        return self.images(u)


def principal_axes(styles: np.ndarray, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, principal axes and standard deviations of styles.

    Parameters
    ----------
    styles : ndarray, shape (n, width)
        Before the truncation.
    count : int
        Axes to keep.

    Returns
    -------
    mean : Tensor, shape (width,)
    axes : Tensor, shape (width, count)
        One per column, by falling spread; the largest component of each is positive.
    spread : Tensor, shape (count,)
    """
    variances, axes = np.linalg.eigh(np.cov(styles.T, bias=True))
    variances, axes = variances[::-1][:count], axes[:, ::-1][:, :count]
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(count)])
    return _single(styles.mean(0)), _single(axes), _single(np.sqrt(variances))


def read_axes(path: str | Path, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Read axes from safetensors with ``mean``, ``axes`` and ``spread``.

    Raises
    ------
    GeneratorError
        When the file is missing, damaged, or does not fit styles of that width.
    """
    mend = "Fetch the file from the repository again"
    try:
        tensors = Tensors(path, load_file(path))
    except (OSError, SafetensorError) as fault:
        raise GeneratorError(path, f"it cannot be read ({fault})", mend) from fault
    spread = tensors.take("spread", (None,)).float()
    mean, axes = tensors.take("mean", (width,)).float(), tensors.take("axes", (width, len(spread))).float()
    tensors.finish()
    return mean, axes, spread


def _single(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.float32))
