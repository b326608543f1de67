"""The pictures of stimuli, found by name and examined by their headers."""

from collections.abc import Sequence
from pathlib import Path

from hyper.errors import DataError, HyperError
from hyper.io.pictures import SUFFIXES, examine_picture

_NAMED = 5  # pictures that cannot be used


def find_pictures(folder: str | Path, names: Sequence[str]) -> list[Path]:
    """Find the picture of each stimulus.

    Parameters
    ----------
    folder : path
        Searched with its subfolders.
    names : sequence of str
        Of files without suffix; ``train-0001`` is also ``0001`` in a folder ``train``.

    Raises
    ------
    DataError
        When one is missing, or there are two of one name.
    """
    wanted, paths = set(names), dict[str, Path]()
    for path in sorted(Path(folder).rglob("*")):
        if path.suffix.lower() not in SUFFIXES:
            continue
        for name in {path.stem, f"{path.parent.name}-{path.stem}"} & wanted:
            if name in paths:
                raise DataError(path, f"{paths[name]} has the same name", "Keep one of them")
            paths[name] = path
    missing = [name for name in names if name not in paths]
    if missing:
        fault = f"it has no image of stimulus {missing[0]} ({len(missing)} are missing)"
        raise DataError(folder, fault, "Name each image as its stimulus, or set encoding.images: generated")
    return [paths[name] for name in names]


def check_size(path: Path, size: tuple[int, int], others: tuple[int, int]) -> None:
    """Refuse a picture whose width and height (pixels) are not those of the others."""
    if size != others:
        fault = f"it is {size[0]} x {size[1]} pixels where others are {others[0]} x {others[1]}"
        raise DataError(path, fault, "Resize the images alike")


def find_picture_faults(folder: str | Path, names: Sequence[str]) -> tuple[list[HyperError], list[str]]:
    """Say what the headers show to be wrong with the pictures of stimuli, and how odd ones are understood.

    Returns
    -------
    faults : list of HyperError
        One of each picture that cannot be used, up to `_NAMED`.
    remarks : list of str
    """
    faults: list[HyperError] = []
    remarks: dict[str, list[Path]] = {}
    size = None
    try:
        paths = find_pictures(folder, names)
    except DataError as fault:
        return [fault], []
    for path in paths:
        try:
            width, height, remark = examine_picture(path)
            size = size or (width, height)
            check_size(path, (width, height), size)
        except DataError as fault:
            faults.append(fault)
            continue
        if remark:
            remarks.setdefault(remark, []).append(path)
    said = [f"{found[0]}: {remark}" + (f" ({len(found)} are)" if len(found) > 1 else "")
            for remark, found in remarks.items()]  # fmt: skip
    if len(faults) > _NAMED:
        rest = f"{len(faults) - _NAMED} more of its pictures cannot be used"
        faults = [*faults[:_NAMED], DataError(folder, rest, "Mend these, and the others will be named")]
    return faults, said
