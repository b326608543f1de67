"""What a study was made with, and the checksums of what it made."""

import os
import platform
import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from hyper.errors import DataError
from hyper.io.tables import read_json, write_json
from hyper.report.checksums import checksum

PACKAGES = (
    "dipy", "gan-face-generate", "h5py", "himalaya", "jinja2", "matplotlib", "nibabel", "nilearn", "nipype", "numpy",
    "pandas", "pillow", "pydantic", "PyYAML", "random-face", "safetensors", "scikit-image", "scikit-learn", "scipy",
    "snakemake", "torch",
)  # fmt: skip
_ROOT = Path(__file__).resolve().parents[2]


def collect_versions() -> dict[str, Any]:
    """Return the versions of Python, of this package and of the packages it uses, as far as they are installed.

    Returns
    -------
    dict
        ``python``, ``platform``, ``hyper`` (version), ``commit`` (None outside a git checkout; ends in ``+changes``
        when files differ from it) and ``packages``, name to version.
    """
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "hyper": _own_version(),
        "commit": _commit(),
        "packages": packages,
    }


def _own_version() -> str:
    try:
        with open(_ROOT / "pyproject.toml", "rb") as file:
            return str(tomllib.load(file)["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        pass
    try:
        return metadata.version("hyper")
    except metadata.PackageNotFoundError:
        return "unknown"


def _commit() -> str | None:
    def git(*words: str) -> str:
        command = ["git", "-C", str(_ROOT), *words]
        environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True, env=environment)
        return answer.stdout.strip()

    try:
        if Path(git("rev-parse", "--show-toplevel")).resolve() != _ROOT:
            return None
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.SubprocessError):
        return None


def write_provenance(
    path: str | Path,
    checksums: Mapping[str, str],
    study: str,
    seed: int,
    settings: Mapping[str, Any],
    sources: Iterable[str] = (),
) -> None:
    """Write provenance.json: versions, settings, seed and the checksum of every deliverable.

    Parameters
    ----------
    path : str or Path
        Lies in the folder of the study's results; names of files are relative to that folder.
    checksums : mapping of str to str
        SHA-256 of every deliverable, by name.
    study : str
    seed : int
    settings : mapping
        Every setting.
    sources : iterable of str
        Configuration files that were given.
    """
    content = {"study": study, "seed": seed, **collect_versions(), "configfiles": list(sources)}
    write_json(path, {**content, "settings": dict(settings), "files": dict(sorted(checksums.items()))})


def stated_files(path: str | Path) -> dict[str, str]:
    """Return the checksums that a provenance.json states, by name.

    Raises
    ------
    DataError
        When it is no such file, or names files outside its folder.
    """
    files = read_json(path).get("files")
    mend = "Restore provenance.json, or run the workflow again"
    if not isinstance(files, dict) or not files:
        raise DataError(path, "it states no checksums", mend)
    for name, stated in files.items():
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise DataError(path, f"it names a file outside its folder ({name!r})", mend)
        if not isinstance(stated, str) or not re.fullmatch("[0-9a-f]{64}", stated):
            raise DataError(path, f"what it states of {name} is no SHA-256", mend)
    return files


def compare_files(path: str | Path, stated: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
    """Compare a study's files with the checksums of its provenance.json, one by one.

    Yields
    ------
    name : str
    fault : str or None
        What is wrong with it, its name first.
    """
    folder = Path(path).resolve().parent
    for name, value in stated.items():
        file = folder / name
        try:
            fault = None if checksum(file) == value else "changed since it was written"
        except (FileNotFoundError, NotADirectoryError):
            fault = "missing"
        except OSError as unreadable:
            fault = f"cannot be read ({unreadable.strerror})"
        yield name, f"{name}: {fault}" if fault else None


def changed_files(path: str | Path) -> list[str]:
    """Compare a study's files with its provenance.json.

    Returns
    -------
    list of str
        One line per file that is missing or differs; empty when all is as it was written.

    Raises
    ------
    DataError
        As `stated_files`.
    """
    return [fault for _, fault in compare_files(path, stated_files(path)) if fault]


def without_local_paths(value: Any) -> Any:
    """Return settings in which an absolute path is reduced to its last name."""
    if isinstance(value, Mapping):
        return {key: without_local_paths(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_local_paths(item) for item in value]
    if isinstance(value, str) and (value.startswith(("/", "~")) or "\\" in value):
        return "…/" + value.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return value
