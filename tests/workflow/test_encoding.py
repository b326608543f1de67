"""Encoding models through the real workflow, on responses at hand that one of two features makes."""

import numpy as np
import pytest
import yaml

from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.tables import read_table
from hyper.responses.matrices import Responses
from tests.workflow.conftest import Study

TRAIN, TEST, CHANNELS = 150, 20, 70
FIGURES = ("encoding.png", "encoding.svg", "encodingmap.png", "encodingmap.svg")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Forty channels of region A carry the latents, thirty of region B nothing."""
    folder = tmp_path_factory.mktemp("encoding")
    rng = np.random.default_rng(0)
    latents = rng.standard_normal((TRAIN + TEST, 128))
    signal = latents[:, :20] @ rng.standard_normal((20, 40)) / np.sqrt(20)
    values = np.concatenate([signal, np.zeros((len(latents), 30))], axis=1)
    values = (values + 0.3 * rng.standard_normal(values.shape)).astype(np.float32)
    train, test = values[:TRAIN], values[TRAIN:]
    responses = Responses(
        train=train, test=test, train_stimuli=np.array([f"{n:04d}" for n in range(TRAIN)]),
        test_stimuli=np.array([f"{TRAIN + n:04d}" for n in range(TEST)]), train_series=np.full(TRAIN, "given"),
        train_latents=latents[:TRAIN], test_latents=latents[TRAIN:], test_repeats=np.full(TEST, 10),
        ijk=np.full((CHANNELS, 3), -1), affine=np.full((4, 4), np.nan), mean=train.mean(axis=0), std=train.std(axis=0),
    )  # fmt: skip
    file = folder / "responses.h5"
    responses.save(file)
    arrays, attributes = read_arrays(file)
    dimensions = {name: tuple(f"d{axis}" for axis in range(values.ndim)) for name, values in arrays.items()}
    arrays["region"], dimensions["region"] = np.array(["A"] * 40 + ["B"] * 30), ("voxel",)
    write_arrays(file, {name: (values, dimensions[name]) for name, values in arrays.items()}, attributes)
    config = folder / "encoded.yaml"
    config.write_text(
        yaml.safe_dump(
            {
                "study": {"name": "encoded"},
                "dataset": {"responses": {"01": str(file)}},
                "decoding": {"decoders": {"ridge": {"kind": "ridge"}}},
                "encoding": {"features": ["pixels", "z"], "joint": ["pixels", "z"], "candidates": 2},
            }
        )
    )
    return Study(folder, config)


def test_rules_are_on_only_when_features_are_set(study):
    planned = study.planned()
    assert {planned[rule] for rule in ("fit_encoding", "partition_variance", "plot_encoding_map")} == {1}
    assert {planned[rule] for rule in ("compute_features", "compute_kernel")} == {2}
    assert "map_encoding" not in planned
    without = study.planned("--config", "encoding={features: [], joint: []}")
    assert not any("encoding" in rule or rule in ("compute_features", "partition_variance") for rule in without)


def test_a_feature_without_its_weights_is_refused(study):
    done = study.snakemake("-n", "--config", "encoding={features: [clip, vgg16-faces-9], joint: []}")
    assert done.returncode
    assert "encoding.weights.clip: clip needs a file of weights" in done.stderr + done.stdout
    assert "there is no feature 'vgg16-faces-9'" in done.stderr + done.stdout


@pytest.mark.slow
def test_the_feature_that_made_the_responses_is_found(study):
    found = study.results / "encoding/sub-01"
    figures = [f"results/encoded/report/figures/sub-01_{name}" for name in FIGURES]
    targets = [f"results/encoded/encoding/sub-01/sub-01_{name}.tsv" for name in ("shares", "partition")]
    done = study.snakemake(*targets, *figures)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    channels = read_table(found / "sub-01_channels.tsv")
    assert list(channels["region"]) == ["A"] * 40 + ["B"] * 30
    carrying = channels[channels["region"] == "A"]
    assert (carrying["feature"] == "z").mean() > 0.9
    assert carrying["significant"].mean() > 0.9
    assert channels["significant"][40:].mean() < 0.2
    penalties = read_table(found / "sub-01_penalties.tsv")
    assert list(penalties.groupby(["feature", "region"])["chosen"].sum()) == [1] * 4
    table = read_table(found / "sub-01_partition.tsv").set_index("region")
    assert table.loc["A", "unique_z"] > 0.3
    scores = read_arrays(found / "sub-01_scores.h5")[0]
    assert scores["predicted"].shape == (2, TEST, CHANNELS)
    assert not (study.results / "decoding").exists()
    assert study.planned("--nolock", *targets, *figures) == {}
