"""Least squares on all voxels, on principal components, and on partial-least-squares components."""

import logging
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from sklearn.cross_decomposition import PLSRegression

from hyper.decoding.base import Pair, folds_of
from hyper.decoding.linear import LinearDecoder

_log = logging.getLogger(__name__)


class LeastSquaresDecoder(LinearDecoder):
    """Ordinary least squares, of least norm where trials are fewer than voxels (as in the published follow-up).

    Parameters
    ----------
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.
    """

    kind: ClassVar[str] = "ols"

    def __init__(self, scaling: Literal["zscore", "none"] = "zscore") -> None:
        super().__init__(scaling=scaling)

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        centre, offset = responses.mean(axis=0), latents.mean(axis=0)
        coefficients = np.linalg.lstsq(responses - centre, latents - offset, rcond=None)[0]
        self.weight = np.ascontiguousarray(coefficients.T)
        self.bias = offset - self.weight @ centre
        self.curve = pd.DataFrame()


class ComponentsDecoder(LinearDecoder):
    """Least squares on a few components; leaving runs out chooses their number.

    Parameters
    ----------
    method : {'pcr', 'pls'}
        Principal components of the responses (Massy, 1965), or partial least squares (Wold et al., 1984; scikit-learn's
        PLSRegression, NIPALS).
    numbers : list of int
        Numbers of components tried; those that the data do not have are left out.
    folds : int
        Used when the trials are of one run.
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.

    Notes
    -----
    The curve has one row per number: ``components``, ``left_out_mse``, and ``chosen`` (0 or 1).
    """

    kind: ClassVar[str] = "components"

    def __init__(
        self,
        method: Literal["pcr", "pls"] = "pcr",
        numbers: list[int] | None = None,
        folds: int = 5,
        scaling: Literal["zscore", "none"] = "zscore",
    ) -> None:
        numbers = [1, 2, 5, 10, 20, 50, 100, 200, 400] if numbers is None else numbers
        super().__init__(method=method, numbers=numbers, folds=folds, scaling=scaling)

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        folds = folds_of(len(responses), series, self.settings["folds"])
        counts = np.bincount(folds)
        most = min(len(responses) - int(counts.max()) - 1, responses.shape[1])
        numbers = sorted({number for number in self.settings["numbers"] if number <= most}) or [1]
        errors = np.zeros(len(numbers))
        for fold in range(len(counts)):
            left = folds == fold
            paths = self._path(responses[~left], latents[~left], numbers)
            for i, (weight, bias) in enumerate(paths):
                errors[i] += np.square(responses[left] @ weight.T + bias - latents[left]).mean() / len(counts)
        best = int(errors.argmin())
        ((self.weight, self.bias),) = self._path(responses, latents, [numbers[best]])
        chosen = (np.arange(len(numbers)) == best).astype(int)
        self.curve = pd.DataFrame({"components": numbers, "left_out_mse": errors, "chosen": chosen})
        _log.info("%d components (%s)", numbers[best], self.settings["method"])

    def _path(self, x: np.ndarray, z: np.ndarray, numbers: list[int]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Weight and bias for each number of components."""
        centre, offset = x.mean(axis=0), z.mean(axis=0)
        path = _principal if self.settings["method"] == "pcr" else _partial
        weights = path(x - centre, z - offset, numbers)
        return [(weight, offset - weight @ centre) for weight in weights]


def _principal(x: np.ndarray, z: np.ndarray, numbers: list[int]) -> list[np.ndarray]:
    left, values, right = np.linalg.svd(x, full_matrices=False)
    inverse = np.divide(1, values, out=np.zeros_like(values), where=values > values[0] * 1e-10)
    loads = (left * inverse).T @ z
    return [np.ascontiguousarray((right[:number].T @ loads[:number]).T) for number in numbers]


def _partial(x: np.ndarray, z: np.ndarray, numbers: list[int]) -> list[np.ndarray]:
    """One fit with the most components: the first of them are those of the smaller fits.

    In the dual, on the principal coordinates of the trials, which NIPALS sees as it sees the voxels.
    """
    left, values, right = np.linalg.svd(x, full_matrices=False)
    kept = values > values[0] * 1e-10
    left, values, right = left[:, kept], values[kept], right[kept]
    most = min(max(numbers), int(kept.sum()))
    model = PLSRegression(n_components=most, scale=False, max_iter=2000).fit(left * values, z)
    weights = []
    for number in numbers:
        used = min(number, most)
        coefficients = model.x_rotations_[:, :used] @ model.y_loadings_[:, :used].T
        weights.append(np.ascontiguousarray((right.T @ coefficients).T))
    return weights
