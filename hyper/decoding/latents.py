"""Decoded latents: their file, and their length before images are made of them."""

from pathlib import Path
from typing import Literal

import numpy as np

from hyper.io.arrays import read_arrays, write_arrays

Rescale = Literal["none", "unit", "prior"]


def rescale_latents(latents: np.ndarray, rescale: Rescale) -> np.ndarray:
    """Give latents the length that a generator expects; their direction stays.

    Parameters
    ----------
    latents : ndarray, shape (stimulus, latent)
    rescale : {'none', 'unit', 'prior'}
        As decoded; length 1; or sqrt(latent), the length of draws from N(0, I). A zero latent stays zero.
    """
    if rescale == "none":
        return latents
    lengths = np.linalg.norm(latents, axis=1, keepdims=True)
    target = 1.0 if rescale == "unit" else np.sqrt(latents.shape[1])
    return latents * np.divide(target, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def write_latents(
    path: str | Path,
    true: np.ndarray,
    decoded: np.ndarray,
    stimuli: np.ndarray,
    repeats: np.ndarray,
    **attributes: str | float,
) -> None:
    """Write true and decoded latents of the test stimuli.

    Parameters
    ----------
    path : str or Path
    true, decoded : ndarray, shape (stimulus, latent)
    stimuli : ndarray of str, shape (stimulus,)
    repeats : ndarray of int, shape (stimulus,)
        Trials averaged.
    **attributes
        Of the file, such as subject and decoder.
    """
    arrays = {
        "true": (true, ("stimulus", "latent")),
        "decoded": (decoded, ("stimulus", "latent")),
        "stimuli": (stimuli, ("stimulus",)),
        "repeats": (repeats, ("stimulus",)),
    }
    write_arrays(path, arrays, attributes)


def read_latents(path: str | Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Read true and decoded latents, each of shape (stimulus, latent), and the stimuli.

    Raises
    ------
    DataError
        When the file is damaged.
    """
    arrays, _ = read_arrays(path, ["true", "decoded", "stimuli"])
    return arrays["true"], arrays["decoded"], [str(name) for name in arrays["stimuli"]]
