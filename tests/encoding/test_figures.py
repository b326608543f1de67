import numpy as np
import pandas as pd
import pytest

from hyper.encoding.files import Measured, channel_table, map_label, write_encoding_maps
from hyper.encoding.partition import Partition, partition_table
from hyper.encoding.scores import share_table
from hyper.io.tables import read_table, write_table
from hyper.io.volumes import read_volume
from hyper.mapping.regions import regions_of_channels
from hyper.report.encoding import arrays_of, draw_arrays, draw_encoding, encoding_people, planted_sentence
from hyper.report.encoding_labels import feature_label
from hyper.report.encoding_text import encoding_paragraph
from hyper.report.methods import cited
from hyper.report.style import save_figure
from hyper.settings.encoding import Encoding

NAMES = ["vgg16-faces-1", "vgg16-objects-3", "z", "w", "clip"]
REGIONS = np.repeat(["V1", "IT"], [128, 64])


@pytest.fixture
def scored():
    """Five features; V1 is best predicted by the second, IT by the fourth, the last ten channels by none."""
    rng = np.random.default_rng(0)
    r = rng.uniform(-0.1, 0.1, (5, 192))
    r[1, :128] += 0.6
    r[3, 128:182] += 0.6
    p = np.where(r > 0.4, 1e-6, 0.5)
    measured = Measured(
        np.zeros((4, 192)), np.zeros((3, 192)), np.array(list("abcd")), np.array(list("efg")),
        array=np.repeat([1, 2, 9], 64),
    )  # fmt: skip
    channels = channel_table(NAMES, measured, REGIONS, r, p, p, 0.05)
    return channels, share_table(NAMES, r, channels["significant"].to_numpy() == 1, REGIONS), r


def test_tables_count_the_best_features(scored):
    channels, shares, _ = scored
    assert channels["significant"].sum() == 182
    found = shares.set_index(["region", "feature"])
    assert found.loc[("V1", "vgg16-objects-3"), "share"] == 100
    assert found.loc[("IT", "w"), "best"] >= 54
    assert found.loc[("IT", "w"), "significant_share"] == 100
    assert found.loc[("all", "w"), "channels"] == 192


