"""Latents of the simulated stimuli."""

import numpy as np

from hyper.io.seeds import generator_of


def draw_latents(count: int, latent_dim: int, seed: int) -> np.ndarray:
    """Draw latents from N(0, I), shape (stimulus, latent), float64; row k - 1 belongs to image k."""
    return generator_of(seed, "simulation", "latents").standard_normal((count, latent_dim))
