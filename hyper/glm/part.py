"""Voxels that share a whitened design, and the autocorrelation by which they are grouped."""

from dataclasses import dataclass

import numpy as np

BINS = 100  # nilearn's: autocorrelation is cut to two decimals


@dataclass(frozen=True)
class Part:
    """Some voxels of a fitted run, whitened and in coordinates of an orthonormal basis of the whitened design.

    Attributes
    ----------
    voxels : slice or ndarray of int
    y : ndarray, shape (regressors, n)
        Q'y: the nuisance columns first, then the trials'.
    squares : ndarray, shape (n,)
        y'y.
    upper : ndarray, shape (regressors, regressors)
        R of the whitened design X = QR.
    """

    voxels: slice | np.ndarray
    y: np.ndarray
    squares: np.ndarray
    upper: np.ndarray


def yule_walker(lagged: np.ndarray, residual: np.ndarray, squares: np.ndarray, volumes: int) -> np.ndarray:
    """Autocorrelation from e'(L + L')e and e'e; zero where nothing but the model varies.

    Parameters
    ----------
    lagged, residual, squares : ndarray
        e'(L + L')e, e'e and y'y, with e the residuals of y and L the shift by one volume.
    volumes : int

    Returns
    -------
    ndarray
    """
    rho = np.zeros(residual.shape)
    varies = residual > 1e-10 * squares
    np.divide(lagged / 2 * volumes / (volumes - 1), residual, out=rho, where=varies)
    return np.clip(rho, -0.99, 0.99)
