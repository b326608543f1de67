"""Settings of Sphinx: `make docs` builds the pages beside this file, and the reference, into `site/`."""

import re
import tomllib
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

ROOT = Path(__file__).resolve().parents[1]
FETCHED = re.compile(
    r"""<(script|img|iframe|source)[^>]*\ssrc="(https?:)?//|<link[^>]*\shref="(https?:)?//|url\(.?(https?:)?//"""
)

project = "hyper"
version = release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
extensions = ["myst_parser"]

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "hyper"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
pygments_style = "friendly"
pygments_dark_style = "monokai"


def setup(app):
    """Formulas as MathML, which needs no script; links to the cards of shipped networks."""
    app.add_html_math_renderer("mathml", (inline_formula, None), (formula, None))
    app.connect("source-read", link_cards)
    app.connect("build-finished", refuse_network)


def inline_formula(translator, node):
    """A formula within a line."""
    translator.body.append(tex2mathml(node.astext(), as_block=False))
    raise nodes.SkipNode


def formula(translator, node):
    """A formula on a line of its own."""
    translator.body.append(f'<div class="formula">{tex2mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def link_cards(app, name, text):
    """The cards of `resources/` are pages of the reference here."""
    text[0] = text[0].replace("](../resources/", "](reference/")


def refuse_network(app, exception):
    """The pages open from a memory stick: a script, style, font or picture from elsewhere is a warning, so an error."""
    for path in sorted([*Path(app.outdir).rglob("*.html"), *Path(app.outdir).rglob("*.css")]):
        if found := FETCHED.search(path.read_text(encoding="utf-8")):
            logging.getLogger(__name__).warning("%s fetches from the network: %s", path.name, found[0])
