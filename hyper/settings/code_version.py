"""The hash of the code a rule calls, so that a change of it re-runs the rule and nothing else.

Snakemake notices a changed script by its time stamp and a changed module not at all. The hash covers a script and
every module of the package that it imports, directly or not; comments, docstrings and layout do not count.
"""

import ast
import hashlib
import io
import json
import tokenize
from functools import cache
from pathlib import Path
from typing import Any

from hyper.io.atomic import write_text

ROOT = Path(__file__).resolve().parents[2]


def code_version(script: str | Path) -> str:
    """Return the hash of a script and of all modules of `hyper` that it imports.

    Parameters
    ----------
    script : str or Path
        A Python file, absolute or relative to the root of the repository.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path, fingerprint in file_versions(script).items():
        digest.update(f"{path}\0{fingerprint}\0".encode())
    return digest.hexdigest()[:16]


def file_versions(script: str | Path) -> dict[str, str]:
    """Return the fingerprint of a script and of each file of the package that it imports, by path from the root."""
    return {str(path.relative_to(ROOT)): _facts(path)[0] for path in sorted(closure_of(ROOT / script))}


def closure_of(script: Path) -> set[Path]:
    """Return the script and the files of every module of the repository that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported_files(path)
    return found


def recall_sources(record: str | Path) -> None:
    """Read from a file what `keep_sources` wrote: a source of the same size and time is not read again.

    Every job of a workflow starts by reading its rules, and every rule states the hash of its code.
    """
    try:
        _known.update(json.loads(Path(record).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        pass


def keep_sources(record: str | Path) -> None:
    """Write what is known of the sources to a JSON file, if that is more than the file holds; its folder must exist."""
    record = Path(record)
    if not _new or not record.parents[1].is_dir():
        return
    try:
        write_text(record, json.dumps({key: _known[key] for key in _used}))
        _new.clear()
    except OSError:  # a folder that may not be written to
        pass


_known: dict[str, list[Any]] = {}
_used: set[str] = set()
_new: set[str] = set()


@cache
def _facts(path: Path) -> tuple[str, list[str]]:
    """Fingerprint of a source, and the names of what it imports."""
    state = path.stat()
    key = f"{path}:{state.st_size}:{state.st_mtime_ns}"
    _used.add(key)
    if key not in _known:
        source = path.read_text(encoding="utf-8")
        nodes = list(ast.walk(ast.parse(source)))
        _new.add(key)
        _known[key] = [_fingerprint(source, nodes), sorted(_imported_names(nodes))]
    fingerprint, names = _known[key]
    return fingerprint, names


def _imported_names(nodes: list[ast.AST]) -> set[str]:
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@cache
def _imported_files(path: Path) -> tuple[Path, ...]:
    files: set[Path] = set()
    for name in _facts(path)[1]:
        files.update(_files_of_module(name, path.parent))
    return tuple(sorted(files))


def _files_of_module(name: str, folder: Path) -> list[Path]:
    """Files that importing `name` runs: the module and the packages above it; or a neighbour of the script."""
    parts = name.split(".")
    if parts[0] != "hyper":
        neighbour = folder / f"{name}.py"
        return [neighbour] if folder.name == "scripts" and neighbour.exists() else []
    files = []
    for end in range(1, len(parts) + 1):
        place = ROOT.joinpath(*parts[:end])
        files += [file for file in (place / "__init__.py", place.with_suffix(".py")) if file.exists()]
    return files


def _fingerprint(source: str, nodes: list[ast.AST]) -> str:
    """Hash of a source without comments, docstrings and blank lines, the same under every Python version."""
    lines = source.splitlines()
    tokens = tokenize.generate_tokens(io.StringIO(source).readline) if "#" in source else ()
    spans = [(token.start, token.end) for token in tokens if token.type == tokenize.COMMENT]
    spans += _docstring_spans(nodes)
    for (first, start), (last, end) in sorted(spans, reverse=True):
        rest = lines[last - 1][end:]
        lines[first - 1 : last] = [lines[first - 1][:start] + rest]
    kept = [line.rstrip() for line in lines if line.strip()]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()


def _docstring_spans(nodes: list[ast.AST]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    spans = []
    for node in nodes:
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and node.body:
            text = node.body[0]
            if (
                isinstance(text, ast.Expr)
                and isinstance(text.value, ast.Constant)
                and isinstance(text.value.value, str)
            ):
                spans.append(
                    ((text.lineno, text.col_offset), (text.end_lineno or text.lineno, text.end_col_offset or 0))
                )
    return spans
