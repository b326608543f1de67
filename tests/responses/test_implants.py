"""Recordings of implanted electrodes in the published formats."""

import pickle

import h5py
import numpy as np
import pytest

from hyper.errors import DataError
from hyper.responses.implants import ChannelLayout, implant_responses, read_latents_of
from hyper.responses.matrices import Responses
from hyper.responses.timeseries import average_windows, convert_timeseries, read_facts, windows_of

SMALL = ChannelLayout({"V1": 5, "V4": 2, "IT": 3}, array=2, broken=(4, 6))
TRAIN, TEST, LATENT = 9, 4, 6


def draw(columns=12, seed=0):
    rng = np.random.default_rng(seed)
    responses = [rng.normal(size=(n, columns)).astype(np.float32) for n in (TRAIN, TEST)]
    return responses, [rng.normal(size=(n, LATENT)) for n in (TRAIN, TEST)]


def write(path, train, test, matlab=False, names=("train_MUA", "test_MUA")):
    with h5py.File(path, "w", userblock_size=512 if matlab else 0) as file:
        for name, values in zip(names, (train, test), strict=True):
            dataset = file.create_dataset(name, data=values.T if matlab else values)
            if matlab:
                dataset.attrs["MATLAB_class"] = np.bytes_("single")
    return path


def test_the_published_layout():
    layout = ChannelLayout()
    assert layout.channels == 960
    assert layout.wired == 1024
    regions, counts = np.unique(layout.region, return_counts=True)
    assert dict(zip(regions, counts, strict=True)) == {"V1": 448, "V4": 256, "IT": 256}
    assert list(dict.fromkeys(layout.region)) == ["V1", "V4", "IT"]
    assert sorted(set(layout.arrays)) == [1, 2, 3, 4, 5, *range(7, 17)]
    assert set(layout.columns(1024)) == set(range(1024)) - set(range(320, 384))
    assert np.array_equal(layout.columns(960), np.arange(960))


@pytest.mark.parametrize("matlab", [False, True])
@pytest.mark.parametrize("broken", [False, True])
def test_matrices_in_either_order_with_and_without_the_broken_array(tmp_path, matlab, broken):
    (train, test), latents = draw()
    kept = np.delete(np.arange(12), [4, 5])
    stored = (train, test) if broken else (train[:, kept], test[:, kept])
    path = write(tmp_path / "mua.mat", *stored, matlab)
    responses = implant_responses(path, *latents, SMALL, repeats=7)
    assert np.array_equal(responses.train, train[:, kept])
    assert np.array_equal(responses.test, test[:, kept])
    assert responses.region.tolist() == ["V1"] * 5 + ["V4"] * 2 + ["IT"] * 3
    assert responses.array.tolist() == [1, 1, 2, 2, 4, 4, 5, 5, 6, 6]
    assert set(responses.test_repeats) == {7}
    responses.save(tmp_path / "responses.h5")
    again = Responses.load(tmp_path / "responses.h5")
    assert again.region.tolist() == responses.region.tolist()
    assert again.array.tolist() == responses.array.tolist()
    own = again.within("V4")
    assert np.array_equal(own.train, train[:, kept[5:7]])
    assert np.array_equal(own.mean, responses.mean[5:7])
    assert own.ijk.shape == (2, 3)
    assert np.array_equal(own.train_latents, responses.train_latents)
    with pytest.raises(DataError, match="no channel is of the region 'TE'"):
        again.within("TE")


def test_where_counts_do_not_tell_the_order_the_writer_does(tmp_path):
    rng = np.random.default_rng(1)
    square, latents = rng.normal(size=(10, 10)).astype(np.float32), rng.normal(size=(10, 3))
    for matlab in (False, True):
        path = write(tmp_path / f"{matlab}.mat", square, square, matlab)
        assert np.array_equal(implant_responses(path, latents, latents, SMALL).train, square)


