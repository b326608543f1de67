"""Write the reference of the library from its docstrings: `python docs/reference_library.py`.

The sources are read, not imported: nothing but numpydoc is needed.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from numpydoc.docscrape import NumpyDocString
from reference_text import plain

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs/reference/library"
# lowest first, as they import each other; settings and commands have pages of their own
PACKAGES = (
    "errors", "io", "dataset", "generators", "networks", "preprocess", "glm", "responses", "decoding", "encoding",
    "mapping", "baselines", "evaluation", "simulation", "report", "doctor",
)  # fmt: skip
LISTS = ("Parameters", "Attributes", "Returns", "Yields", "Raises")


def main() -> None:
    """A page for each package, and one that leads to them."""
    missing = {path.stem for path in ROOT.glob("hyper/[a-z]*")} - set(PACKAGES) - {"settings", "cli"}
    if missing:
        raise ValueError(f"docs/reference_library.py does not know {sorted(missing)}: add them to PACKAGES")
    PAGES.mkdir(parents=True, exist_ok=True)
    rows, entries = [], []
    for package in PACKAGES:
        modules = list(modules_of(package))
        write(package, "\n".join(module_text(name, tree) for name, tree in modules))
        said = summary(modules[0][1])
        rows.append(f"| [hyper.{package}]({package}.md) | {said} |")
        entries.append(package)
    head = (
        "# Library\n\n`hyper` can be imported without the workflow: functions take arrays, paths and plain arguments, "
        "no settings. A package imports only from those above it here ([Architecture](../../architecture.md)).\n"
    )
    table = "\n".join(["| package | |", "|---|---|", *rows])
    toctree = "\n".join(["```{toctree}", ":hidden:", *entries, "```"])
    write("index", f"{head}\n{table}\n\n{toctree}")


def write(name: str, text: str) -> None:
    """Write a page unless it is the same already."""
    path = PAGES / f"{name}.md"
    if not path.exists() or path.read_text() != text + "\n":
        path.write_text(text + "\n")


def modules_of(package: str) -> Iterator[tuple[str, ast.Module]]:
    """Modules of a package by name, its own docstring first; templates and private modules are none."""
    single = ROOT / f"hyper/{package}.py"
    for path in [single] if single.exists() else sorted((ROOT / "hyper" / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] == "__main__":
            continue
        yield ".".join(parts).removesuffix(".__init__"), ast.parse(path.read_text())


def summary(module: ast.Module) -> str:
    """First paragraph of a module's docstring."""
    return plain((ast.get_docstring(module) or "").split("\n\n")[0])


def module_text(name: str, module: ast.Module) -> str:
    """Docstring, classes and functions of a module; nothing of those that begin with an underscore."""
    title = "#" if name.count(".") == 1 else "##"
    lines = [f"{title} {plain(name)}\n", prose((ast.get_docstring(module) or "").splitlines()), ""]
    for node in public(module):
        lines.append(object_text(node, title + "#"))
    return "\n".join(lines)


def public(node: ast.Module | ast.ClassDef) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """Classes and functions with a docstring that are not private."""
    for item in node.body:
        named = isinstance(item, (ast.ClassDef, ast.FunctionDef)) and not item.name.startswith("_")
        if named and ast.get_docstring(item):
            yield item


def object_text(node: ast.ClassDef | ast.FunctionDef, heading: str) -> str:
    """Heading, signature and docstring; of a class, its methods too."""
    lines = [f"{heading} {plain(node.name)}\n", f"```python\n{signature(node)}\n```\n", docstring_text(node)]
    if isinstance(node, ast.ClassDef):
        lines += [object_text(method, heading + "#") for method in public(node)]
    return "\n".join(lines)


def signature(node: ast.ClassDef | ast.FunctionDef) -> str:
    """A line that calls it, with annotations and defaults."""
    if isinstance(node, ast.FunctionDef):
        decorators = [ast.unparse(item) for item in node.decorator_list]
        known = [f"@{name}" for name in decorators if name in ("property", "classmethod", "staticmethod")]
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return "\n".join([*known, f"def {node.name}({ast.unparse(node.args)}){returns}"])
    bases = ", ".join(map(ast.unparse, node.bases))
    made = [item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"]
    fields = [ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign)]
    head = f"class {node.name}({bases})" if bases else f"class {node.name}"
    if made:
        return f"{head}\n{node.name}({re.sub(r'^self(, )?', '', ast.unparse(made[0].args))})"
    return "\n".join([f"{head}:", *(f"    {line}" for line in fields)]) if fields else head


def docstring_text(node: ast.ClassDef | ast.FunctionDef) -> str:
    """A NumPy docstring as Markdown."""
    parsed = NumpyDocString(ast.get_docstring(node) or "")
    lines = [prose(parsed["Summary"]), "", prose(parsed["Extended Summary"]), ""]
    for title in LISTS:
        if parsed[title]:
            lines += [f"**{title}**\n", *map(item_text, parsed[title]), ""]
    if parsed["Notes"]:
        lines += ["**Notes**\n", prose(parsed["Notes"]), ""]
    return "\n".join(lines)


def item_text(item) -> str:
    """A parameter, an attribute or a result as an item of a list."""
    name = f"`{item.name}`" if item.name else ""
    kind = plain(item.type)
    said = " ".join(plain(line.strip()) for line in item.desc if line.strip())
    return "- " + ": ".join(filter(None, [", ".join(filter(None, [name, kind])), said]))


def prose(lines: list[str]) -> str:
    """Paragraphs of a docstring; indented ones are code."""
    paragraphs = re.split(r"\n\s*\n", "\n".join(lines).strip("\n"))
    return "\n\n".join(
        f"```text\n{paragraph}\n```"
        if all(line.startswith("    ") for line in paragraph.splitlines()) and paragraph.strip()
        else "\n".join(
            line[:2] + plain(line[2:]) if line[:2] == "* " else plain(line) for line in paragraph.splitlines()
        )
        for paragraph in paragraphs
    )


if __name__ == "__main__":
    main()
