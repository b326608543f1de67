"""The encoding model behind the noise-aware decoder: response = weights @ latent + noise, voxels shrunk one by one.

With Z = U diag(sqrt(s)) V' the centred latents and X the centred responses, the rows of U'X are independent:
row k ~ N(0, S + s_k T), where T = diag(prior variance of a voxel's weights) and S = L L' + diag(D) is the covariance of
single-trial noise. What is orthogonal to U is noise alone, N(0, S), with trials - 1 - rank(Z) degrees of freedom. So
the weights are integrated out exactly, the noise is no residual of a fit, and all unknowns are found by expectation
maximisation of the marginal likelihood.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from sklearn.covariance import ledoit_wolf_shrinkage

from hyper.errors import DataError

_BANDS = 16  # groups of rows of similar s, which share one factor analysis
_RATIOS = np.geomspace(1e-2, 1e4, 49)  # of noise to signal variance of a trial
_LEAST = 1e-6


@dataclass
class EncodingModel:
    """How voxels respond to latents, and how sure that is.

    Attributes
    ----------
    weights : ndarray, shape (voxel, latent)
        Posterior mean.
    unsure : ndarray, shape (voxel,)
        Posterior variance of ``weights @ z`` for z ~ N(0, I).
    signal : ndarray, shape (voxel,)
        Prior variance of ``weights @ z`` for z ~ N(0, I).
    private : ndarray, shape (voxel,)
        Variance of the noise that a voxel shares with no other, single trials.
    shared : ndarray, shape (voxel, component)
        Loadings of the shared noise.
    """

    weights: np.ndarray
    unsure: np.ndarray
    signal: np.ndarray
    private: np.ndarray
    shared: np.ndarray

    @property
    def reliability(self) -> np.ndarray:
        """Share of each voxel's variance over trials that the latents explain."""
        noise = self.private + np.square(self.shared).sum(axis=1)
        return self.signal / (self.signal + noise)


class _Rows(NamedTuple):
    """Responses in the basis of the latents: `signal` rows have strength `s`, the rest is noise of `free` degrees."""

    signal: np.ndarray
    s: np.ndarray
    noise: np.ndarray
    free: int

    def bands(self) -> list[tuple[np.ndarray, float]]:
        """Rows of `signal` of similar strength, and their mean strength."""
        groups = np.array_split(np.argsort(self.s), min(_BANDS, len(self.s)))
        return [(group, float(self.s[group].mean())) for group in groups]


def fit_encoding_model(
    responses: np.ndarray,
    latents: np.ndarray,
    components: int | None = None,
    iterations: int = 6,
    noise: Literal["low-rank", "ledoit-wolf"] = "low-rank",
) -> EncodingModel:
    """Fit the encoding model by maximum marginal likelihood.

    Parameters
    ----------
    responses : ndarray, shape (trial, voxel)
        Single trials, centred.
    latents : ndarray, shape (trial, latent)
        Centred.
    components : int, optional
        Of the shared noise; if not given, as many as `count_components` finds.
    iterations : int
    noise : {'low-rank', 'ledoit-wolf'}
        Covariance of the noise: shared components and private variances, found with the rest; or what the latents leave
        of the sample's covariance, shrunk to equal independent variances (Ledoit & Wolf, 2004) and then left as it is.

    Returns
    -------
    EncodingModel

    Raises
    ------
    DataError
        When latents leave fewer than two trials' worth of noise to shrink.

    Notes
    -----
    A voxel's prior variance has a distribution over voxels of its own, learned from them (nonparametric empirical
    Bayes: Robbins, 1956; Efron, 2019): the many weak voxels tell that most weights are small. Without it, the maximum
    over a voxel's own variance is far too large where little can be learned. Shared noise: factor analysis
    (Rubin & Thayer, 1982) with voxel variances that differ from row to row.
    """
    left, root, right = np.linalg.svd(latents, full_matrices=False)
    kept = root > max(latents.shape) * np.finfo(float).eps * root[0] if root.size and root[0] > 0 else root > 0
    left, root, right = left[:, kept], root[kept], right[kept]
    projected = left.T @ responses
    rows = _Rows(projected, root**2, responses - left @ projected, max(len(responses) - 1 - len(root), 0))
    low_rank = noise == "low-rank"
    shared, private = _start(rows, components) if low_rank else _ledoit_wolf(responses, left)
    signal = np.full(responses.shape[1], 0.01 / latents.shape[1]) * (private + np.square(shared).sum(axis=1))
    for _ in range(iterations):
        shared = _update_loadings(rows, shared, private, signal) if low_rank else shared
        squares = _squares_without_shared(rows, shared, private, signal)
        variance, signal = _update_variances(rows, *squares, latents.shape[1])
        private = variance if low_rank else private
    mean, variance = _posterior(rows, shared, private, signal)
    unsure = variance.sum(axis=0) + (latents.shape[1] - len(root)) * signal
    return EncodingModel(mean.T @ right, unsure, signal * latents.shape[1], private, shared)


def count_components(noise: np.ndarray, free: int) -> int:
    """Count eigenvalues of the noise's correlation above the edge of those of independent voxels.

    Parameters
    ----------
    noise : ndarray, shape (row, voxel)
    free : int
        Its degrees of freedom.

    Notes
    -----
    Edge: (1 + sqrt(voxel / free))^2 (Marchenko & Pastur, 1967).
    """
    if free < 2:
        return 0
    power = np.sqrt(np.square(noise).sum(axis=0) / free)
    standard = noise / np.where(power > _LEAST, power, 1)
    values = np.linalg.eigvalsh(standard @ standard.T) / free
    return int((values > (1 + np.sqrt(noise.shape[1] / free)) ** 2).sum())


