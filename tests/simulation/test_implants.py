"""Simulated electrodes: what is planted comes back through the published formats."""

import h5py
import numpy as np
import pytest

from hyper.decoding.over_time import decode_windows, region_masks
from hyper.decoding.registry import make_decoder
from hyper.evaluation.over_time import add_planted, find_latencies, score_windows
from hyper.generators.load import load_generator
from hyper.io.arrays import read_arrays
from hyper.responses.implants import ChannelLayout, implant_responses, read_latents_of
from hyper.responses.timeseries import average_windows, convert_timeseries, read_facts, windows_of
from hyper.simulation.implants import (
    Planted,
    Trial,
    courses,
    draw_styles,
    latencies,
    middle_layer,
    plant,
    planted_features,
    write_latents,
    write_recording,
    write_timeseries,
    write_truth,
)

LAYOUT = ChannelLayout({"V1": 64, "V4": 32, "IT": 32}, array=16, broken=(32, 48))
TRIAL = Trial(sampling=10.0, noise=1.0, sample_noise=2.0)
PLANTED = {"V1": Planted("energy", 30.0), "V4": Planted("L3", 60.0), "IT": Planted("latent", 100.0)}
SEED = 3


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("implants")
    generator = load_generator("pggan-face")
    assert middle_layer(generator) == "L3"
    latents = tuple(
        draw_styles(count, generator.latent_dim, 0.5, SEED, split) for count, split in ((300, "train"), (40, "test"))
    )
    drives = plant(generator, latents, PLANTED, LAYOUT, 24, SEED)
    course = courses(LAYOUT, PLANTED, TRIAL, SEED)
    write_latents(folder / "w.pkl", *latents)
    write_recording(folder / "mua.mat", drives, LAYOUT, TRIAL, SEED)
    write_timeseries(folder / "time.mat", drives, course, LAYOUT, TRIAL, SEED)
    write_truth(folder / "truth.h5", LAYOUT, PLANTED, course, TRIAL, SEED)
    return folder


def test_the_files_are_in_the_published_formats(recording):
    with open(recording / "mua.mat", "rb") as file:
        assert file.read(19) == b"MATLAB 7.3 MAT-file"
    with h5py.File(recording / "mua.mat") as file:
        assert file["train_MUA"].shape == (144, 300)  # MATLAB's 300 x 144, the broken array among them
        assert file["train_MUA"].attrs["MATLAB_class"] == b"single"
    train, test = read_latents_of(recording / "w.pkl")
    responses = implant_responses(recording / "mua.mat", train, test, LAYOUT)
    assert responses.train.shape == (300, 128)
    assert np.allclose(responses.mean, 0, atol=1e-5)
    assert np.allclose(responses.std, 1, atol=1e-5)
    assert np.abs(train.mean(axis=0)).mean() > 0.3  # as styles, latents do not have zero mean


def test_each_region_carries_its_feature(recording):
    """The planted feature predicts held-out trials better than the others do, in nearly all channels."""
    latents = read_latents_of(recording / "w.pkl")
    responses = implant_responses(recording / "mua.mat", *latents, LAYOUT)
    generator = load_generator("pggan-face")
    features = {name: plant(generator, latents, one(name), LAYOUT, 24, 99) for name in ("energy", "L3", "latent")}
    scores = []
    for train, test in features.values():
        weights = np.linalg.lstsq(train, responses.train, rcond=None)[0]
        predicted = test @ weights
        scores.append([np.corrcoef(a, b)[0, 1] for a, b in zip(predicted.T, responses.test.T, strict=True)])
    best = np.array(list(features))[np.argmax(scores, axis=0)]
    truth, _ = read_arrays(recording / "truth.h5", ["feature", "region"])
    assert truth["region"].tolist() == responses.region.tolist()
    assert (best == truth["feature"]).mean() > 0.9


def test_what_is_planted_has_the_name_that_encoding_models_use(recording):
    names = planted_features(recording / "truth.h5")
    assert names.tolist() == ["gabor"] * 64 + ["generator-L3"] * 32 + ["z"] * 32
    assert planted_features(recording / "truth.h5", [0, 127]).tolist() == names[1:127].tolist()


def one(feature):
    return {name: Planted(feature, 50.0) for name in LAYOUT.regions}


def test_nothing_before_the_onset_and_the_planted_order_after_it(recording, tmp_path):
    latents = read_latents_of(recording / "w.pkl")
    path = tmp_path / "timeseries.h5"
    convert_timeseries(recording / "time.mat", path, *latents, LAYOUT, onset=100, sampling=10)
    facts = read_facts(path)
    windows = windows_of(facts["time_ms"], 100, 25)
    assert len(windows) == 9
    train, test = (average_windows(path, split, windows) for split in ("train", "test"))
    decoded = {}
    for name, mask in region_masks(facts["region"]).items():
        every = decode_windows(
            lambda number: make_decoder("ridge", seed=0, selection="gcv"), train[:, :, mask], latents[0],
            test[:, :, mask], 10,
        )  # fmt: skip
        decoded[name] = np.stack([row[number] for number, row in enumerate(every)])
    assert list(decoded) == ["all", "V1", "V4", "IT"]
    curves = score_windows(latents[1], decoded, windows.starts, windows.ends, 999, 200, SEED)
    before = curves[curves["before_onset"] == 1]
    assert len(before) == 4 * 3
    assert (before["p_corrected"] > 0.05).all()
    after = curves[(curves["metric"] == "latent_pearson_dimension") & (curves["start_ms"] >= 75)]
    floor = before[before["metric"] == "latent_pearson_dimension"].set_index("region")["value"]
    assert (after["p"] < 0.01).all()
    assert (after["value"].to_numpy() > after["region"].map(floor).to_numpy() + 0.05).all()
    found = add_planted(
        find_latencies(latents[1], decoded, curves, 0.5, 200, SEED), facts["region"], latencies(LAYOUT, PLANTED, SEED)
    )
    found = found[found["metric"] == "latent_pearson_dimension"].set_index("region")
    assert found.loc["V1", "latency_ms"] < found.loc["V4", "latency_ms"] < found.loc["IT", "latency_ms"]
    assert (found["latency_ms"] - found["planted_ms"]).drop("all").abs().max() < 30
    assert found.loc["IT", "later_ci_low"] > 0


def test_responses_stay_at_zero_until_their_latency():
    course = courses(LAYOUT, PLANTED, TRIAL, SEED)
    late = latencies(LAYOUT, PLANTED, SEED)
    assert course.shape == (128, 30)
    for channel in range(128):
        quiet = TRIAL.time_ms <= late[channel]
        assert not course[channel, quiet].any()
        assert (course[channel, ~quiet] > 0).all()
    means = [late[LAYOUT.region == name].mean() for name in PLANTED]
    assert np.allclose(means, [30, 60, 100], atol=3)
