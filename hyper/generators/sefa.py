"""Directions that change a generator's images most, in closed form (SeFa; Shen & Zhou, 2021, arXiv:2007.06600)."""

from typing import cast

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.base import Generator
from hyper.generators.dcgan import DCGAN
from hyper.generators.mapped import StyleNetwork
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.pggan import PGGAN
from hyper.generators.stylegan import StyleGAN
from hyper.generators.styles import StyleGenerator
from hyper.generators.whitened import WhitenedStyles


def closed_form_directions(generator: Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the latent directions that the generator's first affine step stretches most.

    These are the eigenvectors of A^T A with the largest eigenvalues, A being the weights of that step. No labels are
    needed, and no name is given: what a direction does is to be seen.

    Parameters
    ----------
    generator : Generator
        PGGAN and DCGAN: A is the weight of the dense layer; a network that maps its latents to styles: of the first
        layer of the mapping; one whose latents are styles: of all modulations of channels by the style.
    count : int
        Directions, at most the size of the latent.

    Returns
    -------
    directions : ndarray, shape (count, latent)
        Of length 1, orthogonal, by falling eigenvalue; the largest component of each is positive.
    shares : ndarray, shape (count,)
        Of the sum of all eigenvalues.

    Raises
    ------
    GeneratorError
        When the generator has no affine first step, or fewer latents than directions.
    """
    if not 1 <= count <= generator.latent_dim:
        raise GeneratorError("evaluation.attributes.sefa", f"{count} of {generator.latent_dim} directions", "Ask fewer")
    weights = first_weights(generator).detach().double().cpu().numpy()
    values, vectors = np.linalg.eigh(weights.T @ weights)
    directions = vectors[:, ::-1][:, :count].T
    directions = directions * np.sign(directions[np.arange(count), np.abs(directions).argmax(1)])[:, None]
    return directions, values[::-1][:count] / values.sum()


def first_weights(generator: Generator) -> Tensor:
    """Weights of the first affine step from the latents, shape (outputs, latent).

    Raises
    ------
    GeneratorError
        When the generator is of a kind without one.
    """
    if isinstance(generator, PGGAN):
        return generator.dense.weight
    if isinstance(generator, DCGAN):
        return cast(Tensor, generator.blocks[0].weight).flatten(1).T
    if isinstance(generator, MobileStyleGAN):
        return cast(Tensor, generator.mapping[0].weight)
    if isinstance(generator, StyleGAN):
        return cast(Tensor, generator.mapping.layers[0].weight)[:, : generator.latent_dim]
    if isinstance(generator, StyleGenerator):
        return _modulations(generator.network)
    if isinstance(generator, WhitenedStyles):
        return _modulations(generator.styled.network) @ generator.reach
    raise GeneratorError("evaluation.attributes.sefa", "the generator has no affine first layer", "Set it to 0")


def _modulations(network: StyleNetwork) -> Tensor:
    """Weights that turn the style into factors of channels; StyleGAN3's input, which turns the image, is left out."""
    ends = ("modulation.weight", "affine.weight")
    return torch.cat(
        [own for name, own in network.named_parameters() if name.endswith(ends) and not name.startswith("input.")]
    )
