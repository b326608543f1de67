"""The map of layers, drawn and told."""

import numpy as np
import pandas as pd
import pytest

from hyper.errors import DataError
from hyper.io.tables import write_json, write_table
from hyper.preprocess.template import load_template
from hyper.report.brain import draw_labels
from hyper.report.layers import draw_layer_bars
from hyper.report.page import render_page
from hyper.report.surface import draw_surface, interactive_surface, labels_on_surface

AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
AFFINE[:3, 3] = [-98, -134, -72]
NAMES = ["L1", "L2", "L3", "L4"]
SUMMARY = {
    "measure": "similarity", "cube_voxels": [7, 7, 7], "voxels": 200, "stimuli": 36, "alpha": 0.05, "significant": 31,
    "certain": 12, "significant_and_certain": 10, "computed_share": 1.0, "largest_bound": 0.0, "split": "runs",
    "split_groups": 3, "split_agreement": 0.61, "split_kappa": 0.42, "split_agreement_significant": 0.9,
    "split_kappa_significant": 0.8,
    "regions": {"chi2": 12.3, "dof": 9, "p": 0.0004, "cramers_v": 0.2, "voxels": 200, "apart_p": 0.31},
}  # fmt: skip


@pytest.fixture(scope="module")
def labels():
    volume = np.zeros((50, 59, 48), int)
    volume[26:30, 8:14, 14:20], volume[19:23, 8:14, 14:20] = 2, 4  # the right and the left occipital pole
    return volume


def tables():
    layers = pd.DataFrame({"layer": NAMES, "similarity": [0.5, 0.6, 0.55, 0.6], "sem": 0.01, "chance": 0.48})
    layers = layers.assign(p=[0.0005, 0.02, 0.3, 0.04], voxels=50, significant=[31, 0, 0, 0], certain=3)
    regions = pd.DataFrame({"region": ["V1", "elsewhere"], "voxels": [150, 50], "significant": [31, 0]})
    for name in NAMES:
        regions[name], regions[f"{name}_share"], regions[f"{name}_significant"] = [38, 12], [0.25, 0.24], [8, 0]
    return layers, regions


def test_labels_reach_the_surface_of_their_own_hemisphere(labels):
    assert set(labels_on_surface(labels, AFFINE, "right")) == {0, 2}
    assert set(labels_on_surface(labels, AFFINE, "left")) == {0, 4}


def test_figures_show_every_layer_in_a_colour_of_its_own(labels):
    regions = lambda points: np.where(points[0] < 0, "left", "right")  # noqa: E731
    slices = draw_labels(labels, AFFINE, load_template(4.0), NAMES, "what", 2, regions)
    patches = slices.legends[0].get_patches()
    assert len({patch.get_facecolor() for patch in patches}) == 4
    assert len(draw_surface(labels, AFFINE, NAMES, regions).axes) == 6
    bars = draw_layer_bars(*tables())
    assert len(bars.axes[0].patches) == 4
    assert len(bars.axes[1].patches) == 8
    with pytest.raises(DataError, match="there is none"):
        draw_labels(np.zeros_like(labels), AFFINE, load_template(4.0), NAMES, "nothing")


def test_the_surface_to_turn_needs_no_network(labels):
    page = interactive_surface(labels, AFFINE, NAMES)
    assert "<script src=" not in page
    assert "L2: vermilion" in page


def test_the_page_tells_what_the_map_says(tree):
    layers, regions = tables()
    place = tree.folder / "mapping/sub-01"
    write_table(place / "sub-01_layers.tsv", layers)
    write_table(place / "regions.tsv", regions)
    write_json(place / "sub-01_summary.json", SUMMARY)
    page = render_page(tree.sources(maps={"01": place / "sub-01_summary.json"}))
    assert "Which voxels carry which layer" in page
    assert "31 of 200 voxels have a significant effect" in page
    assert "the stimuli of each run" in page
    assert "Which voxels carry which layer" not in render_page(tree.sources())
