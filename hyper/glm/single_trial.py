"""All trials of a run from one factorisation of its design, streamed over volumes."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from hyper.errors import DataError
from hyper.glm.estimators import contrast_t, least_squares_separate, ridge
from hyper.glm.part import BINS, Part, yule_walker
from hyper.glm.separate_ar import separate_ar
from hyper.glm.slabs import each, slabs
from hyper.glm.sums import RunSums, both_sides
from hyper.glm.tails import TailTable

SINGLE_ERROR = 5e-5


class SingleTrialGLM:
    """Least squares whose memory does not grow with the run.

    The data pass once: with the design X = QR, all that is needed of them is Q'y and y'y per voxel, and for a
    first-order autoregressive model the same with neighbouring volumes (`hyper.glm.sums`).

    Parameters
    ----------
    design : ndarray, shape (volumes, regressors)
        Of full rank.
    trials : sequence of int, optional
        The columns of single trials, for `lss` and `ridge`; all others are nuisance.
    noise_model : {"ols", "ar1"}
        ``ar1``: autocorrelation of each voxel's residuals by Yule-Walker, cut to hundredths, voxels alike whitened
        together, as nilearn does (Worsley et al. 2002, NeuroImage 15:1).
    threads : int
        The result does not depend on it.
    """

    def __init__(
        self, design: np.ndarray, trials: Sequence[int] | None = None, noise_model: str = "ols", threads: int = 1
    ) -> None:
        design = np.asarray(design, np.float64)
        self.volumes, self.regressors = design.shape
        self.noise_model, self.threads = noise_model, threads
        self.degrees_of_freedom = self.volumes - self.regressors
        if self.degrees_of_freedom < 1:
            raise DataError("design", f"{self.regressors} regressors for {self.volumes} volumes", "Model fewer trials")
        chosen = list(trials or [])
        self.order = np.array([column for column in range(self.regressors) if column not in set(chosen)] + chosen)
        self.nuisance = self.regressors - len(chosen)
        self.basis, self.upper = np.linalg.qr(design[:, self.order])

    def fit(self, blocks: Iterable[np.ndarray]) -> "SingleTrialGLM":
        """Gather a run.

        Parameters
        ----------
        blocks : iterable of ndarray, shape (n, voxels)
            Consecutive volumes, as many in all as the design has rows. What can be iterated again (a list, a
            `MaskedSeries`) is multiplied in float32, and voxels where that could move z by 5e-5 once more in
            float64; a generator in float64 throughout.

        Returns
        -------
        SingleTrialGLM
            Itself.

        Raises
        ------
        DataError
            When the number of volumes is not the design's, or a value is not finite.
        """
        fit_groups([self], [None], blocks)
        return self

    def add(self, block: np.ndarray, single: bool = False) -> None:
        """Add consecutive volumes, shape (n, voxels), where several models are fitted in one pass."""
        if not hasattr(self, "sums"):
            lagged = self.noise_model == "ar1"
            self.sums = RunSums(self.basis, block.shape[1], lagged, single, self.threads)
        self.sums.add(block)

    def finish(self) -> None:
        """Check that the run was whole and finite."""
        if not hasattr(self, "sums"):
            raise DataError("run", f"0 volumes for a design of {self.volumes}", "Check the events' run")
        self.sums.finish()

    @property
    def voxels(self) -> int:
        """Number of voxels."""
        return len(self.sums.squares)

    def autocorrelation(self) -> np.ndarray:
        """Lag-one autocorrelation of the residuals of ordinary least squares, shape (voxels,); for ``ar1`` only."""
        sums, rho = self.sums, np.zeros(self.voxels)
        band = self.basis.T @ both_sides(self.basis)

        def estimate(slab: slice) -> None:
            y = sums.projected[:, slab]
            lagged = sums.neighbours[slab] + np.einsum("pv,pv->v", y, band @ y - 2 * sums.shifted[:, slab])
            rho[slab] = yule_walker(lagged, self._residual(slab), sums.squares[slab], self.volumes)

        each(estimate, slabs(self.voxels), self.threads)
        return rho

    def _residual(self, slab: slice) -> np.ndarray:
        y = self.sums.projected[:, slab]
        return np.maximum(self.sums.squares[slab] - np.einsum("pv,pv->v", y, y), 0)

    def whitened(self, rho: float, voxels: np.ndarray) -> Part:
        """Whiten some voxels by one coefficient.

        The rows of the whitening matrix are y_t - rho y_(t-1), the first row y_1, as in nilearn.
        """
        sums, last = self.sums, self.basis[-1]
        band = self.basis.T @ both_sides(self.basis)
        gram = (1 + rho**2) * np.eye(self.regressors) - rho * band - rho**2 * np.outer(last, last)
        lower = cholesky(gram, lower=True)
        y = (1 + rho**2) * sums.projected[:, voxels]
        y -= rho * sums.shifted[:, voxels]
        y -= np.outer(rho**2 * last, sums.last[voxels])
        squares = (1 + rho**2) * sums.squares[voxels] - rho * sums.neighbours[voxels] - (rho * sums.last[voxels]) ** 2
        return Part(voxels, solve_triangular(lower, y, lower=True), squares, lower.T @ self.upper)

    def parts(self) -> Iterator[Callable[[], Part]]:
        """Voxels in parts of one autocorrelation each; a part is made when called."""
        if self.noise_model == "ols":
            for slab in slabs(self.voxels):
                yield lambda slab=slab: Part(  # type: ignore[misc]
                    slab, self.sums.projected[:, slab], self.sums.squares[slab], self.upper
                )
            return
        bins = np.trunc(self.autocorrelation() * BINS)
        for value in np.unique(bins):
            alike = np.flatnonzero(bins == value)
            for slab in slabs(len(alike)):
                yield lambda value=value, some=alike[slab]: self.whitened(value / BINS, some)  # type: ignore[misc]

    def _estimate(self, estimator: Callable[[Part], np.ndarray], maps: int, lost: int) -> np.ndarray:
        result = np.empty((maps, self.voxels), np.float32)
        table = TailTable(self.volumes - lost)

        def estimate(make: Callable[[], Part]) -> None:
            part = make()
            result[:, part.voxels] = table(estimator(part))

        each(estimate, self.parts(), self.threads)
        return result

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
        rows = np.asarray(contrasts, float)[:, self.order]
        result = np.empty((len(rows), self.voxels))

        def estimate(make: Callable[[], Part]) -> None:
            part = make()
            result[:, part.voxels] = contrast_t(part, rows, self.degrees_of_freedom)

        each(estimate, self.parts(), self.threads)
        return result

    def z(self, contrasts: np.ndarray) -> np.ndarray:
        """Contrasts as z: the standard normal quantile with the same tail probability as t.

        Parameters
        ----------
        contrasts : ndarray, shape (contrasts, regressors)

        Returns
        -------
        ndarray, shape (contrasts, voxels), float32
        """
        rows, dof = np.asarray(contrasts, float)[:, self.order], self.degrees_of_freedom
        return self._estimate(lambda part: contrast_t(part, rows, dof), len(rows), self.regressors)

    def lss(self) -> np.ndarray:
        """Estimate z of each trial in a model of its own: the trial, all others in one regressor, nuisance.

        Mumford et al. 2012, NeuroImage 59:2636. Equal to refitting: the two regressors' normal equations follow from
        the shared factorisation.

        Returns
        -------
        ndarray, shape (trials, voxels), float32
        """
        count, lost = self.regressors - self.nuisance, self.nuisance + 2
        if count < 3:
            return self.z(np.eye(self.regressors)[self.order[self.nuisance :]])
        if self.noise_model == "ar1":
            return separate_ar(self)
        return self._estimate(
            lambda part: least_squares_separate(part, self.nuisance, self.volumes - lost), count, lost
        )

    def ridge(self, stimuli: Sequence[object] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Estimate z of each trial, drawn towards the voxel's mean response (`estimators.ridge`).

        Parameters
        ----------
        stimuli : sequence, optional
            What each trial showed: the strength of each voxel's penalty is then chosen by cross-validation over
            repeats, else by restricted maximum likelihood.

        Returns
        -------
        z : ndarray, shape (trials, voxels), float32
            The shrunken estimate over the standard error of the plain one.
        fraction : ndarray, shape (voxels,), float32
            Length of the shrunken deviations from the mean relative to the plain ones.
        """
        count = self.regressors - self.nuisance
        if count < 3:
            raise DataError("glm.estimator", f"ridge needs three trials, the run has {count}", "Use `lsa`")
        fraction = np.empty(self.voxels, np.float32)

        def estimate(part: Part) -> np.ndarray:
            t, fraction[part.voxels] = ridge(part, self.nuisance, self.degrees_of_freedom, stimuli)
            return t

        return self._estimate(estimate, count, self.regressors), fraction


