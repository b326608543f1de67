"""`hyper verify`: whether a study's files are still those that its provenance.json names."""

import argparse
import sys
from pathlib import Path
from typing import Any

from hyper.errors import DataError


def add_commands(commands: Any) -> None:
    """Add `verify` to the parser of `hyper`."""
    parser = commands.add_parser(
        "verify",
        help="say which files of a finished study are missing or no longer what they were",
        description="Compares the SHA-256 of every deliverable with provenance.json; exit code 1 when one differs.",
    )
    parser.add_argument("study", type=Path, help="folder of its results, such as results/demo, or its provenance.json")
    parser.set_defaults(run=_verify)


def _verify(options: argparse.Namespace) -> int:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import Progress

    from hyper.report.provenance import compare_files, stated_files

    record = options.study / "provenance.json" if options.study.is_dir() else options.study
    if not record.is_file():
        raise DataError(record, "the file does not exist", "Give the folder of a finished study, such as results/demo")
    stated, faults = stated_files(record), []
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("SHA-256", total=len(stated))
        for name, fault in compare_files(record, stated):
            progress.update(task, advance=1, description=escape(name[-40:]))
            faults += [fault] if fault else []
    for fault in faults:
        print(f"- {fault}", file=sys.stdout)
    files = f"{len(stated)} file{'' if len(stated) == 1 else 's'}"
    print(
        f"{record.parent}: {len(faults)} of {files} not as written."
        if faults
        else f"{record.parent}: {files}, all as written."
    )
    return 1 if faults else 0
