import gzip

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from hyper.errors import DataError, DatasetError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.atomic import atomic_path
from hyper.io.seeds import derive_seed
from hyper.io.tables import read_table, write_table
from hyper.io.volumes import iterate_volumes, read_volume, write_image, write_series


def test_nothing_is_left_when_writing_fails(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("before")
    with pytest.raises(RuntimeError), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


@pytest.mark.parametrize("name", ["run.nii", "run.nii.gz"])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_series_round_trip(tmp_path, name, dtype):
    data = np.random.default_rng(0).normal(0, 300, (4, 5, 6, 11)).astype(np.float32)
    affine = np.array([[-2, 0.1, 0, 9], [0, 2, 0.2, -8], [0, 0.1, 3, 7], [0, 0, 0, 1.0]])
    write_series(tmp_path / name, (data[..., s : s + 4] for s in range(0, 11, 4)), data.shape, affine, 1.5, dtype)
    image = nib.load(tmp_path / name)
    assert np.allclose(image.affine, affine, atol=1e-5)
    assert image.header.get_zooms()[3] == 1.5
    read = np.concatenate(list(iterate_volumes(tmp_path / name, block=3)), axis=3)
    assert np.array_equal(read, image.get_fdata(dtype=np.float32))
    assert np.abs(read - data).max() <= (0.5 if dtype == np.int16 else 0)


def test_scaled_integers_are_scaled(tmp_path):
    image = nib.Nifti1Image(np.arange(48, dtype=np.int16).reshape(2, 2, 3, 4), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "scaled.nii.gz")
    read = np.concatenate(list(iterate_volumes(tmp_path / "scaled.nii.gz")), axis=3)
    assert np.array_equal(read, nib.load(tmp_path / "scaled.nii.gz").get_fdata(dtype=np.float32))


def test_same_data_same_bytes(tmp_path):
    data = np.ones((3, 3, 3, 4), np.float32)
    for name in ("a.nii.gz", "b.nii.gz"):
        write_series(tmp_path / name, [data], data.shape, np.eye(4), 2.0)
        write_image(tmp_path / f"3d-{name}", data[..., 0], np.eye(4))
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    assert (tmp_path / "3d-a.nii.gz").read_bytes() == (tmp_path / "3d-b.nii.gz").read_bytes()


def test_broken_files_are_named(tmp_path):
    data = np.random.default_rng(0).normal(size=(6, 6, 6, 20)).astype(np.float32)
    path = tmp_path / "run.nii"
    write_series(path, [data], data.shape, np.eye(4), 2.0)
    whole = path.read_bytes()
    path.write_bytes(whole[:-4000])
    with pytest.raises(DatasetError, match="it ends after 15 of 20 volumes"):
        list(iterate_volumes(path))
    packed = tmp_path / "run.nii.gz"
    packed.write_bytes(gzip.compress(whole)[:-500])
    with pytest.raises(DatasetError, match=r"run.nii.gz.*cannot be read"):
        list(iterate_volumes(packed))
    with pytest.raises(DatasetError, match="does not exist"):
        read_volume(tmp_path / "nothing.nii")


def test_arrays_round_trip(tmp_path):
    arrays = {
        "sub-01/values": (np.arange(6.0).reshape(2, 3), ("stimulus", "latent")),
        "names": (np.array(["a", "ü"]), ("stimulus",)),
    }
    write_arrays(tmp_path / "x.h5", arrays, {"seed": 3})
    for name, values in read_arrays(tmp_path / "x.h5", most=1)[0].items():
        assert np.array_equal(values, arrays[name][0][:1]), name
    read, attributes = read_arrays(tmp_path / "x.h5")
    assert read["names"].tolist() == ["a", "ü"]
    assert np.array_equal(read["sub-01/values"], arrays["sub-01/values"][0])
    assert attributes["seed"] == 3
    first, _ = read_arrays(tmp_path / "x.h5", most=1)
    assert first["names"].tolist() == ["a"]
    assert first["sub-01/values"].tolist() == [[0, 1, 2]]
    with pytest.raises(DataError, match="'missing' is missing"):
        read_arrays(tmp_path / "x.h5", ["missing"])
    (tmp_path / "y.h5").write_text("no")
    with pytest.raises(DataError, match="HDF5"):
        read_arrays(tmp_path / "y.h5")


def test_seeds_depend_on_every_name():
    seeds = {derive_seed(1, "sub-01", "run-1"), derive_seed(1, "sub-01", "run-2"), derive_seed(2, "sub-01", "run-1")}
    assert len(seeds) == 3
    assert derive_seed(1, "sub-01", "run-1") in seeds


def test_only_the_signs_of_a_missing_value_are_missing(tmp_path):
    path = tmp_path / "trials.tsv"
    write_table(path, pd.DataFrame({"split": ["train", "null", None], "duration": [1.5, np.nan, 2.0]}))
    assert path.read_text().splitlines()[3].startswith("n/a\t")
    table = read_table(path, dtype={"split": str})
    assert table["split"].tolist()[:2] == ["train", "null"]
    assert table["split"].isna().tolist() == [False, False, True]
    assert table["duration"].tolist()[0] == 1.5
    assert np.isnan(table["duration"][1])


def test_numbers_of_a_table_come_back_bit_by_bit(tmp_path):
    values = np.random.default_rng(0).standard_normal(2000) * 10.0 ** np.random.default_rng(1).integers(-200, 200, 2000)
    write_table(tmp_path / "numbers.tsv", pd.DataFrame({"value": values}))
    assert np.array_equal(read_table(tmp_path / "numbers.tsv")["value"].to_numpy(), values)
