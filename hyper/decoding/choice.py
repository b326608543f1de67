"""Which decoder to trust, from training runs alone."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from hyper.decoding.base import Decoder, folds_of


def decode_left_out(
    make: Callable[[], Decoder],
    responses: np.ndarray,
    latents: np.ndarray,
    series: np.ndarray | None,
    n_repeats: int = 1,
    folds: int = 5,
) -> np.ndarray:
    """Decode every training trial by a decoder fitted on the other runs.

    Parameters
    ----------
    make : callable
        Returns an unfitted decoder.
    responses : ndarray, shape (trial, voxel)
        Single trials; each fit scales them by its own trials.
    latents : ndarray, shape (trial, latent)
    series : ndarray of str, shape (trial,), optional
    n_repeats : int
        What the decoder is told of the responses, which single trials are not: so the map is the one that decodes
        averaged responses.
    folds : int
        Used when the trials are of one run.

    Returns
    -------
    ndarray, shape (trial, latent)
    """
    groups = folds_of(len(responses), series, folds)
    decoded = np.empty(latents.shape)
    for fold in np.unique(groups):
        left = groups == fold
        kept = None if series is None else series[~left]
        decoder = make().fit(responses[~left], latents[~left], series=kept)
        decoded[left] = decoder.decode(responses[left], n_repeats)
    return decoded


def left_out_scores(true: np.ndarray, decoded: np.ndarray, n_repeats: int) -> dict[str, float]:
    """Score decoded single trials, and foretell the score of responses averaged over repeats.

    Parameters
    ----------
    true, decoded : ndarray, shape (trial, latent)
    n_repeats : int
        Trials averaged in a test response.

    Returns
    -------
    dict of str to float
        ``left_out_mse``; ``left_out_cosine``, of single trials; ``left_out_scale``, length of the decoded over length
        of the true latents; ``expected_cosine``, of averages over `n_repeats`, NaN where trials are too few to tell.

    Notes
    -----
    A linear decoder makes of x = A z + e the latent W A z + W e. Averaging n trials leaves the first term, and with it
    the mean of decoded times true, as it is, and divides the variance of the second by n. That variance is what is left
    of the decoded latents after regression on the true ones, over trials - 1 - latents degrees of freedom. So
    cosine(n) = E[d'z] / sqrt(E[z'z] (E[d'd] - (1 - 1/n) E[|W e|^2])).
    """
    product = float((decoded * true).sum(axis=1).mean())
    length = float(np.square(true).sum(axis=1).mean())
    power = float(np.square(decoded).sum(axis=1).mean())
    lengths = np.linalg.norm(true, axis=1) * np.linalg.norm(decoded, axis=1)
    products = (decoded * true).sum(axis=1)
    cosine = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0).mean()
    return {
        "left_out_mse": float(np.square(decoded - true).mean()),
        "left_out_cosine": float(cosine),
        "left_out_scale": float(np.sqrt(power / length)),
        "expected_cosine": _expected(true, decoded, product, length, power, n_repeats),
    }


def _expected(
    true: np.ndarray, decoded: np.ndarray, product: float, length: float, power: float, n_repeats: int
) -> float:
    design = np.column_stack([np.ones(len(true)), true])
    free = len(true) - design.shape[1]
    if free < max(10, design.shape[1] // 10):
        return float("nan")
    residual = decoded - design @ np.linalg.lstsq(design, decoded, rcond=None)[0]
    noise = float(np.square(residual).sum()) / free
    averaged = max(power - (1 - 1 / n_repeats) * noise, product**2 / length)  # no cosine is above 1
    return product / np.sqrt(length * averaged) if averaged > 0 else 0.0


def choose(table: pd.DataFrame) -> pd.DataFrame:
    """Rank decoders by the cosine expected of test responses.

    Parameters
    ----------
    table : DataFrame
        One row per decoder with ``decoder`` and the scores of `left_out_scores`.

    Returns
    -------
    DataFrame
        Best first, with ``criterion``, the column that decided (``expected_cosine``, or ``left_out_cosine`` where it is
        not known of every decoder), and ``chosen`` (0 or 1). Of equals, the first named wins.
    """
    criterion = "expected_cosine" if table["expected_cosine"].notna().all() else "left_out_cosine"
    ranked = table.sort_values(criterion, ascending=False, kind="stable", ignore_index=True)
    return ranked.assign(criterion=criterion, chosen=(ranked.index == 0).astype(int))
