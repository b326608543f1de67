"""Least squares for all trials of a run from one factorisation of its design, streamed over volumes."""

from collections.abc import Iterable

import numpy as np
from scipy.special import ndtri, stdtr

from hyper.errors import DataError


class SingleTrialGLM:
    """Ordinary least squares whose memory does not grow with the run.

    The data pass once: with the design X = QR, all that is needed of them is Q'y and y'y per voxel.

    Parameters
    ----------
    design : ndarray, shape (volumes, regressors)
        Of full rank, with a constant in its span.
    """

    def __init__(self, design: np.ndarray) -> None:
        self.q, self.r = np.linalg.qr(np.asarray(design, np.float64))
        self.degrees_of_freedom = design.shape[0] - design.shape[1]
        if self.degrees_of_freedom < 1:
            raise DataError(
                "design", f"{design.shape[1]} regressors for {design.shape[0]} volumes", "Model fewer trials"
            )

    def fit(self, blocks: Iterable[np.ndarray]) -> "SingleTrialGLM":
        """Accumulate a run.

        Parameters
        ----------
        blocks : iterable of ndarray, shape (n, voxels)
            Consecutive volumes, as many in all as the design has rows.

        Returns
        -------
        SingleTrialGLM
            Itself.

        Raises
        ------
        DataError
            When the number of volumes is not the design's, or a value is not finite.
        """
        start, reference = 0, None
        for block in blocks:
            block = np.asarray(block, np.float64)
            if reference is None:
                # the constant absorbs any fixed volume; without its offset y'y - |Q'y|^2 loses no digits
                reference = block[0].copy()
                self.projected = np.zeros((self.q.shape[1], block.shape[1]))
                self.squares = np.zeros(block.shape[1])
            centred = block - reference
            rows = self.q[start : start + len(block)]
            if len(rows) < len(block):
                raise DataError("run", f"more volumes than the design's {len(self.q)}", "Check the events' run")
            self.projected += rows.T @ centred
            self.squares += np.einsum("tv,tv->v", centred, centred)
            start += len(block)
        if start != len(self.q):
            raise DataError("run", f"{start} volumes for a design of {len(self.q)}", "Check the events' run")
        if not np.isfinite(self.squares).all():
            raise DataError("run", "it holds values that are not finite inside the mask", "Check the preprocessing")
        return self

    def t(self, contrasts: np.ndarray) -> np.ndarray:
        """Student's t of contrasts.

        Parameters
        ----------
        contrasts : ndarray, shape (contrasts, regressors)

        Returns
        -------
        ndarray, shape (contrasts, voxels)
            Zero where a voxel does not vary.
        """
        rows = np.linalg.solve(self.r.T, contrasts.T).T
        residual = np.maximum(self.squares - np.einsum("pv,pv->v", self.projected, self.projected), 0)
        flat = residual <= 1e-10 * np.maximum(self.squares, np.finfo(float).tiny)
        error = np.sqrt(residual / self.degrees_of_freedom)
        scale = np.where(flat, np.inf, error) * np.linalg.norm(rows, axis=1)[:, None]
        return (rows @ self.projected) / scale

    def z(self, contrasts: np.ndarray) -> np.ndarray:
        """Contrasts as z: the standard normal quantile with the same tail probability as t."""
        return t_to_z(self.t(contrasts), self.degrees_of_freedom)


def t_to_z(t: np.ndarray, degrees_of_freedom: int) -> np.ndarray:
    """Convert Student's t to z with the same tail probability, computed in the nearer tail.

    Where the tail probability underflows, Wallace's approximation (1959, Annals of Mathematical Statistics 30:1124)
    stands in: there is no infinity and no loss of sign.
    """
    tail = stdtr(degrees_of_freedom, -np.abs(t))
    with np.errstate(divide="ignore"):
        z = -ndtri(tail)
    extreme = tail < 1e-290
    if extreme.any():
        nu = degrees_of_freedom
        z[extreme] = (8 * nu + 1) / (8 * nu + 3) * np.sqrt(nu * np.log1p(t[extreme] ** 2 / nu))
    return np.copysign(z, t)
