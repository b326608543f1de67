"""How much of a voxel's response is signal: from repeats of the same stimulus.

Runs may differ in their mean for reasons that have nothing to do with the stimuli, and a stimulus is often shown in one
run only; run means are therefore always part of the model, and stimuli are compared within runs.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import orth
from scipy.stats import f

from hyper.io.seeds import generator_of

SLAB = 8192


@dataclass(frozen=True)
class NoiseCeiling:
    """Signal and noise of each voxel.

    Attributes
    ----------
    ncsnr : ndarray, shape (voxel,)
        Standard deviation of the signal over that of the noise of one trial.
    noise_ceiling : ndarray, shape (voxel,)
        Share (per cent) of the variance of the averaged responses that a perfect model explains.
    reliability : ndarray, shape (voxel,)
        Split-half, stepped up to all repeats.
    reason : str
        Why the values are NaN; empty when they are not.
    """

    ncsnr: np.ndarray
    noise_ceiling: np.ndarray
    reliability: np.ndarray
    reason: str = ""

    @staticmethod
    def volume(values: np.ndarray, brain: np.ndarray) -> np.ndarray:
        """Put values of the brain's voxels into a volume, 0 outside."""
        volume = np.zeros(brain.shape, np.float32)
        volume[brain] = values
        return volume


def noise_ceiling(values: np.ndarray, stimuli: np.ndarray, series: np.ndarray, splits: int, seed: int) -> NoiseCeiling:
    """Estimate the noise ceiling of every voxel.

    With signal variance S over stimuli and noise variance N over repeats (`variance_components`), the noise-ceiling
    signal-to-noise ratio is ncsnr = sqrt(S / N), and the noise ceiling of responses averaged over n repeats is
    100 ncsnr^2 / (ncsnr^2 + 1 / n), 1 / n averaged over stimuli (Allen et al., 2022, Nature Neuroscience 25, 116).

    Parameters
    ----------
    values : ndarray, shape (trial, voxel)
        Single trials.
    stimuli, series : ndarray of str, shape (trial,)
        What was shown, and in which run.
    splits : int
        Random halves for the reliability.
    seed : int
    """
    reason = why_not(stimuli, series)
    if reason:
        missing = np.full(values.shape[1], np.nan)
        return NoiseCeiling(missing, missing, missing, reason)
    signal, noise = variance_components(values, stimuli, series)
    ratio = np.divide(signal, noise, out=np.zeros_like(signal), where=noise > 0)
    repeats = np.unique(stimuli, return_counts=True)[1]
    ceiling = 100 * ratio / (ratio + np.mean(1 / repeats))
    return NoiseCeiling(np.sqrt(ratio), ceiling, split_half_reliability(values, stimuli, series, splits, seed))


def why_not(stimuli: np.ndarray, series: np.ndarray) -> str:
    """Say why repeats do not tell signal from noise; empty when they do."""
    if not len(stimuli):
        return "there are no test trials"
    if np.unique(stimuli, return_counts=True)[1].max() < 2:
        return "no test stimulus was shown more than once"
    runs, both = _bases(stimuli, series)
    if both.shape[1] - runs.shape[1] < 2:
        return "fewer than three test stimuli were shown in any one run"
    if len(stimuli) - both.shape[1] < 2:
        return "there are too few repeats"
    return ""