def test_excluded_channels(tmp_path):
    (train, test), latents = draw(10)
    train[2, 3] = np.nan
    path = write(tmp_path / "mua.h5", train, test)
    with pytest.raises(DataError, match=r"1 channels of train_MUA hold values that are not finite: 3.*exclude"):
        implant_responses(path, *latents, SMALL)
    layout = ChannelLayout(SMALL.regions, 2, (4, 6), exclude=[3])
    responses = implant_responses(path, *latents, layout)
    assert np.array_equal(responses.train, np.delete(train, 3, axis=1))
    assert responses.region.tolist() == ["V1"] * 4 + ["V4"] * 2 + ["IT"] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tr, te: (tr[:8], te), r"train_MUA is 8 x 10 where 9 trials \(as many as latents\) x 10 or 12 channels"),
        (lambda tr, te: (tr[:, :9], te), r"train_MUA is 9 x 9 where 9 trials .* x 10 or 12 channels"),
        (lambda tr, te: (tr, te[:0]), r"test_MUA is 0 x 10 where 4 trials"),
        (lambda tr, te: (tr[0], te), r"train_MUA is 10 where 9 trials"),
        (lambda tr, te: (tr, te.astype("S4")), "test_MUA holds .*, not numbers"),
    ],
)
def test_other_shapes_are_refused(tmp_path, change, message):
    (train, test), latents = draw(10)
    path = write(tmp_path / "mua.h5", *change(train, test))
    with pytest.raises(DataError, match=rf"mua\.h5: {message}"):
        implant_responses(path, *latents, SMALL)


def test_missing_datasets_and_files_are_named(tmp_path):
    (train, test), latents = draw(10)
    path = write(tmp_path / "mua.h5", train, test, names=("train", "test_MUA"))
    with pytest.raises(DataError, match="'train_MUA' is missing; the file holds test_MUA, train.*implants.names"):
        implant_responses(path, *latents, SMALL)
    assert len(implant_responses(path, *latents, SMALL, ("train", "test_MUA")).train) == TRAIN
    with pytest.raises(DataError, match="does not exist"):
        implant_responses(tmp_path / "none.mat", *latents, SMALL)
    old = tmp_path / "old.mat"
    old.write_bytes(b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(600))
    with pytest.raises(DataError, match=r"before 7\.3.*-v7\.3"):
        implant_responses(old, *latents, SMALL)
    old.write_bytes(b"nothing")
    with pytest.raises(DataError, match="cannot be read as HDF5"):
        implant_responses(old, *latents, SMALL)


@pytest.mark.parametrize("layers", [0, 1, 16])
def test_latents_as_a_pickle_and_as_arrays(tmp_path, layers):
    latents = draw()[1]
    stored = [np.repeat(values[:, None], layers, axis=1) if layers else values for values in latents]
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(dict(zip(("train", "test"), stored, strict=True))))
    for name, values in zip(("train", "test"), stored, strict=True):
        np.save(tmp_path / f"{name}.npy", values)
    for read in (
        read_latents_of(tmp_path / "w.pkl"),
        read_latents_of(tmp_path / "train.npy", tmp_path / "test.npy"),
    ):
        for due, found in zip(latents, read, strict=True):
            assert np.array_equal(found, due)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"train": np.ones((3, 2))}, "it has no array 'test'; it holds train"),
        ([1, 2], "it holds no mapping"),
        ({"train": np.ones((3, 2)), "test": np.ones((2, 3))}, "training latents have 2 numbers and test latents 3"),
        ({"train": np.ones(3), "test": np.ones((2, 2))}, r"the train latents have the shape \(3,\)"),
        ({"train": np.ones((3, 2)), "test": np.ones((0, 2))}, "there are no test latents"),
        ({"train": np.full((3, 2), np.nan), "test": np.ones((2, 2))}, "6 train latents are not finite"),
        (
            {"train": np.arange(12.0).reshape(3, 2, 2), "test": np.ones((2, 2))},
            "the train latents differ between the 2 layers",
        ),
        ({"train": print, "test": 1}, "it asks for .*print"),
    ],
)
def test_other_latents_are_refused(tmp_path, content, message):
    path = tmp_path / "w.pkl"
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(DataError, match=rf"w\.pkl: {message}"):
        read_latents_of(path)


def test_latents_that_are_no_file_or_lack_a_half(tmp_path):
    np.save(tmp_path / "train.npy", np.ones((3, 2)))
    with pytest.raises(DataError, match="test stimuli are missing"):
        read_latents_of(tmp_path / "train.npy")
    with pytest.raises(DataError, match="does not exist"):
        read_latents_of(tmp_path / "train.npy", tmp_path / "none.npy")
    np.save(tmp_path / "objects.npy", np.array({"train": 1}, dtype=object), allow_pickle=True)
    with pytest.raises(DataError, match=r"objects\.npy: it cannot be read"):
        read_latents_of(tmp_path / "train.npy", tmp_path / "objects.npy")