def _start(rows: _Rows, components: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Loadings and private variances from principal components of the noise."""
    noise, free = (rows.noise, rows.free) if rows.free > 1 else (rows.signal, max(len(rows.signal), 1))
    number = count_components(rows.noise, rows.free) if components is None else components
    number = min(number, max(free - 1, 0), noise.shape[1] - 1)
    vectors = np.linalg.eigh(noise @ noise.T)[1][:, ::-1][:, :number]
    shared = noise.T @ vectors / np.sqrt(free)
    private = np.square(noise).sum(axis=0) / free
    return shared, np.maximum(private - np.square(shared).sum(axis=1), np.maximum(0.05 * private, _LEAST))


def _ledoit_wolf(responses: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Loadings and private variances whose covariance is Ledoit and Wolf's, of what is orthogonal to the latents.

    In a basis of the complement of mean and latents the rows are independent draws of the noise, as many as there are
    degrees of freedom.
    """
    known = np.column_stack([np.ones(len(left)), left])
    free = len(known) - known.shape[1]
    if free < 2:
        fault = f"{len(known)} trials leave {max(free, 0)} degrees of freedom for the noise"
        raise DataError("noise-aware", fault, "Set noise: low-rank")
    draws = np.linalg.qr(known, mode="complete")[0][:, known.shape[1] :].T @ responses
    shrinkage = ledoit_wolf_shrinkage(draws, assume_centered=True)
    equal = np.square(draws).sum() / draws.size
    shared = draws.T * np.sqrt((1 - shrinkage) / free)
    return shared, np.full(responses.shape[1], max(shrinkage * equal, _LEAST))


def _factors(values: np.ndarray, shared: np.ndarray, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Posterior mean, shape (row, component), and covariance of the factors behind rows of one variance."""
    scaled = shared / variance[:, None]
    covariance = np.linalg.inv(np.eye(shared.shape[1]) + shared.T @ scaled)
    return values @ scaled @ covariance, covariance


def _groups(rows: _Rows) -> list[tuple[np.ndarray, float, int]]:
    """Values, strength and degrees of freedom of each band of signal rows and of the noise."""
    groups = [(rows.signal[band], strength, len(band)) for band, strength in rows.bands()]
    return [*groups, (rows.noise, 0.0, rows.free)] if rows.free else groups


def _update_loadings(rows: _Rows, shared: np.ndarray, private: np.ndarray, signal: np.ndarray) -> np.ndarray:
    voxels, components = shared.shape
    if not components:
        return shared
    cross = np.zeros((voxels, components))
    precisions, products = [], []
    for values, strength, free in _groups(rows):
        variance = private + strength * signal
        factors, covariance = _factors(values, shared, variance)
        cross += (values.T @ factors) / variance[:, None]
        precisions.append(1 / variance)
        products.append((factors.T @ factors + free * covariance).ravel())
    square = np.array(precisions).T @ np.array(products)
    return np.linalg.solve(square.reshape(voxels, components, components), cross[..., None])[..., 0]


def _squares_without_shared(
    rows: _Rows, shared: np.ndarray, private: np.ndarray, signal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Expected squares without the shared noise: of each signal row, and summed over the noise."""
    squares = np.empty_like(rows.signal)
    for band, strength in rows.bands():
        factors, covariance = _factors(rows.signal[band], shared, private + strength * signal)
        unsure = ((shared @ covariance) * shared).sum(axis=1)
        squares[band] = np.square(rows.signal[band] - factors @ shared.T) + unsure
    factors, covariance = _factors(rows.noise, shared, private)
    unsure = ((shared @ covariance) * shared).sum(axis=1)
    return squares, np.square(rows.noise - factors @ shared.T).sum(axis=0) + rows.free * unsure


def _update_variances(
    rows: _Rows, squares: np.ndarray, rest: np.ndarray, latents: int
) -> tuple[np.ndarray, np.ndarray]:
    """Private noise and prior variance of the weights: means over a grid of ratios whose distribution is learned."""
    ratios = _RATIOS * latents
    shrinkage = 1 / (1 + rows.s / ratios[:, None])
    count = len(rows.s) + rows.free
    noise = np.maximum((shrinkage @ squares + rest) / count, _LEAST)
    likelihood = -0.5 * (count * np.log(noise) - np.log(shrinkage).sum(axis=1)[:, None])
    likelihood = np.exp(likelihood - likelihood.max(axis=0))
    prior = np.full(len(ratios), 1 / len(ratios))
    for _ in range(50):
        posterior = likelihood * prior[:, None]
        posterior /= posterior.sum(axis=0)
        prior = posterior.mean(axis=1)
    return (posterior * noise).sum(axis=0), (posterior * noise / ratios[:, None]).sum(axis=0)


def _posterior(
    rows: _Rows, shared: np.ndarray, private: np.ndarray, signal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of the weights in the basis of the latents, shape (row, voxel)."""
    mean, variance = np.empty_like(rows.signal), np.empty_like(rows.signal)
    for band, strength in rows.bands():
        factors, covariance = _factors(rows.signal[band], shared, private + strength * signal)
        s = rows.s[band][:, None]
        total = private + s * signal
        mean[band] = np.sqrt(s) * signal / total * (rows.signal[band] - factors @ shared.T)
        spread = ((shared @ covariance) * shared).sum(axis=1)
        variance[band] = signal * private / total + s * np.square(signal / total) * spread
    return mean, variance
