"""Regions by any volume with a table, the grouping of the paper, and the test of layer against region."""

import numpy as np
import pandas as pd
import pytest

from hyper.errors import DataError, DatasetError
from hyper.io.tables import write_table
from hyper.io.volumes import write_image
from hyper.mapping.regions import glasser_group, independence, read_atlas, region_table

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = [-9, -9, -9]


def write_atlas(folder, names):
    numbers = np.zeros((6, 6, 6), np.int16)
    numbers[:3], numbers[3:5] = 1, 7
    write_image(folder / "atlas.nii.gz", numbers, AFFINE)
    write_table(folder / "labels.tsv", pd.DataFrame({"index": [1, 7], "name": names}))
    return folder / "atlas.nii.gz", folder / "labels.tsv"


def test_points_get_the_region_of_the_nearest_voxel(tmp_path):
    atlas = read_atlas(*write_atlas(tmp_path, ["front", "back"]))
    points = np.array([[-9.0, 0, 0], [0.4, 0, 0], [6, 0, 0], [500, 0, 0]]).T
    assert list(atlas.names_at(points)) == ["front", "back", "", ""]


def test_areas_are_joined_as_in_the_paper(tmp_path):
    atlas = read_atlas(*write_atlas(tmp_path, ["L_V1_ROI", "L_4_ROI"]), grouping="glasser")
    assert atlas.names == {1: "V1"}
    named = {"R_V4t_ROI": "MT+", "V3": "early visual", "Right_FFC": "ventral", "L_V3A_ROI": "dorsal", "R_V10_ROI": ""}
    assert {name: glasser_group(name) for name in named} == named


def test_unusable_atlases_are_refused(tmp_path):
    volume, labels = write_atlas(tmp_path, ["a", "b"])
    with pytest.raises(DataError, match="no area belongs to a group"):
        read_atlas(volume, labels, grouping="glasser")
    write_table(tmp_path / "wrong.tsv", pd.DataFrame({"number": [1]}))
    with pytest.raises(DataError, match="no columns index and name"):
        read_atlas(volume, tmp_path / "wrong.tsv")
    write_image(tmp_path / "halves.nii.gz", np.full((2, 2, 2), 0.5, np.float32), AFFINE)
    with pytest.raises(DatasetError, match="no volume of whole numbers"):
        read_atlas(tmp_path / "halves.nii.gz", labels)


def test_layers_are_counted_by_region():
    names = np.array(["V1", "V1", "V1", "", "LO"], dtype=object)
    chosen = np.array(["L1", "L1", "L2", "L2", "L2"])
    table = region_table(names, chosen, np.array([True, False, True, True, False]), ["L1", "L2"]).set_index("region")
    assert list(table.index) == ["V1", "LO", "elsewhere"]
    assert (table.loc["V1", ["voxels", "L1", "L2", "L1_significant"]] == [3, 2, 1, 1]).all()
    assert table.loc["V1", "L1_share"] == pytest.approx(2 / 3)
    assert table["voxels"].sum() == 5


def test_independence_is_rejected_where_layers_follow_regions_and_kept_where_not():
    ijk = np.argwhere(np.ones((12, 12, 12)))
    names = np.where(ijk[:, 0] < 6, "a", "b").astype(object)
    rng = np.random.default_rng(0)
    follows = independence(names, np.where(ijk[:, 0] < 6, "L1", "L2"), ijk, np.full(3, 3))
    assert follows["apart_p"] < 0.001
    assert follows["cramers_v"] == pytest.approx(1)
    assert follows["apart_voxels"] == 64
    unrelated = independence(names, rng.choice(["L1", "L2"], len(ijk)), ijk, np.full(3, 3))
    assert unrelated["p"] > 0.01
    assert independence(names, np.full(len(ijk), "L1"), ijk, np.full(3, 3))["p"] is None
