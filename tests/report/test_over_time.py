"""Regions and time on the page."""

import numpy as np
import pandas as pd
import pytest

from hyper.evaluation.over_time import add_planted, find_latencies, score_windows
from hyper.report.over_time import (
    curve_table,
    draw_curves,
    draw_frames,
    draw_generalisation,
    latency_table,
    time_sentences,
)
from hyper.report.regional import draw_regional, regional_table
from hyper.report.style import save_figure

STARTS = np.arange(-100, 101, 25.0)
ENDS = STARTS + 100


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(0)
    true = rng.normal(size=(30, 12))
    decoded = {
        name: np.clip((ENDS - latency) / 100, 0, 1)[:, None, None] * true + rng.normal(size=(9, 30, 12))
        for name, latency in (("all", 40), ("V1", 40), ("IT", 90))
    }
    curves = score_windows(true, decoded, STARTS, ENDS, 499, 100, 0)
    latencies = find_latencies(true, decoded, curves, 0.5, 100, 0)
    return curves, add_planted(latencies, np.array(["V1", "IT"]), np.array([40.0, 90.0]))


def test_words_say_what_lies_before_the_onset_and_when_curves_rise(tables):
    curves, latencies = tables
    sentences = time_sentences(curves, latencies)
    assert sentences[0] == "9 windows of 100 ms at a stride of 25 ms, −100 to 200 ms."
    assert sentences[1].startswith("Nothing is decodable before the onset: the least of 3 p-values there is 0.")
    assert sentences[2].startswith("All channels: the correlation of latent dimensions has risen halfway at ")
    assert sentences[4].endswith("planted 90 ms.")
    loud = curves.assign(p=0.001, p_corrected=0.01)
    assert time_sentences(loud, latencies)[1].startswith("Something seems to be decodable before the onset")
    late = curves.assign(before_onset=0)
    assert "No window ends before the onset" in time_sentences(late, latencies)[1]
    flat = latencies.assign(latency_ms=np.nan)
    assert time_sentences(curves, flat)[2] == "All channels: the curve does not rise."


def test_tables_have_a_row_per_latency_and_window(tables):
    curves, latencies = tables
    assert len(latency_table(latencies).rows) == 9
    table = curve_table(curves)
    assert [label for label, _ in table.columns] == ["Window", "All channels", "V1", "IT"]
    assert len(table.rows) == 9
    assert table.rows[0][0].text == "−100 to 0 ms"


def test_figures_show_every_region_and_window(tables, tmp_path):
    curves, latencies = tables
    figure = draw_curves(curves, latencies)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["All channels", "V1", "IT"]
    assert len(figure.axes) == 3
    save_figure(figure, tmp_path / "curves.png", tmp_path / "curves.svg")
    matrices = {name: np.eye(9) for name in ("all", "V1")}
    figure = draw_generalisation(matrices, STARTS, ENDS)
    assert [axes.get_title(loc="left") for axes in figure.axes[:2]] == ["All channels", "V1"]
    save_figure(figure, tmp_path / "matrix.png", tmp_path / "matrix.svg")
    pictures = np.zeros((9, 2, 8, 8, 3), np.uint8)
    figure = draw_frames(pictures[0], pictures, STARTS, ENDS)
    assert len(figure.axes) == 2 * 10
    assert [text.get_text() for text in figure.texts][-1] == "Seen"
    save_figure(figure, tmp_path / "frames.png", tmp_path / "frames.svg")
    assert len(list(tmp_path.iterdir())) == 6


def test_regions_stand_side_by_side_and_trivial_predictors_below(tmp_path):
    rows = [
        {"subject": "01", "decoder": decoder, "metric": metric, "region": region, "value": 0.5, "sem": 0.1,
         "chance": 0.4, "ceiling": 1.0, "p": 0.01}
        for metric in ("latent_cosine", "identification_2way_latent")
        for decoder, regions in (("ols", ("all", "V1", "IT")), ("trivial-mean", ("all",)))
        for region in regions
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    printed = regional_table(table, ["ols"])
    assert [[cell.text for cell in row[:2]] for row in printed.rows] == [
        ["Ols", "All channels"], ["Ols", "V1"], ["Ols", "IT"], ["Mean latent", "–"],
    ]  # fmt: skip
    assert printed.muted == [False, False, False, True]
    assert printed.rows[1][2].text == "0.500 ± 0.100"
    save_figure(draw_regional(table, ["ols"]), tmp_path / "regional.png")
    assert (tmp_path / "regional.png").stat().st_size > 5000
