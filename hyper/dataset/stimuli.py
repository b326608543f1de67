"""Which stimulus a trial showed, which latent made it, and which set it belongs to."""

from pathlib import Path, PurePosixPath

import numpy as np

from hyper.errors import DatasetError


def read_latents(path: str | Path) -> np.ndarray:
    """Read the latents, shape (stimulus, latent), as float64.

    Raises
    ------
    DatasetError
        When the file is missing, no plain NumPy array, not two-dimensional or not finite.
    """
    try:
        latents = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise DatasetError(path, "the latents are missing", "Restore the file or correct dataset.latents") from None
    except (ValueError, OSError, EOFError) as fault:
        raise DatasetError(path, f"it is no plain NumPy array ({fault})", "Save the latents with numpy.save") from fault
    if latents.ndim != 2 or latents.dtype.kind != "f":
        raise DatasetError(
            path,
            f"latents have shape {latents.shape} and type {latents.dtype}",
            "Save a float array (stimulus, latent)",
        )
    bad = np.flatnonzero(~np.isfinite(latents).all(axis=1))
    if len(bad):
        raise DatasetError(
            path, f"row {bad[0]} holds a value that is not finite", "Restore the latents of that stimulus"
        )
    return latents.astype(np.float64)


def stimulus_of(stim_file: str, events: str | Path) -> str:
    """Return the name of a stimulus, ``images/0037.jpg`` -> ``0037``; paths that leave the folder are refused."""
    path = PurePosixPath(stim_file)
    if path.is_absolute() or ".." in path.parts:
        raise DatasetError(events, f"stim_file {stim_file!r} leaves the stimuli folder", "Give a path inside it")
    return path.stem


def latent_row_of(stimulus: str, count: int, latents: str | Path) -> int | None:
    """Return the row of a stimulus in the latents: image k belongs to row k - 1; None for image 0, which has none.

    Raises
    ------
    DatasetError
        When the name is no number or there are fewer rows.
    """
    if not stimulus.isdecimal():
        raise DatasetError(
            latents,
            f"the stimulus {stimulus!r} has no number, so its latent is unknown",
            "Name images 0001, 0002, ... by row",
        )
    number = int(stimulus)
    if number > count:
        raise DatasetError(
            latents, f"the stimulus {stimulus!r} has no latent: there are only {count} rows", "Restore the missing rows"
        )
    return number - 1 if number else None


def expand_stimuli(names: list[str]) -> set[str]:
    """Expand single names and ranges (``0001-0036``) to a set of names, keeping the zeros."""
    expanded: set[str] = set()
    for name in names:
        first, dash, last = name.partition("-")
        if dash and first.isdecimal() and last.isdecimal():
            expanded |= {str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)}
        else:
            expanded.add(name)
    return expanded
