"""Files of a DataLad clone whose content was not fetched: which, how large, and the command that fetches them."""

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from hyper.errors import DatasetError

_KEY_SIZE = re.compile(r"-s(\d+)(?:-|$)")
_POINTER = b"/annex/objects/"
_LARGEST_POINTER = 32768
_MOST_NAMED = 12


def is_unfetched(path: Path) -> bool:
    """Whether a file is a dangling link, or the small text that git-annex puts in its place where links are no use."""
    try:
        if path.is_symlink():
            return not path.exists()
    except OSError:  # a name that no file can have
        return False
    return _pointer(path) is not None


def content_size(path: Path) -> int | None:
    """Size in bytes of content that was not fetched, which git-annex writes into its name; None where it does not."""
    name = str(path.readlink()) if path.is_symlink() else _pointer(path) or ""
    found = _KEY_SIZE.search(Path(name).name)
    return int(found[1]) if found else None


def unfetched_fault(root: Path, paths: Iterable[Path]) -> DatasetError | None:
    """Return one fault for all files that were not fetched: their names, their size, and one command.

    Parameters
    ----------
    root : Path
        Folder of the dataset.
    paths : iterable of Path
        Files that the study needs.
    """
    missing = [path for path in dict.fromkeys(paths) if is_unfetched(path)]
    if not missing:
        return None
    sizes = [content_size(path) for path in missing]
    known = sum(size for size in sizes if size is not None)
    amount = f" ({_spelt(known)})" if known and None not in sizes else ""
    mend = f"Run: datalad get {' '.join(shlex.quote(str(target)) for target in _targets(root, missing))}"
    if len(missing) == 1:
        return DatasetError(missing[0], f"it is a link to content that was not fetched{amount}", mend)
    folders: dict[Path, list[str]] = {}
    for path in missing:
        folders.setdefault(path.parent, []).append(path.name)
    listed = "; ".join(f"{_below(folder, root)}: {_names(sorted(names))}" for folder, names in folders.items())
    fault = f"{len(missing)} files are links to content that was not fetched{amount}: {listed}"
    return DatasetError(root, fault, mend)


def _pointer(path: Path) -> str | None:
    try:
        if path.stat().st_size > _LARGEST_POINTER:
            return None
        with open(path, "rb") as stream:
            head = stream.read(_LARGEST_POINTER)
    except (OSError, ValueError):
        return None
    return head.decode(errors="replace").splitlines()[0] if head.startswith(_POINTER) else None


def _targets(root: Path, missing: list[Path]) -> list[Path]:
    """Folders where nothing else is to be fetched than what is needed, files elsewhere."""
    needed, targets = set(missing), []
    for folder in dict.fromkeys(path.parent for path in missing):
        here = [path for path in missing if path.parent == folder]
        others = {path for path in folder.iterdir() if is_unfetched(path)} - needed
        targets += here if others or len(here) == 1 or folder == root else [folder]
    return targets


def _names(names: list[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return ", ".join(names)
    return f"{len(names)} files from {names[0]} to {names[-1]}"


def _below(folder: Path, root: Path) -> str:
    return folder.relative_to(root).as_posix() if folder.is_relative_to(root) else str(folder)


def _spelt(size: float) -> str:
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
