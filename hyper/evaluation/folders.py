"""Two folders of pictures, matched by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hyper.errors import DataError
from hyper.evaluation.ssim import WINDOW, resized
from hyper.io.pictures import SUFFIXES, read_picture


@dataclass(frozen=True)
class Pairs:
    """Stimuli and their reconstructions.

    Attributes
    ----------
    names : list of str
        File names without ending.
    stimuli, reconstructions : ndarray of uint8, shape (n, height, width, 3)
    description : str
        What was found, for people.
    """

    names: list[str]
    stimuli: np.ndarray
    reconstructions: np.ndarray
    description: str


def read_pairs(stimuli: Path, reconstructions: Path, size: int | None = None) -> Pairs:
    """Read the pictures that both folders hold.

    Stimuli without a reconstruction are left out and counted in the description: most studies reconstruct the test set
    alone. A reconstruction without a stimulus is a fault.

    Parameters
    ----------
    stimuli, reconstructions : Path
        Folders; subfolders are not looked into.
    size : int, optional
        Height and width that all pictures are brought to (bilinear, antialiased when smaller).

    Raises
    ------
    DataError
        When a folder or its pictures are missing, names are ambiguous or do not match, a file is damaged or of a kind
        that has no 8-bit RGB equivalent, or sizes differ.
    """
    shown, made = _pictures(stimuli), _pictures(reconstructions)
    strange = sorted(set(made) - set(shown))
    if strange:
        raise DataError(
            made[strange[0]],
            f"{stimuli} holds no stimulus of this name" + (f", nor of {len(strange) - 1} more" * (len(strange) > 1)),
            f"Name reconstructions as their stimuli ({_examples(shown)})",
        )
    if size is not None and size < WINDOW:
        raise DataError("--size", f"{size} pixels are too few", f"Give at least {WINDOW}")
    names = sorted(made)
    pictures = [[_read(found[name], size) for name in names] for found in (shown, made)]
    _check_sizes([found[name] for found in (shown, made) for name in names], [*pictures[0], *pictures[1]])
    height, width = pictures[0][0].shape[:2]
    left = len(shown) - len(made)
    rest = f"; {left} {'stimulus has' if left == 1 else 'stimuli have'} no reconstruction" if left else ""
    description = f"{len(names)} pairs of {width} x {height} pixels{rest}"
    return Pairs(names, np.stack(pictures[0]), np.stack(pictures[1]), description)


def _pictures(folder: Path) -> dict[str, Path]:
    """Pictures of a folder by name without ending."""
    if not folder.is_dir():
        fault = "it is a file, not a folder" if folder.exists() else "the folder does not exist"
        raise DataError(folder, fault, "Give a folder of pictures")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in found:
            raise DataError(path, f"{found[path.stem].name} has the same name", "Keep one of them")
        found[path.stem] = path
    if not found:
        raise DataError(folder, "it holds no pictures", f"Give a folder of {', '.join(SUFFIXES)}")
    return found


def _examples(found: dict[str, Path]) -> str:
    names = [path.name for path in found.values()]
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _read(path: Path, size: int | None) -> np.ndarray:
    values = read_picture(path)
    return values if size is None else resized(values, size)


def _check_sizes(paths: Sequence[Path], pictures: Sequence[np.ndarray]) -> None:
    sizes = [picture.shape[:2] for picture in pictures]
    for path, (height, width) in zip(paths, sizes, strict=True):
        if (height, width) != sizes[0]:
            first = f"{sizes[0][1]} x {sizes[0][0]}"
            raise DataError(
                path, f"it has {width} x {height} pixels, {paths[0]} has {first}",
                f"Bring all to one size, such as --size {max(sizes[0])}",
            )  # fmt: skip
