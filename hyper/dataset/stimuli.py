"""Which stimulus a trial showed, which latent made it, and which set it belongs to."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

import numpy as np

from hyper.errors import DatasetError
from hyper.io.arrays import NPY_FAULTS

_ANNEX = "/annex/objects/"


def read_latents(path: str | Path) -> np.ndarray:
    """Read the latents, shape (stimulus, latent), as float64.

    Latents (stimulus, layer, latent) that are the same in all layers, as styles repeated over them, are read as one.

    Raises
    ------
    DatasetError
        When the file is missing, no plain NumPy array, of another shape, not finite, or differs between layers.
    """
    try:
        latents = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError:
        raise DatasetError(path, "the latents are missing", "Restore the file or correct dataset.latents") from None
    except NPY_FAULTS as fault:
        raise DatasetError(path, f"it is no plain NumPy array ({fault})", "Save the latents with numpy.save") from fault
    if latents.ndim == 3 and latents.dtype.kind == "f" and latents.size:
        one = same_in_layers(latents)
        if one is None:
            layers = f"the latents differ between the {latents.shape[1]} layers"
            raise DatasetError(path, layers, "Give one style per stimulus, (stimulus, latent): decoders learn one")
        latents = one
    if latents.ndim != 2 or latents.dtype.kind != "f" or not latents.size:
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
    return np.array(latents, np.float64)


def same_in_layers(latents: np.ndarray) -> np.ndarray | None:
    """Latents of the first layer, shape (n, latent), where all layers have the same; None where they differ.

    Styles w are often stored repeated over the layers that they steer (StyleGAN's broadcast w).

    Parameters
    ----------
    latents : ndarray, shape (n, layer, latent)
    """
    first = latents[:, 0]
    # NaN is the reader's to refuse
    alike = all(np.array_equal(first, latents[:, layer], equal_nan=True) for layer in range(1, latents.shape[1]))
    return first if alike else None


def stimulus_of(stim_file: str, events: str | Path) -> str:
    """Return the name of a stimulus, ``images/0037.jpg`` -> ``0037``; paths that leave the folder are refused."""
    stem = _stem_inside(stim_file)
    if stem is None:
        raise DatasetError(events, f"stim_file {stim_file!r} leaves the stimuli folder", "Give a path inside it")
    return stem


@lru_cache(maxsize=100_000)
def _stem_inside(stim_file: str) -> str | None:
    """The stem of a path that stays where it begins; many subjects see the same images."""
    path = PurePosixPath(stim_file)
    return None if path.is_absolute() or ".." in path.parts else path.stem


def check_image(folder: Path, name: str, root: Path, events: str) -> None:
    """Check that an image is there and lies in the dataset; the workflow never reads its pixels.

    Parameters
    ----------
    folder : Path
        Of the stimuli.
    name : str
        Entry of stim_file.
    root : Path
        Of the dataset. What DataLad fetched may be a link to a clone elsewhere.
    events : str
        Name of the table that shows it, for messages.

    Raises
    ------
    DatasetError
    """
    path = folder / name
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as reason:
        missing = isinstance(reason, FileNotFoundError)
        said = "is missing" if missing else f"cannot be read ({getattr(reason, 'strerror', reason)})"
        raise DatasetError(path, f"the stimulus shown in {events} {said}", "Restore or fetch the image") from None
    if not any(real.is_relative_to(home.resolve()) for home in (folder, root)) and _ANNEX not in real.as_posix():
        fault = f"the stimulus shown in {events} is a link that leaves the dataset (to {real})"
        raise DatasetError(path, fault, "Copy the image into the dataset")


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


def among(names: set[str], chosen: list[str]) -> tuple[set[str], list[str]]:
    """Find the stimuli that single names and ranges (``0001-0036``) choose.

    Parameters
    ----------
    names : set of str
        Stimuli there are.
    chosen : list of str

    Returns
    -------
    found : set of str
    idle : list of str
        What chooses none of them.
    """
    found, idle = set(), []
    for entry in chosen:
        first, dash, last = entry.partition("-")
        ranged = dash and first.isdecimal() and last.isdecimal()
        own = {name for name in names if (_in_range(name, first, last) if ranged else name == entry)}
        found |= own
        idle += [] if own else [entry]
    return found, idle


def _in_range(name: str, first: str, last: str) -> bool:
    """Whether a name is one of a range, written with as many zeros as its first."""
    return name.isdecimal() and int(first) <= int(name) <= int(last) and name == str(int(name)).zfill(len(first))


def check_identities(names: Mapping[str, set[str]], events: str | Path) -> None:
    """Refuse images that cannot be told apart: they would count as one stimulus, or share a latent.

    Parameters
    ----------
    names : mapping of str to set of str
        The stim_file entries of each stimulus.
    events : str or Path
        For messages.

    Raises
    ------
    DatasetError
    """
    rows: dict[int, str] = {}
    for name, files in sorted(names.items()):
        if len(files) > 1:
            one, other = sorted(files)[:2]
            raise DatasetError(events, f"stim_file {one!r} and {other!r} would be one stimulus", "Rename one of them")
        first = rows.setdefault(int(name), name) if name.isdecimal() else name
        if first != name:
            fault = f"the stimuli {first!r} and {name!r} have the same number, so the same latent"
            raise DatasetError(events, fault, "Write every number with the same zeros")


def check_no_leak(latents: np.ndarray, train: list[int], test: list[int], path: str | Path) -> None:
    """Refuse a latent that stands in the training set and in the test set, under two numbers.

    Raises
    ------
    DatasetError
    """
    known = {latents[row].tobytes(): row for row in train}
    for row in test:
        twin = known.get(latents[row].tobytes())
        if twin is not None:
            fault = f"rows {twin} and {row} are equal, one of a training stimulus and one of a test stimulus"
            raise DatasetError(path, fault, "Give every image its own latent, or put both images into one set")
