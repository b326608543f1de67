"""What least squares needs of a run, gathered in one pass over its volumes."""

import numpy as np

from hyper.errors import DataError
from hyper.glm.slabs import each_slab

SINGLE = np.finfo(np.float32).eps / 2


class RunSums:
    """Products of the data with a basis of the design, and with that basis shifted by a volume to either side.

    With Q the basis, L the shift by one volume and y a voxel: Q'y, y'y and, for models of autocorrelation, Q'(L + L')y,
    y'(L + L')y and the last volume. Generalised least squares of a first-order autoregressive process follows from
    these for every coefficient, without the data.

    Parameters
    ----------
    basis : ndarray, shape (volumes, regressors)
        Orthonormal columns.
    voxels : int
    lagged : bool
        Whether autocorrelation will be asked for.
    single : bool
        Multiply in float32; sums are float64 always.
    threads : int

    Attributes
    ----------
    projected, shifted : ndarray, shape (regressors, voxels)
        Q'y, Q'(L + L')y; data are relative to `reference`.
    squares, neighbours, last : ndarray, shape (voxels,)
        y'y, y'(L + L')y, the last volume.
    reference : ndarray, shape (voxels,)
        What was subtracted: the median of the first volumes where the basis spans a constant, which absorbs it, so
        that differences of sums lose no digits; else zero.
    """

    def __init__(self, basis: np.ndarray, voxels: int, lagged: bool, single: bool, threads: int = 1) -> None:
        self.volumes, self.regressors = basis.shape
        self.single, self.threads = single, threads
        self._dtype = np.float32 if single else np.float64
        self._left = (np.hstack([basis, both_sides(basis)]) if lagged else basis).astype(self._dtype)
        ones = np.ones(self.volumes)
        self._centre = np.linalg.norm(ones - basis @ (basis.T @ ones)) < 1e-6 * np.sqrt(self.volumes)
        self._sums = np.zeros((self._left.shape[1], voxels))
        self.squares, self.neighbours, self.last = np.zeros(voxels), np.zeros(voxels), np.zeros(voxels)
        self.reference: np.ndarray | None = None
        self.seen, self.lagged = 0, lagged

    @property
    def projected(self) -> np.ndarray:
        """Q'y."""
        return self._sums[: self.regressors]

    @property
    def shifted(self) -> np.ndarray:
        """Q'(L + L')y."""
        return self._sums[self.regressors :]

    def add(self, block: np.ndarray) -> None:
        """Add consecutive volumes, shape (n, voxels)."""
        if self.reference is None:
            middle = np.median(block[:15], axis=0) if self._centre else np.zeros(block.shape[1])
            self.reference = middle.astype(block.dtype)
        if self.seen + len(block) > self.volumes:
            raise DataError("run", f"more volumes than the design's {self.volumes}", "Check the events' run")
        rows = self._left[self.seen : self.seen + len(block)]

        def add_slab(slab: slice) -> None:
            part = (block[:, slab] - self.reference[slab]).astype(self._dtype, copy=False)  # type: ignore[index]
            self._sums[:, slab] += rows.T @ part
            self.squares[slab] += np.einsum("tv,tv->v", part, part)
            if self.lagged:
                self.neighbours[slab] += 2 * np.einsum("tv,tv->v", part[1:], part[:-1])
                self.neighbours[slab] += 2 * self.last[slab] * part[0] if self.seen else 0
                self.last[slab] = part[-1]

        each_slab(add_slab, block.shape[1], self.threads)
        self.seen += len(block)

    def finish(self) -> None:
        """Check that the run was whole and finite."""
        if self.seen != self.volumes:
            raise DataError("run", f"{self.seen} volumes for a design of {self.volumes}", "Check the events' run")
        if not np.isfinite(self.squares).all():
            raise DataError("run", "it holds values that are not finite inside the mask", "Check the preprocessing")

    def residual(self) -> np.ndarray:
        """Residual sum of squares of ordinary least squares, shape (voxels,)."""
        return np.maximum(self.squares - np.einsum("pv,pv->v", self.projected, self.projected), 0)

    def doubtful(self, most: float) -> np.ndarray:
        """Indices of voxels whose t, up to 8, may be off by more than `most` through float32.

        With u one rounding and r = y'y over the residual, a product of a unit column with y is off by about u sqrt(n r)
        standard deviations of the noise, and the noise by u r of itself: 2 u sqrt(n r) + 8 u r bounds both.
        """
        if not self.single:
            return np.empty(0, int)
        noise = np.maximum(self.residual(), SINGLE * self.squares)
        share = np.divide(self.squares, noise, out=np.zeros_like(noise), where=noise > 0)
        return np.flatnonzero(SINGLE * (2 * np.sqrt(self.volumes * share) + 8 * share) > most)

    def replace(self, voxels: np.ndarray, other: "RunSums") -> None:
        """Take the sums of some voxels from another pass."""
        self._sums[:, voxels] = other._sums
        for name in ("squares", "neighbours", "last", "reference"):
            getattr(self, name)[voxels] = getattr(other, name)


def both_sides(columns: np.ndarray) -> np.ndarray:
    """(L + L') times columns: the row before plus the row after."""
    result = np.zeros_like(columns)
    result[1:] += columns[:-1]
    result[:-1] += columns[1:]
    return result
