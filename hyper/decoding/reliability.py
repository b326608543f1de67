"""How far the noise of the test responses lets a decoder's latents agree with the truth."""

import numpy as np

from hyper.responses.ceiling import split_half_reliability, why_not

SPLITS = 100


def correlation_ceiling(
    answers: np.ndarray, decoded: np.ndarray, stimuli: np.ndarray, order: np.ndarray, series: np.ndarray, seed: int
) -> float:
    """Highest correlation with the truth that decoded latents as noisy as these can have.

    The split-half reliability of what is decoded, of random halves of each stimulus's repeats, within runs, averaged
    over the latent's dimensions and stepped up to all repeats; its square root bounds the mean correlation of a
    dimension with anything, the true latents included (correction for attenuation; Spearman, 1904, American Journal of
    Psychology 15, 72). It is a property of one decoder and its responses, with sampling error: few stimuli make it rough.

    Parameters
    ----------
    answers : ndarray, shape (trial, latent)
        Decoded from single test trials as if from means: with the repeats of the mean that each belongs to.
    decoded : ndarray, shape (stimulus, latent)
        Decoded from the means.
    stimuli, series : ndarray of str, shape (trial,)
        What was shown, and in which run.
    order : ndarray of str, shape (stimulus,)
        Of the rows of `decoded`.
    seed : int
        Of the halves.

    Returns
    -------
    float
        From 0 to 1. NaN where repeats cannot tell (`hyper.responses.ceiling.why_not`), and for a decoder whose answer
        to a mean is not the mean of its answers, for which halves say nothing of the whole.
    """
    if why_not(stimuli, series):
        return float("nan")
    means = np.stack([answers[stimuli == name].mean(axis=0) for name in order])
    if not np.allclose(means, decoded, rtol=0, atol=1e-3 * max(float(np.abs(decoded).max()), 1e-12)):
        return float("nan")
    stepped = split_half_reliability(answers, stimuli, series, SPLITS, seed)
    # stepping up before averaging would pull the mean of noisy halves down: averaged first
    halves = np.clip((stepped / (2 - np.abs(stepped))).mean(), 0, 1)
    return float(np.sqrt(2 * halves / (1 + halves)))
