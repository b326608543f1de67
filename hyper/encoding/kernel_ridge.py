"""Kernel ridge regression of many responses: one decomposition of the kernel serves every penalty and region."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh, qr, svd
from scipy.linalg.lapack import dpstrf

from hyper.encoding.kernels import Kernels
from hyper.encoding.penalties import PenaltyGrid, Variant, criterion, penalty_grid
from hyper.errors import DataError


@dataclass(frozen=True)
class RegionFit:
    """What was chosen for a region.

    Attributes
    ----------
    region : str
    penalties, degrees, criteria : ndarray, shape (penalty,)
        All that were tried, the effective degrees of freedom that each leaves, and how good the fit was.
    chosen : int
        The best of them.
    """

    region: str
    penalties: np.ndarray
    degrees: np.ndarray
    criteria: np.ndarray
    chosen: int


def encode(
    kernels: Kernels,
    responses: np.ndarray,
    regions: Sequence[str] | np.ndarray,
    number: int = 5,
    variant: Variant = "published",
    intercept: bool = True,
) -> tuple[np.ndarray, list[RegionFit]]:
    """Predict the responses to test stimuli, each region with the penalty that suits it best.

    Parameters
    ----------
    kernels : Kernels
    responses : ndarray, shape (training trial, channel)
    regions : sequence of str, shape (channel,)
    number : int
        Of penalties.
    variant : {'published', 'notebook'}
        As for `hyper.encoding.penalties.penalty_grid`.
    intercept : bool
        Whether the mean training response is taken off first and added to the predictions; the criterion then counts
        one degree of freedom more, without which a fit that interpolates all trials would seem the best.

    Returns
    -------
    predicted : ndarray, shape (test stimulus, channel)
    fits : list of RegionFit
        In the order in which regions come first.

    Raises
    ------
    DataError
        When trials and kernel do not fit, or the features do not vary.
    """
    _check(kernels, responses, regions)
    level = responses.mean(axis=0, dtype=np.float64) if intercept else np.zeros(responses.shape[1])
    values, vectors = decompose(kernels.train, kernels.width if variant == "published" else None)
    grid = penalty_grid(np.pad(values, (0, len(responses) - len(values))), number, variant)
    values, vectors = np.maximum(values[: grid.rank], 0), vectors[:, : grid.rank]
    centred = responses - level
    projected = vectors.T @ centred
    squares = residual_squares(values, projected, np.square(centred).sum(axis=0), grid)
    loadings = kernels.test @ vectors
    predicted = np.empty((len(loadings), responses.shape[1]))
    labels, fits = np.asarray(regions), []
    for region in dict.fromkeys(labels.tolist()):
        own = labels == region
        found = criterion(squares[:, own].sum(axis=1), grid.counted + intercept, len(responses))
        chosen = int(np.argmin(found))
        predicted[:, own] = loadings @ (projected[:, own] / (values + grid.penalties[chosen])[:, None])
        fits.append(RegionFit(str(region), grid.penalties, grid.degrees, found, chosen))
    return predicted + level, fits


def decompose(kernel: np.ndarray, width: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, the largest first, and eigenvectors, shape (n, component), of a kernel.

    Parameters
    ----------
    kernel : ndarray, shape (n, n)
    width : int, optional
        Number of features. Where they are fewer than half of n, only as many components are computed as the kernel has
        rank, by a pivoted Cholesky factorisation.

    Raises
    ------
    DataError
        When the kernel is not finite.
    """
    if not np.isfinite(kernel).all():
        raise DataError("features", "some are not finite", "Compute them again, or correct the file they are from")
    if width is not None and 2 * width < len(kernel):
        factor, pivot, rank, _ = dpstrf(kernel, lower=1)
        if rank:
            tall = np.empty((len(kernel), rank))
            tall[pivot - 1] = np.tril(factor[:, :rank])
            basis, upper = qr(tall, mode="economic")
            left, root, _ = svd(upper)
            return root**2, basis @ left
    values, vectors = eigh(kernel, driver="evd", check_finite=False)
    return values[::-1], vectors[:, ::-1]


def residual_squares(values: np.ndarray, projected: np.ndarray, total: np.ndarray, grid: PenaltyGrid) -> np.ndarray:
    """Sum of squared residuals of every penalty, shape (penalty, channel).

    Parameters
    ----------
    values : ndarray, shape (component,)
        Eigenvalues.
    projected : ndarray, shape (component, channel)
        Responses in the basis of the eigenvectors.
    total : ndarray, shape (channel,)
        Sum of squares of the responses.
    grid : PenaltyGrid
    """
    power = np.square(projected)
    outside = np.maximum(total - power.sum(axis=0), 0)
    penalties = grid.penalties[:, None]
    left = np.divide(
        penalties, values + penalties, out=np.ones((len(penalties), len(values))), where=values + penalties > 0
    )
    return np.square(left) @ power + outside


def _check(kernels: Kernels, responses: np.ndarray, regions: Sequence[str] | np.ndarray) -> None:
    if responses.ndim != 2 or len(responses) != len(kernels.train):
        fault = f"responses of shape {responses.shape} for a kernel of {len(kernels.train)} training trials"
        raise DataError("encoding", fault, "Compute the features of the trials that were shown")
    if len(regions) != responses.shape[1]:
        raise DataError("encoding", f"{len(regions)} regions for {responses.shape[1]} channels", "Name one for each")
    bad = np.flatnonzero(~np.isfinite(responses).all(axis=0))
    if len(bad):
        fault = f"channel {bad[0]} is not finite in some trial ({len(bad)} such channels)"
        raise DataError("responses", fault, "Leave these channels out")
