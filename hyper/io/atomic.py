"""Write to a temporary name in the same folder, then rename: no reader ever sees half a file."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` with the same extensions; rename it when the block succeeds.

    Parameters
    ----------
    path : str or Path
        Final name. Its folder is created.

    Yields
    ------
    Path
        Name to write to. It is removed when the block raises.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".partial-", suffix="-" + path.name, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def partial_folder(path: str | Path) -> Path:
    """Make a folder beside `path` for what is made on the way to it, which whoever asks for it removes.

    Its name has no extension, which programs might take for its own.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".partial-", suffix="-" + path.name.replace(".", "-"), dir=path.parent))


def remove_partial(paths: Iterable[str | Path]) -> None:
    """Remove what a process that was killed had begun of these files, or the folders that it made them in.

    Nobody else may be writing them.
    """
    for path in map(Path, paths):
        names = "|".join(map(re.escape, (path.name, path.name.replace(".", "-"))))
        if path.parent.is_dir():
            for left in path.parent.iterdir():
                if re.fullmatch(rf"\.partial-[a-z0-9_]{{8}}-({names})", left.name):
                    shutil.rmtree(left) if left.is_dir() else left.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