def test_figures_show_regions_and_arrays(scored, tmp_path):
    channels, shares, _ = scored
    figure = draw_encoding(shares, channels, NAMES)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert [title for title in titles if title] == ["V1", "IT", "all"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["VGGFace-1", "VGG16-3", "z", "w", "CLIP"]
    save_figure(figure, tmp_path / "a.png", tmp_path / "a.svg", 60)
    arrays = draw_arrays(channels, NAMES)
    assert [axes.get_title(loc="left") for axes in arrays.axes] == ["array 1", "array 2", "array 9"]
    faint = arrays.axes[2].images[0].get_array()[..., 3]
    assert (np.asarray(faint).ravel()[-10:] < 0.5).all()
    assert (np.asarray(faint).ravel()[:54] == 1).all()
    save_figure(arrays, tmp_path / "b.png", tmp_path / "b.svg", 60)


def test_channels_without_arrays_are_taken_64_at_a_time(scored):
    found = arrays_of(scored[0].drop(columns="array")[:150])
    assert [(label, len(own)) for label, own in found] == [("1 to 64", 64), ("65 to 128", 64), ("129 to 150", 22)]


def test_maps_hold_the_best_feature_of_each_voxel(scored, tmp_path):
    channels, _, r = scored
    rng = np.random.default_rng(1)
    ijk = np.array(np.unravel_index(rng.choice(8 * 9 * 7, 192, replace=False), (8, 9, 7))).T
    voxels = channels.assign(i=ijk[:, 0], j=ijk[:, 1], k=ijk[:, 2])
    write_encoding_maps(str(tmp_path / "sub-01"), voxels, NAMES, (8, 9, 7), np.diag([4.0, 4, 4, 1]))
    labels, affine = read_volume(tmp_path / "sub-01_desc-feature_dseg.nii.gz")
    clear = read_volume(tmp_path / "sub-01_desc-significantfeature_dseg.nii.gz")[0]
    assert affine[0, 0] == 4
    assert (labels[tuple(ijk[:128].T)] == 2).all()
    assert (clear > 0).sum() == 182
    found = read_volume(tmp_path / f"sub-01_desc-{map_label('vgg16-objects-3')}_stat-r_statmap.nii.gz")[0]
    np.testing.assert_allclose(found[tuple(ijk.T)], r[1], atol=1e-6)
    assert list(read_table(tmp_path / "sub-01_desc-feature_dseg.tsv")["name"]) == NAMES


def test_the_page_has_both_tables(scored, tmp_path):
    write_table(tmp_path / "sub-01_shares.tsv", scored[1])
    write_table(tmp_path / "sub-01_channels.tsv", scored[0])
    person = encoding_people({"01": tmp_path / "sub-01_shares.tsv"}, [])[0]
    assert [cell.text for cell in person["table"].rows[0]][:2] == ["V1", "128"]
    assert person["partition"] is None and person["planted"] == ""
    parts = np.full((2, 192), 0.1)
    partition = Partition(["z", "w"], np.full(192, 0.5), parts, np.full(192, 0.3), parts, np.zeros((3, 192)))
    table = partition_table(partition, REGIONS, np.arange(192) < 128)
    assert np.isnan(table["joint"][1])
    write_table(tmp_path / "sub-01_partition.tsv", table)
    person = encoding_people({"01": tmp_path / "sub-01_shares.tsv"}, [])[0]
    assert [cell.text for cell in person["partition"].rows[0]] == ["V1", "128", "0.500", "0.100", "0.100", "0.300"]


def test_regions_come_with_the_responses_or_from_places():
    atlas = {"volume": None}

    def right(points):
        return np.where(points[0] > 0, "right", "")

    assert list(regions_of_channels(2, np.array(["V1", "V4"]), None, None, atlas, right)) == ["V1", "V4"]
    assert list(regions_of_channels(2, None, np.full((2, 3), -1), np.full((4, 4), np.nan), atlas, right)) == ["all"] * 2
    found = regions_of_channels(2, None, np.array([[1, 0, 0], [-1, 0, 0]]), np.eye(4), atlas, right)
    assert list(found) == ["right", "elsewhere"]


def test_features_have_names_in_print():
    assert feature_label("generator-L2") == "Layer L2"
    assert feature_label("mine") == "mine"
    assert map_label("vgg16-faces-1") == "vgg16faces1"


def test_a_study_of_one_region_has_no_row_of_all():
    table = share_table(["z"], np.full((1, 3), 0.5), np.ones(3, bool), np.array(["all"] * 3))
    assert isinstance(table, pd.DataFrame)
    assert list(table["region"]) == ["all"]


def test_the_methods_say_what_was_fitted():
    settings = Encoding(features=["vgg16-objects-1", "z", "w"], joint=["z", "w"], permutations=500).model_dump()
    text = encoding_paragraph(settings)
    assert "VGG16 trained on objects [@vgg2015] (VGG16-1); the latents z; the styles w)" in text
    assert "among 5 with evenly spaced" in text and "500 permutations" in text and "joint model of z and w" in text
    assert {reference.year for reference in cited([text])[1]} == {2024, 2015, 2014, 1995, 2022}
    plain = encoding_paragraph(Encoding(features=["z"], method="cross-validated", correction="none").model_dump())
    assert "by cross-validation" in plain and "Student's t, not corrected" in plain and "joint" not in plain


def test_how_much_of_what_was_planted_is_found_is_said(scored):
    channels = scored[0]
    assert planted_sentence(channels) == ""
    planted = np.where(channels["region"] == "V1", "vgg16-objects-3", "w")
    planted[:32] = "clip"  # V1: 96 of 128 right; IT: 54 of 54, ten others are not significant
    text = planted_sentence(channels.assign(planted=planted))
    assert "150 of 182 significant channels (82.4 %): V1 (CLIP, VGG16-3) 75.0 %; IT (w) 100.0 %." in text
    assert planted_sentence(channels.assign(planted="unknown")) == ""
