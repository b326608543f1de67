"""Write the pages of the reference that come from code: `python docs/reference.py` fills `docs/reference/`.

Settings come from the pydantic models, commands from their parsers, rules and files from `workflow/rules`; the pages of
the library are made from its docstrings by sphinx-autoapi. None of them is kept in the repository.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS)]

from reference_rules import files_page, rules_page  # noqa: E402
from reference_settings import settings_page  # noqa: E402

from hyper.cli.main import parser  # noqa: E402

# pages that lie elsewhere in the repository
ELSEWHERE = ["CHANGELOG.md", *(str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("resources/*.md")))]


def main() -> None:
    """Write every page; one that did not change keeps its time, so that Sphinx leaves it alone."""
    os.environ["COLUMNS"] = "88"
    pages = {
        "settings": settings_page(),
        "commands": commands_page(),
        "rules": rules_page(ROOT),
        "files": files_page(ROOT),
    }
    for name in ELSEWHERE:
        text = (ROOT / name).read_text()
        pages[Path(name).stem.lower()] = text.replace("](../docs/", "](../")
    (DOCS / "reference").mkdir(exist_ok=True)
    for name, text in pages.items():
        path = DOCS / f"reference/{name}.md"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def commands_page() -> str:
    """Every command with its help, as `--help` prints it."""
    head = "# Commands\n\n`hyper COMMAND --help` prints the same. A fault is one message and exit code 1.\n"
    parts = [f"## {parser.prog}\n\n```text\n{parser.format_help().rstrip()}\n```\n" for parser in commands_of(parser())]
    return "\n".join([head, *parts])


def commands_of(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """A command and those below it."""
    yield command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from commands_of(below)


if __name__ == "__main__":
    main()
