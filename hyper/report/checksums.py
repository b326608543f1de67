"""Checksums of a study's files, in the format of sha256sum."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from hyper.errors import DataError
from hyper.io.atomic import write_text


def checksum(path: str | Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def expand_folders(paths: Iterable[str | Path]) -> list[Path]:
    """Return the paths with every folder replaced by the files in it; hidden files are left out."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file for file in inside if not file.is_dir() and not file.name.startswith(".")]
    return found


def sum_files(paths: Iterable[str | Path], folder: str | Path) -> dict[str, str]:
    """Return the checksum of every file, by its name relative to a folder.

    Parameters
    ----------
    paths : iterable of path
        Files, and folders whose files are meant, all below `folder`.
    folder : path

    Raises
    ------
    DataError
        When a file lies elsewhere or does not exist.
    """
    root, sums = Path(folder).resolve(), {}
    for file in sorted(expand_folders(paths)):
        try:
            sums[file.resolve().relative_to(root).as_posix()] = checksum(file)
        except ValueError:
            raise DataError(file, f"it does not lie below {root}", "List files of this study only") from None
        except FileNotFoundError:
            raise DataError(file, "the file does not exist", "Run the rule that writes it") from None
    return sums


def write_checksums(path: str | Path, sums: Mapping[str, str]) -> None:
    """Write checksums by name as ``sha256sum --check`` reads them, beside which the names lie."""
    write_text(path, "".join(f"{value}  {name}\n" for name, value in sums.items()))


def read_checksums(path: str | Path) -> dict[str, str]:
    """Return the checksums of a file of `write_checksums`, by name."""
    rows = (line.split("  ", 1) for line in Path(path).read_text("utf-8").splitlines())
    return {name: value for value, name in rows}


def deliverables_of(files: Iterable[str | Path]) -> list[str]:
    """Those files that the page lists: it shows the figures itself."""
    return [str(file) for file in files if Path(file).parent.name != "figures"]