def draw_timeseries(length=30, seed=2):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, 12, length)).astype(np.float32) for n in (TRAIN, TEST)], draw()[1]


@pytest.mark.parametrize("matlab", [False, True])
def test_responses_over_time_in_either_order(tmp_path, matlab):
    (train, test), latents = draw_timeseries()
    path = write(tmp_path / "time.mat", train, test, matlab)
    out = tmp_path / "timeseries.h5"
    assert convert_timeseries(path, out, *latents, SMALL, onset=100, sampling=10) == (TRAIN, 10, 30)
    kept = np.delete(np.arange(12), [4, 5])
    with h5py.File(out) as file:
        assert np.array_equal(file["train"][()], train[:, kept])
        assert np.array_equal(file["test"][()], test[:, kept])
        assert [dimension.label for dimension in file["test"].dims] == ["test_trial", "channel", "time"]
    facts = read_facts(out)
    assert facts["time_ms"].tolist() == list(range(-100, 200, 10))
    assert facts["region"].tolist() == SMALL.region.tolist()
    assert np.array_equal(facts["test_latents"], latents[1])
    windows = windows_of(facts["time_ms"], 100, 50)
    means = average_windows(out, "train", windows)
    assert means.shape == (5, TRAIN, 10)
    for number, start in enumerate(range(0, 25, 5)):
        assert np.allclose(means[number], train[:, kept, start : start + 10].mean(axis=2), atol=1e-6)


def test_a_files_own_times_go_before_the_settings(tmp_path):
    (train, test), latents = draw_timeseries()
    path = write(tmp_path / "time.h5", train, test)
    with h5py.File(path, "a") as file:
        file["time_ms"] = np.arange(30) * 4.0 - 20
    convert_timeseries(path, tmp_path / "out.h5", *latents, SMALL)
    assert read_facts(tmp_path / "out.h5")["time_ms"][[0, -1]].tolist() == [-20, 96]


def test_faults_of_responses_over_time(tmp_path):
    (train, test), latents = draw_timeseries()
    out = tmp_path / "out.h5"
    with pytest.raises(DataError, match="training trials have 30 samples and test trials 29"):
        convert_timeseries(write(tmp_path / "a.h5", train, test[:, :, :29]), out, *latents, SMALL)
    with pytest.raises(DataError, match=r"train_MUA is 9 x 12 where 9 trials .* x time are due"):
        convert_timeseries(write(tmp_path / "b.h5", train[:, :, 0], test), out, *latents, SMALL)
    test[1, 0, 3] = np.inf
    with pytest.raises(DataError, match="1 channels of test_MUA hold values that are not finite: 0"):
        convert_timeseries(write(tmp_path / "c.h5", train, test), out, *latents, SMALL)
    assert not out.exists()


def test_windows_are_as_many_as_published():
    # count by hand: every start at which a window of 100 ms still ends within the 300 ms
    starts = [start for start in range(0, 301, 25) if start + 100 <= 300]
    for sampling in (1.0, 5.0, 25.0):
        windows = windows_of(np.arange(300 / sampling) * sampling - 100, 100, 25)
        assert len(windows) == len(starts) == 9
        assert np.allclose(windows.starts, np.array(starts) - 100)
        assert windows.centres.tolist() == [start - 50 for start in starts]
        assert windows.before_onset.tolist() == [True] + [False] * 8
    rng = np.random.default_rng(0)
    for _ in range(50):
        length, width, stride = (int(value) for value in rng.integers([50, 5, 1], [400, 50, 60]))
        counted = sum(1 for start in range(0, length, stride) if start + width <= length)
        assert len(windows_of(np.arange(length) - 7.0, width, stride)) == counted


def test_windows_that_cannot_be():
    time = np.arange(30) * 10.0
    with pytest.raises(DataError, match="longer than a trial of 300 ms"):
        windows_of(time, 301, 25)
    with pytest.raises(DataError, match="without a sample"):
        windows_of(time, 5, 25)
    with pytest.raises(DataError, match="not evenly spaced"):
        windows_of(np.array([0.0, 1.0, 3.0]), 1, 1)
