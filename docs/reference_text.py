"""Words of the code as Markdown."""

import re


def plain(text: str) -> str:
    """Text in which only backticks mean anything; it can stand in a table."""
    parts = re.split(r"(``?[^`]+``?)", text)
    parts[::2] = [re.sub(r"([*_<$|\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)