def variance_components(
    values: np.ndarray, stimuli: np.ndarray, series: np.ndarray, positive: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Variance of the signal over stimuli and of the noise over repeats, with run means fitted.

    Unbiased for any number of repeats (Henderson's method 3: Searle, Casella & McCulloch, 1992, Variance Components,
    chapter 5), but for a negative signal variance, which is set to zero. With equal repeats in one run the noise is the
    variance over repeats averaged over stimuli, and the signal is what the variance of the means exceeds its share by.

    Parameters
    ----------
    values : ndarray, shape (trial, voxel)
    stimuli, series : ndarray of str, shape (trial,)
    positive : bool
        Set a negative signal variance to zero; False: leave it, so that means of many are unbiased.

    Returns
    -------
    signal, noise : ndarray, shape (voxel,)
    """
    runs, both = _bases(stimuli, series)
    between, within = both.shape[1] - runs.shape[1], len(stimuli) - both.shape[1]
    weight = _weight(stimuli, runs, between)
    signal, noise = np.empty(values.shape[1]), np.empty(values.shape[1])
    for start in range(0, values.shape[1], SLAB):
        slab = slice(start, start + SLAB)
        y = values[:, slab].astype(np.float64)
        y -= y.mean(axis=0)
        of_runs, of_both = (np.square(basis.T @ y).sum(axis=0) for basis in (runs, both))
        noise[slab] = np.maximum(np.square(y).sum(axis=0) - of_both, 0) / within
        signal[slab] = ((of_both - of_runs) / between - noise[slab]) / weight
    return (np.maximum(signal, 0) if positive else signal), noise


def ncsnr_without_signal(stimuli: np.ndarray, series: np.ndarray, share: float = 0.999) -> float:
    """Value that this share of voxels without signal stays below: from the F distribution of their mean squares."""
    if why_not(stimuli, series):
        return float("nan")
    runs, both = _bases(stimuli, series)
    between, within = both.shape[1] - runs.shape[1], len(stimuli) - both.shape[1]
    return float(np.sqrt(max(f.ppf(share, between, within) - 1, 0) / _weight(stimuli, runs, between)))


def split_half_reliability(
    values: np.ndarray, stimuli: np.ndarray, series: np.ndarray, splits: int, seed: int
) -> np.ndarray:
    """Correlation over stimuli of the means of two halves of their repeats, stepped up to all repeats.

    Run means are removed first. The correlation r, averaged over random halves, becomes 2 r / (1 + r) (Spearman, 1910,
    and Brown, 1910, British Journal of Psychology 3); a negative one is treated as its absolute value and keeps its
    sign, so that the result stays between -1 and 1. Stimuli shown once have no halves and are left out.

    Parameters
    ----------
    values : ndarray, shape (trial, voxel)
    stimuli, series : ndarray of str, shape (trial,)
    splits : int
    seed : int

    Returns
    -------
    ndarray, shape (voxel,)
        0 for a voxel that never varies; NaN for all where fewer than three stimuli were repeated.
    """
    shown, runs = one_hot(stimuli), one_hot(series)
    centring = np.eye(len(series)) - runs @ (runs / runs.sum(axis=0)).T
    halves = _random_halves(shown[:, shown.sum(axis=0) > 1], splits, generator_of(seed, "split-half reliability"))
    if halves.shape[2] < 3:
        return np.full(values.shape[1], np.nan)
    halves = halves @ centring
    halves -= halves.mean(axis=2, keepdims=True)
    result = np.empty(values.shape[1])
    for start in range(0, values.shape[1], SLAB):
        y = values[:, start : start + SLAB].astype(np.float64)
        y -= y.mean(axis=0)
        total = np.zeros(y.shape[1])
        for first, second in halves:
            a, b = first @ y, second @ y
            scale = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
            total += np.divide((a * b).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 1e-12)
        r = np.clip(total / splits, -1, 1)
        result[start : start + SLAB] = 2 * r / (1 + np.abs(r))
    return result


def _random_halves(shown: np.ndarray, splits: int, rng: np.random.Generator) -> np.ndarray:
    """Matrices that average either half of each stimulus's trials, shape (split, 2, stimulus, trial)."""
    halves = np.zeros((splits, 2, shown.shape[1], len(shown)))
    for split in halves:
        for stimulus, member in enumerate(shown.T):
            trials = rng.permutation(np.flatnonzero(member))
            middle = len(trials) // 2
            for half, own in zip(split, (trials[:middle], trials[middle:]), strict=True):
                half[stimulus, own] = 1 / len(own)
    return halves


def one_hot(labels: np.ndarray) -> np.ndarray:
    """Indicator of each label, in sorted order, shape (trial, label)."""
    names, index = np.unique(labels, return_inverse=True)
    return np.eye(len(names))[index]


def _weight(stimuli: np.ndarray, runs: np.ndarray, between: int) -> float:
    """Factor of the signal variance in the expected mean square between stimuli; the repeats, where they are equal."""
    return float((len(stimuli) - np.square(runs.T @ one_hot(stimuli)).sum()) / between)


def _bases(stimuli: np.ndarray, series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Orthonormal bases of the spans of run means, and of run means and stimuli together."""
    runs, shown = one_hot(series), one_hot(stimuli)
    return orth(runs), orth(np.hstack([runs, shown]))
