"""The pages as they are written: blocks of code, commands, links."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, the paragraph before it."""

    page: str
    line: int
    language: str
    text: str
    before: str


@dataclass(frozen=True)
class Command:
    """One command of a block, with what is shown of its output."""

    page: str
    line: int
    text: str
    shown: str = ""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path) -> list[Block]:
    """Fenced blocks of a page, also those within list items."""
    text, found = page.read_text(), []
    for match in re.finditer(r"^( *)```([^\n`]*)\n(.*?)^\1```$", text, flags=re.MULTILINE | re.DOTALL):
        inside = "\n".join(line.removeprefix(match[1]) for line in match[3].splitlines())
        before = text[: match.start()].rstrip().rsplit("\n\n", 1)[-1]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(name_of(page), line, match[2].strip(), inside, before))
    return found


def without_blocks(page: Path) -> str:
    return re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def commands(page: Path) -> list[Command]:
    """Commands of `bash` and `console` blocks, comments removed, continued lines joined."""
    found = []
    for block in blocks(page):
        if block.language == "console":
            for piece in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
                command, _, shown = piece.partition("\n")
                found.append(Command(block.page, block.line, command, shown))
        elif block.language == "bash":
            lines = re.sub(r"\\\n\s*", " ", block.text).splitlines()
            texts = [re.sub(r"\s+#.*", "", line).strip() for line in lines]
            found += [Command(block.page, block.line, text) for text in texts if text and not text.startswith("#")]
    return found


def inline_commands(page: Path) -> list[str]:
    """What a sentence or a table calls `hyper ...`."""
    return re.findall(r"`(hyper [a-z][^`]*)`", without_blocks(page))


def links(page: Path) -> list[str]:
    """Targets of links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", without_blocks(page))
