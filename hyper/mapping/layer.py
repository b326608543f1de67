"""Errors of a layer's activation, for many latents against many true ones."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from hyper.generators.base import Generator, layer_index
from hyper.generators.window import windowed_activations

BATCH_BYTES = {"cpu": 2**24, "cuda": 2**33}  # of the activation that counts, in one batch


class LayerErrors:
    """Mean squared errors between activations of latents and those of the true latents.

    Parameters
    ----------
    generator : Generator
        On the device that computes.
    layer : str
    true : ndarray, shape (stimulus, latent)
    centre : float
        Share of the height and width of the map, about its middle, that counts.
    mixed : bool
        Multiply in bfloat16; sums, normalisation and errors stay in single precision.

    Attributes
    ----------
    seen : int
        Latents that went through the generator so far.

    Notes
    -----
    |a - t|^2 = |a|^2 + |t|^2 - 2 a t': one matrix product gives the errors against all true activations. Their mean
    is subtracted from both first, which keeps the digits.
    """

    def __init__(
        self, generator: Generator, layer: str, true: np.ndarray, centre: float = 1.0, mixed: bool = False
    ) -> None:
        self.generator, self.layer, self.mixed, self.seen = generator, layer, mixed, 0
        shape = generator.layers[layer_index(generator.layers, layer)].shape
        self.window = _middle(shape[1:], centre)
        self.whole = all(part == slice(0, edge) for part, edge in zip(self.window, shape[1:], strict=True))
        self.device = next(iter(generator.parameters())).device
        self.size = int(shape[0] * np.prod([part.stop - part.start for part in self.window]))
        self.batch = max(1, min(4096, BATCH_BYTES[self.device.type] // (4 * self.size)))
        with torch.no_grad():
            activations = [self.activations(part, False) for part in self.tensor(true).split(self.batch)]
            known = torch.cat(activations)
            self.mean = known.mean(dim=0)
            self.true = known - self.mean
            self.power = self.true.square().sum(dim=1)

    def tensor(self, latents: np.ndarray) -> Tensor:
        """Latents on the device, in single precision."""
        return torch.as_tensor(np.asarray(latents), device=self.device, dtype=torch.float32)

    def activations(self, z: Tensor, mixed: bool | None = None) -> Tensor:
        """What counts of the activation, flattened: shape (n, size); differentiable."""
        mixed = self.mixed if mixed is None else mixed
        with torch.autocast(self.device.type, torch.bfloat16, enabled=mixed):
            if self.whole:
                found = self.generator.activations(z, self.layer)
            else:
                found = windowed_activations(self.generator, z, self.layer, self.window)
        return found.float().flatten(1)

    def of(self, z: Tensor) -> Tensor:
        """Mean squared errors, shape (n, stimulus), of latents of shape (n, latent); differentiable."""
        found = self.activations(z) - self.mean
        power = found.square().sum(dim=1)
        return (power[:, None] + self.power - 2 * found @ self.true.T).clamp_min(0) / self.size

    @torch.no_grad()
    def compute(self, latents: np.ndarray) -> np.ndarray:
        """Mean squared errors of many latents, in batches.

        Parameters
        ----------
        latents : ndarray, shape (..., latent)

        Returns
        -------
        ndarray of float32, shape (..., stimulus)
        """
        flat = latents.reshape(-1, latents.shape[-1])
        errors = np.empty((len(flat), len(self.true)), np.float32)
        for start in range(0, len(flat), self.batch):
            part = self.of(self.tensor(flat[start : start + self.batch]))
            errors[start : start + self.batch] = part.cpu().numpy()
        self.seen += len(flat)
        return errors.reshape(*latents.shape[:-1], len(self.true))


def _middle(size: tuple[int, ...], share: float) -> tuple[Any, ...]:
    kept = [max(1, round(share * edge)) for edge in size]
    starts = [(edge - own) // 2 for edge, own in zip(size, kept, strict=True)]
    return tuple(slice(start, start + own) for start, own in zip(starts, kept, strict=True))
