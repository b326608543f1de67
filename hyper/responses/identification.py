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
class Products:
    """What one half of the residuals says about the other and about the means.

    Attributes
    ----------
    means, aligned : ndarray, shape (stimulus, stimulus)
        u'Mv and u'MCMv of the estimated means u and v.
    noise, noise2 : float
        tr(MC) and tr(MCMC).
    """

    means: np.ndarray
    aligned: np.ndarray
    noise: float
    noise2: float


@dataclass(frozen=True)
class Evidence:
    """What the estimate is made of.

    Attributes
    ----------
    halves : list of Products
        Either half of the residuals in turn as the metric's.
    share : ndarray, shape (stimulus, stimulus)
        Covariance of the estimated means in units of the noise of one trial.
    linked : ndarray of bool, shape (stimulus, stimulus)
        Whether two stimuli can be compared within runs.
    freedom : int
        Residual degrees of freedom.
    """

    halves: list[Products]
    share: np.ndarray
    linked: np.ndarray
    freedom: int


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

    Notes
    -----
    The interval is the jackknife's over stimuli, joined with the error of the noise that is subtracted.
    """
    reason = why_not(stimuli, series)
    varies = np.ptp(values, axis=0) > 0 if len(values) else np.zeros(0, bool)
    if not reason and not varies.any():
        reason = "no voxel varies over the test trials"
    evidence = None if reason else gather(values[:, varies].astype(np.float64), stimuli, series, metric, seed)
    if evidence is None:
        nan = float("nan")
        return Identification(nan, nan, nan, nan, nan, reason or "there are too few repeats")
    everything = np.ones(len(evidence.share), bool)
    strength, dimensions, error = _strength(evidence, everything)
    error = float(np.hypot(error, _jackknife(evidence)))
    repeats = np.ones(1) if single else np.unique(stimuli, return_counts=True)[1]
    lower, accuracy, upper = (
        accuracy_of(strength + shift, dimensions, repeats) for shift in (-_Z * error, 0.0, _Z * error)
    )
    return Identification(accuracy, lower, upper, 2 * max(strength, 0.0) ** 2, dimensions)


def gather(values: np.ndarray, stimuli: np.ndarray, series: np.ndarray, metric: str, seed: int) -> Evidence | None:
    """Estimate means, metric and noise; None with fewer than eight residual degrees of freedom."""
    runs, shown = one_hot(series), one_hot(stimuli)
    design = np.hstack([runs, shown])
    left = null_space(design.T)
    if left.shape[1] < 8:
        return None
    residuals = _random_rotation(left, generator_of(seed, "identification")).T @ values
    half = len(residuals) // 2
    contrast = np.linalg.pinv(design)[runs.shape[1] :]
    means = contrast @ values
    pairs = ((residuals[:half], residuals[half:]), (residuals[half:], residuals[:half]))
    halves = [_products(means, own, other, metric) for own, other in pairs]
    return Evidence(halves, contrast @ contrast.T, _linked(runs, shown), len(residuals))


def accuracy_of(strength: float, dimensions: float, repeats: np.ndarray) -> float:
    """Expected accuracy at a strength of the signal, tr(MS) / sqrt(tr(MSMC)) for the signal covariance S.

    True means are taken as Gaussian, so that the squared distance of two of them follows a gamma distribution of the
    estimated mean and variance; the probability is averaged over it.
    """
    if strength <= 0:
        return 0.5
    quantiles = gamma.ppf((np.arange(1000) + 0.5) / 1000, dimensions / 2, scale=2 / dimensions)
    return float(np.mean([ndtr(strength * np.sqrt(n * quantiles / 2)).mean() for n in repeats]))


def _strength(evidence: Evidence, kept: np.ndarray) -> tuple[float, float, float]:
    """Strength, dimensions, and the strength's error from the noise that is subtracted, of some of the stimuli.

    With S the signal's covariance, scaled so that tr(MC) = 1: the strength is tr(MS) / sqrt(tr(MSMC)), the dimensions
    are tr(MS)^2 / tr(MSMS).
    """
    centring = _centring(evidence.linked[np.ix_(kept, kept)])
    freedom = round(float(np.trace(centring)))
    share = np.trace(centring @ evidence.share[np.ix_(kept, kept)]) / freedom
    found = []
    for half in evidence.halves:
        gram = centring @ half.means[np.ix_(kept, kept)] @ centring
        noise, noise2 = half.noise, half.noise2
        signal = np.trace(gram) / freedom - share * noise
        aligned = np.trace(centring @ half.aligned[np.ix_(kept, kept)]) / freedom - share * noise2
        spread = _trace_of_square(gram, freedom) - 2 * share * aligned - share**2 * noise2
        found.append((signal / noise, aligned / noise**2, spread / noise**2, noise2 / noise**2))
    signal, aligned, spread, noise2 = np.mean(found, axis=0)
    # signal that the noise all but avoids cannot be told from an error of the estimate
    aligned = max(aligned, 0.1 * noise2 * abs(signal), 1e-300)
    dimensions = signal**2 / np.clip(spread, 1e-3 * signal**2, signal**2) if signal > 0 else 1.0
    error = share * np.sqrt(2 * max(noise2, 0) / evidence.freedom / aligned)
    return float(signal / np.sqrt(aligned)), float(dimensions), float(error)


def _jackknife(evidence: Evidence) -> float:
    """Standard error of the strength over stimuli, each left out once."""
    count = len(evidence.share)
    without = []
    for index in range(count):
        kept = np.arange(count) != index
        linked = evidence.linked[np.ix_(kept, kept)]
        if np.trace(_centring(linked)) > 1.5:
            without.append(_strength(evidence, kept)[0])
    if len(without) < 2:
        return float("inf")
    return float(np.sqrt((len(without) - 1) / len(without) * np.square(np.array(without) - np.mean(without)).sum()))


def _products(means: np.ndarray, own: np.ndarray, other: np.ndarray, metric: str) -> Products:
    """Products under the metric from `own` residuals, with the noise of the `other` ones: rows of covariance C."""
    apply = _independent(own) if metric == "independent" else _correlated(own)
    count = len(other)
    weighted = apply(other)
    projected = means @ weighted.T
    return Products(
        means=means @ apply(means).T,
        aligned=projected @ projected.T / count,
        noise=float((other * weighted).sum() / count),
        noise2=_trace_of_square(other @ weighted.T, count),
    )


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


def _linked(runs: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Whether runs connect two stimuli, directly or through others, shape (stimulus, stimulus)."""
    together = (shown.T @ runs) > 0
    together = together @ together.T
    for _ in range(len(together).bit_length()):
        together = together @ together
    return together


def _centring(linked: np.ndarray) -> np.ndarray:
    """Projection that removes the mean over linked stimuli."""
    return np.eye(len(linked)) - linked / linked.sum(axis=1, keepdims=True)


def _random_rotation(basis: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another orthonormal basis of the same span: its vectors mix all trials, so that halves of it are exchangeable."""
    return basis @ np.linalg.qr(rng.standard_normal((basis.shape[1],) * 2))[0]
