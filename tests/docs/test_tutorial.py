"""What the tutorial says of the report is true of the report."""

import re

from hyper.report.sections import _ORDER
from tests.docs.pages import ROOT


def test_the_sections_it_explains_are_those_of_the_report():
    text = (ROOT / "docs/tutorial.md").read_text().split("## Reading the report")[1]
    explained = [name for row in re.findall(r"^\| ([A-Z][^|]*) \|", text, flags=re.MULTILINE) for name in split(row)]
    titles = [title for _, title, _ in _ORDER]
    assert set(explained) <= set(titles)
    assert [title for title in titles if title in explained] == explained, "in the order of the page"
    # of studies of electrodes, of those that end at the model, and of runs that failed
    assert set(titles) - set(explained) == {
        "What each region carries", "Decoding over time", "Maps", "What is missing",
    }  # fmt: skip


def split(row: str) -> list[str]:
    return [row] if row == "Faces, seen and reconstructed" else row.split(", ")
