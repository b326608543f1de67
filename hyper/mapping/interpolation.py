"""Activations without voxels, interpolated between those of a few removals."""

from dataclasses import dataclass

import numpy as np
import torch

from hyper.generators.pggan import PGGAN
from hyper.mapping.layer import LayerErrors

LENGTH = 5.0  # of the kernel, in root mean squared steps
NOISE = 1e-3  # of the kernel's mean, against what it does not describe


@dataclass(frozen=True)
class Interpolated:
    """Errors that interpolated activations have, of one stimulus.

    Attributes
    ----------
    errors : ndarray, shape (stimulus,)
        With all voxels, against the true activation of each stimulus.
    weights : ndarray, shape (cube, knot)
        What each knot's change of the activation counts without each cube.
    products : ndarray, shape (knot, stimulus)
        Of the knots' changes with the intact activation less the true ones.
    squares : ndarray, shape (knot, knot)
        Of the knots' changes with each other.
    beyond : ndarray, shape (cube,)
        What the gradient says of the part of a step that the knots do not span, against the stimulus itself.
    left : ndarray, shape (cube,)
        Variance of the kernel that the knots leave.
    """

    errors: np.ndarray
    weights: np.ndarray
    products: np.ndarray
    squares: np.ndarray
    beyond: np.ndarray
    left: np.ndarray

    def paired(self, cubes: slice) -> np.ndarray:
        """Errors against all true activations, without the gradient, shape (cube, stimulus)."""
        weights = self.weights[cubes]
        curved = np.einsum("vk,kl,vl->v", weights, self.squares, weights, optimize=True)
        return np.maximum(self.errors + 2 * weights @ self.products + curved[:, None], 0)


def interpolate(layer: LayerErrors, latents: np.ndarray, updates: np.ndarray, left: float) -> list[Interpolated]:
    """Interpolate the activation without each cube of voxels, stimulus by stimulus.

    Parameters
    ----------
    layer : LayerErrors
    latents : ndarray, shape (stimulus, latent)
        Decoded with all voxels.
    updates : ndarray, shape (cube, stimulus, latent)
        What each removal takes away.
    left : float
        Share of the squared steps that the knots may leave unspanned.

    Returns
    -------
    list of Interpolated
        Of each stimulus.

    Notes
    -----
    The cubes of neighbouring voxels share most of their voxels: the steps in latent space span few dimensions. Some
    cubes, the knots, are chosen by pivoted Cholesky factorisation of the steps' inner products and computed. The
    activation is interpolated between them, as a whole, by a Gaussian process of the steps with a wide radial kernel,
    exact with all voxels in place. The error of an interpolated activation a = a0 + sum_k w_k d_k is then

        |a - t|^2 = |a0 - t|^2 + 2 sum_k w_k d_k'(a0 - t) + sum_kl w_k w_l d_k'd_l,

    so that its curvature, most of the effect, costs no more than inner products between the knots' activations d_k. One
    gradient at a0 adds the linear part of what the knots do not span.
    """
    errors, slopes = _with_gradients(layer, latents)
    return [
        _of_stimulus(layer, latent, updates[:, number], errors[number], slopes[number], left)
        for number, latent in enumerate(latents)
    ]


def steps(layer: LayerErrors, latent: np.ndarray, updates: np.ndarray) -> np.ndarray:
    """Where removals lead from a latent, shape (cube, latent): along the sphere, where only its direction counts."""
    if not _on_sphere(layer):
        return -updates
    return _normalised(latent - updates) - _normalised(latent)


def spread_out(points: np.ndarray, left: float) -> list[int]:
    """Choose points whose span leaves a share of the sum of squares, by pivoted Cholesky factorisation.

    Parameters
    ----------
    points : ndarray, shape (n, dimension)
    left : float
    """
    rest = np.square(points).sum(axis=1)
    least, whole = left * rest.sum(), rest.copy()
    chosen: list[int] = []
    rows = np.empty((min(points.shape), len(points)), points.dtype)
    while rest.sum() > least and len(chosen) < len(rows):
        place = int(rest.argmax())
        if rest[place] <= 1e-6 * whole[place]:
            break
        done = rows[: len(chosen)]
        row = (points @ points[place] - done[:, place] @ done) / np.sqrt(rest[place])
        rows[len(chosen)] = row
        rest = np.maximum(rest - np.square(row), 0)
        rest[place] = 0
        chosen.append(place)
    return chosen


def _of_stimulus(
    layer: LayerErrors, latent: np.ndarray, updates: np.ndarray, errors: np.ndarray, slope: np.ndarray, left: float
) -> Interpolated:
    scaled = steps(layer, latent, updates)
    size = max(float(np.sqrt(np.square(scaled).sum(axis=1).mean())), 1e-12)
    scaled /= size
    knots = spread_out(scaled, left)
    changes, intact = _activations(layer, latent, latent - updates[knots])
    weights, unexplained = _weights(scaled, scaled[knots])
    products = (changes @ (intact - layer.true).T / layer.size).cpu().numpy()
    squares = (changes @ changes.T / layer.size).cpu().numpy()
    beyond = size * (scaled @ slope - weights @ (scaled[knots] @ slope))
    return Interpolated(errors, weights, products, squares, beyond, unexplained)


@torch.no_grad()
def _activations(layer: LayerErrors, latent: np.ndarray, others: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations of `others` less that of `latent`, and that of `latent`."""
    points = layer.tensor(np.concatenate([latent[None], others]))
    layer.seen += len(points)
    found = torch.cat([layer.activations(part) for part in points.split(layer.batch)])
    return found[1:] - found[0], found[0] - layer.mean


def _with_gradients(layer: LayerErrors, latents: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors of latents against all true activations, and the gradient of each one's against its own."""
    points = layer.tensor(_normalised(latents) if _on_sphere(layer) else latents)
    errors, slopes = [], []
    for numbers in torch.arange(len(points)).split(layer.batch):
        part = points[numbers].requires_grad_(True)
        found = layer.of(part)
        slopes.append(torch.autograd.grad(found[torch.arange(len(part)), numbers].sum(), part)[0])
        errors.append(found.detach())
    layer.seen += 3 * len(points)  # a backward pass counts as two forward passes or less
    return torch.cat(errors).cpu().numpy(), torch.cat(slopes).cpu().numpy()


def _weights(points: np.ndarray, knots: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the knots at each point, and the kernel's variance that they leave; the value at 0 is known."""
    near, among = _kernel(points, knots), _kernel(knots, knots).astype(np.float64)
    whole = 1 - np.exp(-np.square(points).sum(axis=1) / LENGTH**2)
    among[np.diag_indices(len(knots))] += NOISE * whole.mean()
    weights = near @ np.linalg.inv(among).astype(np.float32)
    return weights, np.maximum(whole - np.einsum("vk,vk->v", weights, near), 0)


def _kernel(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Radial kernel less what the value at 0 tells, in float32: exp(-(|a|^2 + |b|^2) / 2 l^2) (exp(a'b / l^2) - 1)."""
    own, their = (np.exp(-np.square(values).sum(axis=1) / (2 * LENGTH**2)) for values in (points, others))
    return own[:, None] * their * np.expm1(points @ others.T / LENGTH**2)


def _on_sphere(layer: LayerErrors) -> bool:
    return isinstance(layer.generator, PGGAN) and layer.layer != "latent"


def _normalised(latents: np.ndarray) -> np.ndarray:
    return latents / np.sqrt(np.square(latents).mean(axis=-1, keepdims=True) + 1e-8)
