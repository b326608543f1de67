"""Links, anchors and pictures of the README and the pages resolve; what they call settings and commands exists."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

from hyper.cli.main import parser
from hyper.settings.load import load_settings, overlay
from hyper.settings.root import Settings
from hyper.settings.site import Site
from tests.docs.pages import PAGES, ROOT, blocks, inline_commands, links, name_of, without_blocks

CARDS = sorted((ROOT / "resources").glob("*.md"))
LANGUAGES = {"bash", "console", "yaml", "python", "pycon", "text", "snakemake"}
DIRECTIVES = {"{toctree}", "{include} ../README.md"}


@pytest.fixture(scope="session")
def generated():
    """The pages of the reference that need no packages of their own, by the command of `make docs`."""
    done = subprocess.run([sys.executable, ROOT / "docs/reference.py"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {path.name for path in (ROOT / "docs/reference").glob("*.md")}


@cache
def anchors(page: Path) -> frozenset:
    titles = re.findall(r"^#+ (.+)$", without_blocks(page), flags=re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles)


@pytest.mark.parametrize("page", [*PAGES, *CARDS, ROOT / "CHANGELOG.md"], ids=name_of)
def test_links_resolve(page, generated):
    for link in links(page):
        if link.startswith(("https://", "http://", "mailto:")):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if path.parent == ROOT / "docs/reference":
            assert path.name in generated, f"{name_of(page)}: {link}"
        elif path.is_relative_to(ROOT / "docs/reference/library"):
            assert path.name == "index.md", "pages of the library are generated: link to its index alone"
        else:
            assert path.exists(), f"{name_of(page)}: {link}"
        if anchor:
            assert anchor in anchors(path), f"{name_of(page)}: {link} has no such heading"


def test_every_page_and_picture_can_be_reached():
    trees = [block.text for block in blocks(ROOT / "docs/index.md") if block.language == "{toctree}"]
    listed = {line.split()[-1].strip("<>") for line in "\n".join(trees).splitlines() if not line.startswith(":")}
    assert {path.stem for path in PAGES[1:]} - {"index"} <= listed
    used = {Path(link).name for page in [*PAGES, *CARDS] for link in links(page)}
    assert {path.name for path in (ROOT / "docs/images").iterdir()} <= used


def test_pictures_are_small():
    for path in (ROOT / "docs/images").glob("report*.png"):
        assert path.stat().st_size < 300_000, path.name


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_says_what_it_is(page):
    for block in blocks(page):
        assert block.language in LANGUAGES | DIRECTIVES, f"{block.page}:{block.line}"
    indented = re.findall(r"\n\n {4,}(?![-*|\d])\S.*", without_blocks(page))
    assert not indented, f"{name_of(page)}: code by indentation is not tested: fence it"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_yaml_block_is_of_a_study_or_a_site(page):
    for block in blocks(page):
        if block.language != "yaml":
            continue
        content = yaml.safe_load(block.text)
        if set(content) <= set(Site.model_fields):
            Site.model_validate(content)
            continue
        given = content.get("dataset", {})
        whole = {} if given.get("path") or given.get("responses") else {"study": {"simulated": True}}
        load_settings(overlay(whole, content), f"{block.page}:{block.line}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_settings_that_a_page_names_exist(page):
    sections = "|".join(Settings.model_fields)
    for name in re.findall(rf"`((?:{sections})(?:\.[a-z_0-9]+)+)`", without_blocks(page)):
        if name.endswith((".yaml", ".h5", ".tsv", ".json", ".py", ".smk", ".md")):
            continue
        assert known(Settings, name.split(".")), f"{name_of(page)}: there is no setting {name}"


def known(model, path) -> bool:
    """Whether a setting has this name; below a mapping or a union any of its models will do."""
    if not path:
        return True
    fields = getattr(model, "model_fields", None)
    if fields is not None:
        return path[0] in fields and known(fields[path[0]].annotation, path[1:])
    within = getattr(model, "__args__", ())
    named = getattr(model, "__origin__", None) is dict
    return any(known(part, path) or (named and known(part, path[1:])) for part in within)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_in_sentences_exist(page):
    for command in inline_commands(page):
        words = command.split()[1:]
        place = parser()
        while words and (below := subcommands(place)) and words[0] in below:
            place = below[words.pop(0)]
        assert place.prog != "hyper", f"{name_of(page)}: there is no command {command!r}"
        options = {option for action in place._actions for option in action.option_strings}
        assert {word for word in words if word.startswith("--")} <= options | {"--configfile"}, command


def subcommands(place) -> dict:
    return next((action.choices for action in place._actions if hasattr(action, "add_parser")), {})