def fit_groups(
    glms: Sequence[SingleTrialGLM], places: Sequence[np.ndarray | None], blocks: Iterable[np.ndarray]
) -> None:
    """Fit several models, each to its own voxels, in one pass (`SingleTrialGLM.fit`).

    Parameters
    ----------
    glms : sequence of SingleTrialGLM
    places : sequence of ndarray of int, or None for all
        The voxels of each model.
    blocks : iterable of ndarray, shape (n, voxels)
    """
    stream = iter(blocks)
    again = stream is not blocks
    for block in stream:
        for glm, place in zip(glms, places, strict=True):
            glm.add(block if place is None else block[:, place], single=again)
    doubles: list[tuple[SingleTrialGLM, np.ndarray, np.ndarray, RunSums]] = []
    for glm, place in zip(glms, places, strict=True):
        glm.finish()
        doubtful = glm.sums.doubtful(SINGLE_ERROR)
        if len(doubtful):
            double = RunSums(glm.basis, len(doubtful), glm.noise_model == "ar1", False, glm.threads)
            doubles.append((glm, doubtful, doubtful if place is None else place[doubtful], double))
    if doubles:
        for block in blocks:
            for *_, where, double in doubles:
                double.add(block[:, where])
        for glm, doubtful, _, double in doubles:
            double.finish()
            glm.sums.replace(doubtful, double)
