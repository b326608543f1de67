"""How far the noise of the test responses lets a decoder's latents agree with the truth."""

import numpy as np

from hyper.responses.ceiling import variance_components, why_not


def correlation_ceiling(
    answers: np.ndarray, decoded: np.ndarray, stimuli: np.ndarray, order: np.ndarray, series: np.ndarray
) -> float:
    """Highest correlation with the truth that decoded latents as noisy as these can have.

    With signal variance S over stimuli and noise variance N over repeats of what is decoded
    (`hyper.responses.ceiling.variance_components`, run means fitted), summed over the latent's dimensions, the
    reliability of a mean of n trials is S / (S + N / n), 1 / n averaged over stimuli. Its square root bounds the
    correlation with anything, the true latents included (correction for attenuation; Spearman, 1904, American Journal
    of Psychology 15, 72). It is a property of one decoder and its responses, with sampling error: few stimuli make it
    rough.

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

    Returns
    -------
    float
        From 0 to 1. NaN where repeats cannot tell (`hyper.responses.ceiling.why_not`), and for a decoder whose answer
        to a mean is not the mean of its answers, for which single trials say nothing of means.
    """
    if why_not(stimuli, series):
        return float("nan")
    means = np.stack([answers[stimuli == name].mean(axis=0) for name in order])
    if not np.allclose(means, decoded, rtol=0, atol=1e-3 * max(float(np.abs(decoded).max()), 1e-12)):
        return float("nan")
    signal, noise = (values.sum() for values in variance_components(answers, stimuli, series, positive=False))
    of_mean = noise * np.mean(1 / np.unique(stimuli, return_counts=True)[1])
    return float(np.sqrt(signal / (signal + of_mean))) if signal > 0 else 0.0
