"""The figures, the table and the section of attributes."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from hyper.evaluation.attributes import Directions, correct_attributes, scores_by_stimulus, sets_of, tabulate_attributes
from hyper.evaluation.boundaries import Boundaries
from hyper.evaluation.edits import write_edits
from hyper.io.tables import write_table
from hyper.report.attributes import attribute_table, draw_attributes, draw_edits, read_attributes
from hyper.report.deliverables import deliverables, figure_files
from hyper.report.methods import methods_paragraphs
from hyper.report.page import render_page
from hyper.report.sources import FigureFile
from hyper.report.style import save_figure

from .conftest import faces

NAMES = ("gender", "age", "smile")


@pytest.fixture(autouse=True)
def no_figure_left_open():
    yield
    plt.close("all")


@pytest.fixture
def tables(tmp_path):
    """Scores of two people by two decoders, of which the second decodes nothing."""
    rng = np.random.default_rng(0)
    normals = np.linalg.qr(rng.standard_normal((20, 3)))[0].T
    sets = sets_of(Boundaries(NAMES, normals, np.zeros(3)), np.eye(20)[:2])
    rows, scores = [], []
    for subject in ("01", "02"):
        true = rng.standard_normal((12, 20))
        for decoder, noise in (("published", 0.5), ("ridge", 9.0)):
            labels = {"study": "fake", "subject": subject, "decoder": decoder}
            decoded = true + noise * rng.standard_normal(true.shape)
            rows.append(tabulate_attributes(true, decoded, sets, 200, 100, 0, labels))
            scores.append(scores_by_stimulus(true, decoded, [f"{n:04d}" for n in range(12)], sets, labels))
    write_table(tmp_path / "attributes.tsv", correct_attributes(pd.concat(rows), "holm"))
    write_table(tmp_path / "scores.tsv", pd.concat(scores))
    return tmp_path / "attributes.tsv", tmp_path / "scores.tsv"


def saved(figure, folder):
    save_figure(figure, folder / "figure.png", folder / "figure.svg", 100)
    assert (folder / "figure.svg").read_text().rstrip().endswith("</svg>")
    return np.asarray(Image.open(folder / "figure.png").convert("RGB")).astype(int)


def test_edits_show_every_face_and_name_every_direction(tmp_path):
    images = faces(np.random.default_rng(0), 25).reshape(5, 5, 64, 64, 3)
    sets = [Directions("boundary", NAMES, np.eye(3)), Directions("sefa", ("sefa1", "sefa2"), np.eye(3)[:2])]
    write_edits(tmp_path / "edits.h5", sets, [images[:3], images[3:]], 2.0)
    figure = draw_edits(tmp_path / "edits.h5")
    assert len(figure.axes) == 25
    for axes, image in zip(figure.axes, images.reshape(25, 64, 64, 3), strict=True):
        assert np.array_equal(axes.images[0].get_array(), image)
    texts = [text.get_text() for text in figure.texts]
    assert [text for text in texts if text[:1] in "+−f" and len(text) < 5] == ["−2", "−1", "face", "+1", "+2"]
    assert {"Gender", "Smile", "SeFa 1", "SeFa 2", "serious → smiling"} <= set(texts)
    assert saved(figure, tmp_path).std() > 8


def test_scores_and_correlations_are_drawn_as_they_are(tables, tmp_path):
    table, scores = map(read_attributes, tables)
    figure = draw_attributes(table, scores, "02", ["published", "ridge"])
    top, *below = figure.axes
    assert [label.get_text() for label in top.get_xticklabels()] == ["Gender", "Age", "Smile"]
    own = table.query("subject == '02' and directions == 'boundary' and metric == 'attribute_correlation'")
    for decoder, container in zip(["published", "ridge"], top.containers, strict=True):
        expected = own[own["decoder"] == decoder]["value"]
        assert np.allclose(container.lines[0].get_ydata(), expected)
    assert len(below) == 3
    drawn = below[1].lines[-1]
    chosen = scores.query("subject == '02' and directions == 'boundary' and decoder == 'published'")
    chosen = chosen[chosen["attribute"] == "age"]
    assert np.allclose(drawn.get_xdata(), chosen["true"]) and np.allclose(drawn.get_ydata(), chosen["decoded"])
    assert saved(figure, tmp_path).std() > 8


def test_without_boundaries_the_closed_form_directions_are_drawn(tables):
    table, scores = (read_attributes(path).query("directions == 'sefa'") for path in tables)
    figure = draw_attributes(table, scores, "01", ["published"])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["SeFa 1", "SeFa 2"]


def test_the_table_holds_the_numbers(tables):
    table = read_attributes(tables[0])
    found = attribute_table(table, {"01": ["published", "ridge"], "02": ["published"]})
    assert [label for label, _ in found.columns] == ["Person", "Decoder", "Gender", "Age", "Smile"]
    assert len(found.rows) == 3
    row = table.query("subject == '02' and decoder == 'published' and directions == 'boundary' and attribute == 'age'")
    value = row.set_index("metric")["value"]
    assert float(found.rows[2][3].order) == pytest.approx(value["attribute_correlation"], abs=1e-6)
    assert f"; {100 * value['attribute_agreement']:.0f} %" in found.rows[2][3].small


def test_the_page_has_the_section_and_says_when_there_are_no_boundaries(tree, tables):
    folder = tree.folder / "evaluation"
    table = read_attributes(tables[0])
    write_table(folder / "attributes.tsv", table)
    figure = tree.folder / "report/figures/edits.png"
    figure.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(faces(np.random.default_rng(0), 1)[0]).save(figure)
    sources = replace(tree.sources(attributes=folder / "attributes.tsv"), figures=[FigureFile("edits", figure)])
    page = render_page(sources)
    assert "Attributes of the faces" in page and "A face moved along each attribute" in page
    assert "There are no boundaries" not in page
    write_table(folder / "attributes.tsv", table[table["directions"] == "sefa"])
    assert "There are no boundaries of attributes for this generator" in render_page(sources)
    assert "Attributes of the faces" not in render_page(tree.sources())


def test_methods_say_where_directions_come_from():
    attributes = {"boundaries": "shipped", "sefa": 4}
    evaluation = {"metrics": ["latent_cosine", "attribute_agreement"], "attributes": attributes}
    settings = {"generators": {"generator": "pggan-face"}, "evaluation": evaluation}
    text = " ".join(methods_paragraphs(settings, 2))
    assert "[@interfacegan]" in text and "4 directions" in text and "[@sefa]" in text and "have in common" in text
    settings["generators"] = {"generator": "dcgan-face"}
    evaluation["attributes"]["sefa"] = 0
    text = " ".join(methods_paragraphs(settings, 2))
    assert "interfacegan" not in text and "sefa" not in text and "have in common" not in text


def test_files_of_attributes_are_kept_only_where_there_are_any():
    runs = {"01": [], "02": []}
    figures = figure_files(runs, {"mean": ""}, True, "r/", attributes=True)
    assert figures["attributes"] == [f"r/report/figures/sub-{name}_attributes.png" for name in runs]
    assert figures["edits"] == ["r/report/figures/edits.png"]
    without = figure_files(runs, {"mean": ""}, True, "r/")
    assert without["attributes"] == without["edits"] == []
    kept = deliverables(runs, {"01": [], "02": []}, True, False, "r/", attributes=True)
    assert {"r/evaluation/attributes.tsv", "r/evaluation/attribute_scores.tsv", "r/evaluation/edits.h5"} <= set(kept)
