"""What interpolation misses, learned from removals that were computed, and whose winner that leaves open."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from hyper.mapping.statistics import Measure, levels

LENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0)  # of the kernel, in root mean squared steps of all stimuli
NOISES = (0.05, 0.3, 1.0, 3.0)
UNLIKELY = 0.02  # probability below which a layer counts as beaten


@dataclass(frozen=True)
class Estimate:
    """Mean level without each cube.

    Attributes
    ----------
    values : ndarray, shape (cube,)
    bound : ndarray, shape (cube,)
        Of the error of `values`; 0 where they were computed.
    """

    values: np.ndarray
    bound: np.ndarray


def estimate(
    first: np.ndarray, left: np.ndarray, apart: np.ndarray, known: np.ndarray, exact: np.ndarray, drawn: int,
    confidence: float,
) -> Estimate:  # fmt: skip
    """Correct interpolated mean levels by what they miss at cubes that were computed.

    Parameters
    ----------
    first : ndarray, shape (cube,)
        Mean level by interpolation.
    left : ndarray, shape (cube,)
        Variance that interpolation leaves, up to a factor.
    apart : ndarray, shape (cube, n)
        Squared distances of the steps to those of the cubes that were computed, over the mean squared step.
    known : ndarray of int, shape (n,)
        Cubes that were computed, the first `drawn` of them drawn at random.
    exact : ndarray, shape (n,)
        Their mean level.
    drawn : int
    confidence : float
        Share of cubes whose error the bound shall not fall short of.

    Notes
    -----
    What is missed is a multiple of `left`, and a Gaussian process of the steps with a radial kernel in proportion to
    it; the leave-one-out predictive probability chooses width and noise (Rasmussen & Williams 2006, section 5.4.2).
    The bound is conformal: leave-one-out errors of the cubes drawn at random, each by its predicted standard deviation,
    ranked; a cube drawn at random exceeds the rank ceil((n + 1) confidence) with a probability of 1 - confidence (Lei
    et al. 2018, J Am Stat Assoc 113, 1094; for the leave-one-out form, Barber et al. 2021, Ann Stat 49, 486, whose
    guarantee without assumptions is twice that probability).
    """
    left = np.maximum(left, 1e-9 * left.max(initial=1e-30))
    missed, own = exact - first[known], left[known]
    slope = float(own @ missed / (own @ own))
    target = missed - slope * own
    length, noise, inverse = _choose(apart[known], own, target)
    kernel = np.exp(-apart / (2 * length**2)) * np.sqrt(left[:, None] * own)
    values = first + slope * left + kernel @ (inverse @ target)
    explained = np.einsum("vk,vk->v", kernel @ inverse, kernel)
    deviation = np.sqrt(np.maximum(left * (1 + noise) - explained, 1e-3 * left))
    ranked = np.sort(np.abs(inverse @ target)[:drawn] / np.sqrt(np.diag(inverse)[:drawn]))
    bound = ranked[min(int(np.ceil((drawn + 1) * confidence)), drawn) - 1] * deviation
    values[known], bound[known] = exact, 0.0
    return Estimate(values, bound)


def _choose(apart: np.ndarray, left: np.ndarray, target: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Width, noise and inverse covariance under which each target is likeliest given the others."""
    best: tuple[float, float, float, np.ndarray] | None = None
    for length in LENGTHS:
        shape = np.exp(-apart / (2 * length**2)) * np.sqrt(left[:, None] * left)
        for noise in NOISES:
            inverse = np.linalg.inv(shape + noise * np.diag(left))
            variance = 1 / np.diag(inverse)
            scale = np.square(inverse @ target) @ variance / len(target)
            loss = float(np.log(variance * max(scale, 1e-300)).sum())
            if best is None or loss < best[0]:
                best = loss, length, noise, inverse
    assert best is not None
    return best[1:]


@dataclass(frozen=True)
class Race:
    """Which layer has the largest effect, as far as estimates tell.

    Attributes
    ----------
    best : ndarray of int, shape (cube,)
        Layer whose estimated effect is largest.
    chance : ndarray, shape (layer, cube)
        Probability that a layer beats it; 0 for the best.
    """

    best: np.ndarray
    chance: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """Probability that any other layer wins, shape (cube,)."""
        return 1 - np.prod(1 - self.chance, axis=0)

    def contenders(self, unlikely: float = UNLIKELY) -> np.ndarray:
        """Layers that may win with more than a probability, shape (layer, cube); none where the winner is clear."""
        possible = self.chance > unlikely
        leads = np.arange(len(possible))[:, None] == self.best
        return possible | (leads & possible.any(axis=0))


def race(estimates: list[Estimate], intact: np.ndarray, confidence: float) -> Race:
    """Compare the layers' estimated effects.

    Parameters
    ----------
    estimates : list of Estimate
        Of each layer; errors are taken as normal, within `bound` at `confidence`.
    intact : ndarray, shape (layer,)
        Mean level with all voxels.
    confidence : float
    """
    effect = np.array([whole - own.values for own, whole in zip(estimates, intact, strict=True)])
    variance = np.square([own.bound for own in estimates]) / norm.isf((1 - confidence) / 2) ** 2
    best, places = effect.argmax(axis=0), np.arange(effect.shape[1])
    apart = np.sqrt(variance + variance[best, places])
    chance = norm.sf((effect[best, places] - effect) / np.maximum(apart, 1e-300))
    chance[apart == 0] = 0
    chance[best, places] = 0
    return Race(best, chance)


def mean_levels(errors: np.ndarray, measure: Measure) -> np.ndarray:
    """Mean of `levels` over the stimuli, the last axis."""
    return levels(errors.astype(np.float64), measure).mean(axis=-1)


def with_mean(errors: np.ndarray, means: np.ndarray, measure: Measure) -> np.ndarray:
    """Errors, shape (cube, stimulus), changed by what gives their levels the means, shape (cube,)."""
    found = levels(errors.astype(np.float64), measure)
    found += (means - found.mean(axis=1))[:, None]
    changed = 1 / np.clip(found, 1e-3, 1.0) - 1 if measure == "similarity" else np.maximum(-found, 0)
    return changed.astype(np.float32)
