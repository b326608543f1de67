"""The noise-aware decoder: posterior mean of the latent under an encoding model, for the number of repeats at hand."""

import logging
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from hyper.decoding.base import Pair, check_matrix
from hyper.decoding.encoding_model import EncodingModel, fit_encoding_model
from hyper.decoding.linear import LinearDecoder
from hyper.errors import DataError

_log = logging.getLogger(__name__)


class NoiseAwareDecoder(LinearDecoder):
    """Bayes' rule on x = A z + e, e ~ N(0, S / n_repeats), z ~ N(0, I).

    A and S are learned on single trials by `fit_encoding_model`: S has shared components and a private variance per
    voxel, A is shrunk per voxel. The mean of n trials has the noise S / n, so that shrinkage fits averaged responses.

    Parameters
    ----------
    components : int or None
        Of the shared noise; None: counted from the training trials.
    noise : {'low-rank', 'ledoit-wolf'}
        Covariance of the noise: shared components and private variances, or the shrunk sample covariance.
    iterations : int
        Of the marginal likelihood's maximisation.
    weight_uncertainty : bool
        Count what is unknown of a voxel's weights as noise of that voxel. It calibrates the length of the latents.
    prior : {'standard', 'empirical'}
        Of the latents: N(0, I), or mean and variances of the training latents.
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.

    Notes
    -----
    Bayesian reconstruction from an encoding model: Thirion et al. (2006), Naselaris et al. (2009), Schoenmakers et al.
    (2013). The curve has one row per quartile of voxels: ``reliability``, the share of a trial's variance that the
    latents explain, and ``voxels``.
    """

    kind: ClassVar[str] = "noise-aware"
    tensors: ClassVar[tuple[str, ...]] = (
        "encoding", "unsure", "private", "shared", "centre", "offset", "prior_mean", "prior_variance", "mean", "std",
    )  # fmt: skip

    def __init__(
        self,
        components: int | None = None,
        noise: Literal["low-rank", "ledoit-wolf"] = "low-rank",
        iterations: int = 6,
        weight_uncertainty: bool = True,
        prior: Literal["standard", "empirical"] = "standard",
        scaling: Literal["zscore", "none"] = "zscore",
    ) -> None:
        super().__init__(
            components=components, noise=noise, iterations=iterations, weight_uncertainty=weight_uncertainty,
            prior=prior, scaling=scaling,
        )  # fmt: skip

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        self.centre, self.offset = responses.mean(axis=0), latents.mean(axis=0)
        model = fit_encoding_model(
            responses - self.centre, latents - self.offset, self.settings["components"], self.settings["iterations"],
            self.settings["noise"],
        )  # fmt: skip
        self.encoding, self.unsure = model.weights, model.unsure
        self.private, self.shared = model.private, model.shared
        size = latents.shape[1]
        self.prior_mean, self.prior_variance = np.zeros(size), np.ones(size)
        if self.settings["prior"] == "empirical":
            self.prior_mean, self.prior_variance = self.offset, np.maximum(latents.var(axis=0), 1e-12)
        self.curve = _by_quartile(model)
        _log.info(
            "%d components of shared noise; the latents explain %.2g %% of a trial's variance (median voxel)",
            self.shared.shape[1], 100 * np.median(model.reliability),
        )  # fmt: skip

    def decode(self, responses: np.ndarray, n_repeats: np.ndarray | int | None = None) -> np.ndarray:
        """Posterior mean given raw responses, each the mean of `n_repeats` trials (one if not given)."""
        self._check_fitted()
        check_matrix("responses", responses, len(self.mean))
        scaled = self._scaled(responses) - self.centre
        repeats = _repeats(n_repeats, len(responses))
        decoded = np.empty((len(responses), len(self.offset)))
        for number in np.unique(repeats):
            rows = repeats == number
            covariance, gain = self._update(int(number))
            pull = (self.prior_mean - self.offset) / self.prior_variance
            decoded[rows] = self.offset + (scaled[rows] @ gain + pull) @ covariance
        return decoded

    def posterior_covariance(self, n_repeats: int = 1) -> np.ndarray:
        """Covariance of the latent given the mean of `n_repeats` trials, shape (latent, latent)."""
        self._check_fitted()
        return self._update(int(_repeats(n_repeats, 1)[0]))[0]

    def _update(self, repeats: int) -> tuple[np.ndarray, np.ndarray]:
        """Posterior covariance, and what turns responses into information about the latent, (voxel, latent)."""
        noise = self.private / repeats + (self.unsure if self.settings["weight_uncertainty"] else 0)
        loadings = self.shared / np.sqrt(repeats)
        scaled = loadings / noise[:, None]
        inner = np.linalg.inv(np.eye(loadings.shape[1]) + loadings.T @ scaled)
        gain = self.encoding / noise[:, None]
        gain = gain - scaled @ (inner @ (loadings.T @ gain))
        precision = np.diag(1 / self.prior_variance) + self.encoding.T @ gain
        return np.linalg.inv((precision + precision.T) / 2), gain


def _repeats(n_repeats: np.ndarray | int | None, rows: int) -> np.ndarray:
    repeats = np.broadcast_to(np.asarray(1 if n_repeats is None else n_repeats), (rows,))
    if (repeats < 1).any():
        raise DataError("n_repeats", "a response is the mean of no trial", "Give at least 1 for each row")
    return repeats


def _by_quartile(model: EncodingModel) -> pd.DataFrame:
    groups = np.array_split(np.sort(model.reliability), 4)
    return pd.DataFrame(
        [(i + 1, len(group), group.mean()) for i, group in enumerate(groups) if len(group)],
        columns=["quartile", "voxels", "reliability"],
    )
