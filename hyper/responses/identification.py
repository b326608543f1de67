"""How often a perfect model would identify a stimulus from its averaged response.

The perfect model knows the true mean response to every stimulus and how noisy each voxel is; all that misleads it is
the noise of the response that it is shown. Of two stimuli it names the one whose true mean lies nearer to the response,
distance being measured by a metric M: each voxel divided by its noise (``independent``), or the inverse of the noise
covariance (``correlated``), shrunk after Ledoit & Wolf (2004, Journal of Multivariate Analysis 88, 365).

With d the difference of two true means, C the noise covariance of one trial and n repeats, it is right with
probability Phi(d'Md / 2 sqrt(d'MCMd / n)). True means are not known, and distances between estimated ones are inflated
by noise. So the moments that matter are estimated without that bias, as crossnobis distances are (Walther et al., 2016,
NeuroImage 137, 188): M comes from one half of the residual degrees of freedom; the noise's share is measured in the
other half and subtracted.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import null_space
from scipy.special import ndtr
from scipy.stats import gamma
from sklearn.covariance import ledoit_wolf_shrinkage

from hyper.io.seeds import generator_of
from hyper.responses.ceiling import one_hot, why_not

METRICS = ("independent", "correlated")
_Z = 1.959963984540054
Metric = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Identification:
    """Expected two-way identification accuracy of a perfect model.

    Attributes
    ----------
    accuracy, lower, upper : float
        Expectation, and at the ends of a 95 % interval of the strength of the signal; chance is 0.5.
    strength : float
        Mean squared distance of two true means in units of the noise of one trial along it (d' squared).
    dimensions : float
        Effective number of dimensions that the true means spread over.
    reason : str
        Why there is none; empty when there is.
    """

    accuracy: float
    lower: float
    upper: float
    strength: float
    dimensions: float
    reason: str = ""

    @property
    def found(self) -> bool:
        """Whether the stimuli differ beyond noise at all."""
        return self.lower > 0.5


@dataclass(frozen=True)
class Moments:
    """Traces of signal (S) and noise (C) covariance under the metric M, scaled so that tr(MC) = 1.

    Attributes
    ----------
    signal, signal_error : float
        tr(MS) and its standard error.
    spread : float
        tr(MSMS).
    aligned : float
        tr(MSMC).
    noise : float
        tr(MCMC).
    """

    signal: float
    signal_error: float
    spread: float
    aligned: float
    noise: float


def expected_identification(
    values: np.ndarray, stimuli: np.ndarray, series: np.ndarray, metric: str, seed: int, single: bool = False
) -> Identification:
    """Estimate the two-way identification accuracy of a perfect model.

    Parameters
    ----------
    values : ndarray, shape (trial, voxel)
        Single test trials.
    stimuli, series : ndarray of str, shape (trial,)
        What was shown, and in which run. Means of runs count as noise: stimuli are compared within runs.
    metric : {"independent", "correlated"}
    seed : int
    single : bool
        Whether it is shown single trials instead of the mean over each stimulus's repeats.
    """
    reason = why_not(stimuli, series)
    varies = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(0, bool)
    if not reason and not varies.any():
        reason = "no voxel varies over the test trials"
    if not reason:
        moments = estimate_moments(values[:, varies].astype(np.float64), stimuli, series, metric, seed)
        reason = "" if moments else "there are too few repeats"
    if reason or moments is None:
        nan = float("nan")
        return Identification(nan, nan, nan, nan, nan, reason)
    repeats = np.ones(1) if single else np.unique(stimuli, return_counts=True)[1]
    margin = _Z * moments.signal_error
    lower, accuracy, upper = (accuracy_of(moments, moments.signal + shift, repeats) for shift in (-margin, 0.0, margin))
    if moments.signal <= 0:
        return Identification(accuracy, lower, upper, 0.0, float("nan"))
    strength = 2 * moments.signal**2 / _aligned(moments, moments.signal)
    return Identification(accuracy, lower, upper, strength, moments.signal**2 / _spread(moments, moments.signal))


def estimate_moments(
    values: np.ndarray, stimuli: np.ndarray, series: np.ndarray, metric: str, seed: int
) -> Moments | None:
    """Estimate the moments of signal and noise; None with fewer than eight residual degrees of freedom."""
    runs, shown = one_hot(series), one_hot(stimuli)
    design = np.hstack([runs, shown])
    left = null_space(design.T)
    if left.shape[1] < 8:
        return None
    residuals = _random_rotation(left, generator_of(seed, "identification")).T @ values
    half = len(residuals) // 2
    contrast = _within_runs(runs, shown) @ np.linalg.pinv(design)[runs.shape[1] :]
    parts = [
        _moments(contrast, contrast @ values, own, other, metric)
        for own, other in ((residuals[:half], residuals[half:]), (residuals[half:], residuals[:half]))
    ]
    return Moments(*np.mean(parts, axis=0))


def accuracy_of(moments: Moments, signal: float, repeats: np.ndarray) -> float:
    """Expected accuracy at a strength of the signal.

    True means are taken as Gaussian, so that the squared distance of two of them follows a gamma distribution of the
    estimated mean and variance; the probability is averaged over it.
    """
    if signal <= 0:
        return 0.5
    dimensions = signal**2 / _spread(moments, signal)
    quantiles = gamma.ppf((np.arange(1000) + 0.5) / 1000, dimensions / 2, scale=2 / dimensions)
    strength = 2 * signal**2 / _aligned(moments, signal) * quantiles
    return float(np.mean([ndtr(np.sqrt(n * strength) / 2).mean() for n in repeats]))


def _spread(moments: Moments, signal: float) -> float:
    """tr(MSMS) scaled to another strength of the signal; between that of one dimension and of a thousand."""
    known = moments.spread * (signal / moments.signal) ** 2 if moments.signal > 0 else 0.0
    return float(np.clip(known, 1e-3 * signal**2, signal**2))


def _aligned(moments: Moments, signal: float) -> float:
    """tr(MSMC) scaled likewise; where its estimate is no use, as if signal and noise were not aligned."""
    if moments.signal > 0 and moments.aligned > 0:
        return moments.aligned * signal / moments.signal
    return moments.noise * signal


def _moments(
    contrast: np.ndarray, means: np.ndarray, own: np.ndarray, other: np.ndarray, metric: str
) -> tuple[float, ...]:
    """Moments with the metric from `own` residuals and the noise from the `other` ones, each a row of covariance C."""
    apply = _independent(own) if metric == "independent" else _correlated(own)
    freedom, count = round(float(np.trace(contrast @ np.linalg.pinv(contrast)))), len(other)
    share = np.square(contrast).sum() / freedom  # of the noise of one trial in a mean
    weighted = apply(other)
    noise = (other * weighted).sum() / count
    noise2 = _trace_of_square(other @ weighted.T, count)
    gram = means @ apply(means).T
    total, total2 = np.trace(gram) / freedom, _trace_of_square(gram, freedom)
    signal = total - share * noise
    aligned = np.square(means @ weighted.T).sum() / count / freedom - share * noise2
    spread = total2 - 2 * share * aligned - share**2 * noise2
    # the noise is averaged over both halves, which have twice the degrees of freedom of one
    error = np.sqrt(2 * max(total2, 0) / freedom + 2 * share**2 * max(noise2, 0) / (2 * count))
    return signal / noise, error / noise, spread / noise**2, aligned / noise**2, noise2 / noise**2


def _trace_of_square(gram: np.ndarray, freedom: int) -> float:
    """Unbiased tr(A^2) from the Gram matrix of Gaussian rows of covariance A (Srivastava, 2005)."""
    naive, trace = np.square(gram).sum() / freedom**2, np.trace(gram) / freedom
    return float(freedom**2 / ((freedom - 1) * (freedom + 2)) * (naive - trace**2 / freedom))


def _independent(residuals: np.ndarray) -> Metric:
    variance = np.square(residuals).mean(axis=0)
    return lambda rows: rows / variance


def _correlated(residuals: np.ndarray) -> Metric:
    """Multiplication by the inverse of the shrunk noise covariance, without a voxel-by-voxel matrix."""
    scale = np.sqrt(np.square(residuals).mean(axis=0))
    rows, count = residuals / scale, len(residuals)
    shrinkage = float(np.clip(ledoit_wolf_shrinkage(rows, assume_centered=True), 1e-3, 1 - 1e-6))
    ridge = shrinkage * np.square(rows).mean()
    inner = np.linalg.inv(ridge * count / (1 - shrinkage) * np.eye(count) + rows @ rows.T)

    def apply(values: np.ndarray) -> np.ndarray:
        scaled = values / scale
        return (scaled - (scaled @ rows.T) @ inner @ rows) / ridge / scale

    return apply


def _within_runs(runs: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Projection that removes the mean over stimuli that runs connect, shape (stimulus, stimulus)."""
    linked = (shown.T @ runs) > 0
    together = (linked @ linked.T).astype(bool)
    for _ in range(len(together)):
        together = together @ together
    weights = together / together.sum(axis=1, keepdims=True)
    return np.eye(len(weights)) - weights


def _random_rotation(basis: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another orthonormal basis of the same span: its vectors mix all trials, so that halves of it are exchangeable."""
    return basis @ np.linalg.qr(rng.standard_normal((basis.shape[1],) * 2))[0]
