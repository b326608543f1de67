"""Errors of removals from an expansion, exact only where the winning layer is not clear."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from hyper.generators.pggan import PGGAN
from hyper.mapping.layer import LayerErrors
from hyper.mapping.statistics import Measure, levels

PENALTIES = 10.0 ** np.arange(-4, 3)


@dataclass(frozen=True)
class Expansion:
    """First order expansion of a layer's errors about what is decoded with all voxels.

    Attributes
    ----------
    latents : ndarray, shape (stimulus, latent)
        About which it is expanded.
    errors : ndarray, shape (stimulus, stimulus)
        Of these latents against all true ones.
    slopes : ndarray, shape (stimulus, stimulus, latent)
        Derivatives of the errors.
    on_sphere : bool
        Only the direction of a latent counts: steps are taken between latents of the same length.
    """

    latents: np.ndarray
    errors: np.ndarray
    slopes: np.ndarray
    on_sphere: bool

    def steps(self, updates: np.ndarray) -> np.ndarray:
        """Where removals lead, from `latents`; shape of `updates`, (cube, stimulus, latent)."""
        if not self.on_sphere:
            return -updates
        moved = self.latents - updates
        return _normalised(moved) - _normalised(self.latents)

    def paired(self, steps: np.ndarray) -> np.ndarray:
        """Errors against all true activations, shape (cube, stimulus, stimulus)."""
        return self.errors + np.einsum("vik,ijk->vij", steps, self.slopes, optimize=True)


def expand(layer: LayerErrors, latents: np.ndarray) -> Expansion:
    """Expand a layer's errors about latents, shape (stimulus, latent): one backward pass per true activation."""
    on_sphere = isinstance(layer.generator, PGGAN) and layer.layer != "latent"
    points = layer.tensor(_normalised(latents) if on_sphere else latents)
    errors, slopes = [], []
    for part in points.split(layer.batch):
        part = part.clone().requires_grad_(True)
        found = layer.of(part)
        own = [torch.autograd.grad(column.sum(), part, retain_graph=True)[0] for column in found.unbind(dim=1)]
        errors.append(found.detach())
        slopes.append(torch.stack(own, dim=1))
    layer.seen += 3 * len(points) * len(layer.true)  # a backward pass counts as two forward passes or less
    return Expansion(latents, _numpy(torch.cat(errors)), _numpy(torch.cat(slopes)), on_sphere)


@dataclass(frozen=True)
class Estimate:
    """Mean level without each cube, from an expansion and cubes that were computed exactly.

    Attributes
    ----------
    values : ndarray, shape (cube,)
    bound : ndarray, shape (cube,)
        Of the error of `values`; 0 where they are exact.
    """

    values: np.ndarray
    bound: np.ndarray


def estimate(steps: np.ndarray, first: np.ndarray, known: np.ndarray, exact: np.ndarray, confidence: float) -> Estimate:
    """Correct the expansion by what it misses at cubes drawn at random and computed exactly.

    What a first order expansion misses of a cube's mean level is mostly quadratic in the steps: it is regressed
    on the cubes that are known, by kernel ridge regression with the mean squared inner product of steps, the kernel of
    quadratic forms averaged over stimuli; leave-one-out errors choose the penalty.

    Parameters
    ----------
    steps : ndarray, shape (cube, stimulus, latent)
    first : ndarray, shape (cube,)
        Mean level by the expansion.
    known : ndarray of int, shape (n,)
        Cubes drawn at random.
    exact : ndarray, shape (n,)
        Their mean level.
    confidence : float
        Share of cubes whose error the bound shall not fall short of.

    Notes
    -----
    The bound is conformal: the leave-one-out errors of the known cubes, each by its mean squared step, ranked; a cube
    drawn at random exceeds the rank ceil((n + 1) confidence) with a probability of 1 - confidence (Lei et al. 2018, J
    Am Stat Assoc 113, 1094; for the leave-one-out form, Barber et al. 2021, Ann Stat 49, 486, whose guarantee without
    assumptions is twice that probability).
    """
    size = np.square(steps).sum(axis=2).mean(axis=1)
    size = np.maximum(size, 1e-6 * size.max(initial=1e-30))
    missed = exact - first[known]
    slope = float(size[known] @ missed / (size[known] @ size[known]))
    target = missed - slope * size[known]
    kernel = _quadratic_kernel(steps, steps[known])
    inner = kernel[known]
    scale = max(float(np.trace(inner)) / len(known), 1e-30)
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for penalty in PENALTIES:
        inverse = np.linalg.inv(inner + penalty * scale * np.eye(len(known)))
        left_out = inverse @ target / np.diag(inverse)
        loss = float(np.square(left_out / size[known]).mean())
        if best is None or loss < best[0]:
            best = loss, left_out, inverse @ target
    assert best is not None
    _, left_out, weights = best
    values = first + slope * size + kernel @ weights
    ranked = np.sort(np.abs(left_out) / size[known])
    rank = min(int(np.ceil((len(known) + 1) * confidence)), len(known))
    bound = ranked[rank - 1] * size
    values[known], bound[known] = exact, 0.0
    return Estimate(values, bound)


def contenders(estimates: list[Estimate], intact: np.ndarray) -> np.ndarray:
    """Layers that may win at each cube, shape (layer, cube): none where the winner is clear.

    Parameters
    ----------
    estimates : list of Estimate
        Of each layer.
    intact : ndarray, shape (layer,)
        Mean level with all voxels.
    """
    effect = np.array([whole - own.values for own, whole in zip(estimates, intact, strict=True)])
    bound = np.array([own.bound for own in estimates])
    possible = effect + bound >= (effect - bound).max(axis=0)
    open_ = possible.sum(axis=0) > 1
    return possible & open_


def mean_levels(errors: np.ndarray, measure: Measure) -> np.ndarray:
    """Mean of `levels` over the stimuli, the last axis."""
    return levels(errors.astype(np.float64), measure).mean(axis=-1)


def with_mean(errors: np.ndarray, means: np.ndarray, measure: Measure) -> np.ndarray:
    """Errors, shape (cube, stimulus), changed by what gives their levels the means, shape (cube,)."""
    found = levels(errors.astype(np.float64), measure)
    found += (means - found.mean(axis=1))[:, None]
    changed = 1 / np.clip(found, 1e-3, 1.0) - 1 if measure == "similarity" else np.maximum(-found, 0)
    return changed.astype(np.float32)


def _quadratic_kernel(steps: np.ndarray, others: np.ndarray) -> np.ndarray:
    kernel = np.zeros((len(steps), len(others)))
    for stimulus in range(steps.shape[1]):
        kernel += np.square(steps[:, stimulus].astype(np.float64) @ others[:, stimulus].T.astype(np.float64))
    return kernel / steps.shape[1]


def _normalised(latents: np.ndarray) -> np.ndarray:
    return latents / np.sqrt(np.square(latents).mean(axis=-1, keepdims=True) + 1e-8)


def _numpy(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()
