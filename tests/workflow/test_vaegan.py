"""The rules of the VAE-GAN: trained on the study's generator or taken from a file, kept until its settings change."""

import numpy as np
import pandas as pd
import pytest
import yaml

from hyper.doctor.plan import Plan
from hyper.responses.matrices import Responses
from tests.workflow.conftest import Study

TINY = {
    "channels": [4, 6, 8], "latents": 6, "hidden": 8, "layer": 2, "images": 64, "repeats": 1, "pool": 32, "batch": 16,
    "device": "cpu",
}  # fmt: skip
TARGET = "results/given/evaluation/metrics.tsv"
METRICS = ["latent_cosine", "pixel_correlation", "identification_2way_pixels"]


def config(vaegan, **sections):
    return {
        "study": {"name": "given", "seed": 4},
        "dataset": {"responses": {"01": "sub-01_responses.h5"}},
        "decoding": {"decoders": {"ridge": {"kind": "ridge"}}},
        "baselines": {"trivial": ["trivial-zero"], "eigenface": None, "vaegan": vaegan},
        "evaluation": {"metrics": METRICS, "permutations": 100, "resamples": 100},
    } | sections


def write_study(folder, vaegan):
    """A folder with response matrices, and a study that decodes faces of `pggan-face` from them."""
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(24, 128)), rng.normal(size=(5, 128))
    mixing = rng.normal(size=(128, 40)) / 128**0.5
    seen = [(z @ mixing + rng.normal(size=(len(z), 40))).astype(np.float32) for z in (train, test)]
    Responses(
        train=seen[0], test=seen[1], train_stimuli=np.array([f"train-{i}" for i in range(24)]),
        test_stimuli=np.array([f"test-{i}" for i in range(5)]), train_series=np.repeat(["run-1", "run-2"], 12),
        train_latents=train, test_latents=test, test_repeats=np.full(5, 3), ijk=np.indices((40, 1, 1)).reshape(3, -1).T,
        affine=np.eye(4), mean=seen[0].mean(axis=0), std=seen[0].std(axis=0),
    ).save(folder / "sub-01_responses.h5")  # fmt: skip
    return change(folder, vaegan)


def change(folder, vaegan, **sections):
    """The study with other settings."""
    path = folder / "given.yaml"
    path.write_text(yaml.safe_dump(config(vaegan, **sections)))
    return Study(folder, path)


@pytest.mark.parametrize(("vaegan", "trainings"), [(TINY, 1), ({"checkpoint": "vaegan-face"}, 0)])
def test_what_is_planned(tmp_path, vaegan, trainings):
    planned = write_study(tmp_path, vaegan).planned("--", TARGET)
    assert planned.get("train_vaegan", 0) == trainings
    assert planned["decode_vaegan"] == 1
    assert planned["evaluate"] == 3  # ridge, vaegan and its model


def test_without_the_baseline_nothing_is_trained(tmp_path):
    planned = write_study(tmp_path, None).planned("--", TARGET)
    assert not {"train_vaegan", "decode_vaegan"} & set(planned)


def test_a_missing_checkpoint_is_named_before_the_first_rule(tmp_path, monkeypatch):
    write_study(tmp_path, None)
    monkeypatch.chdir(tmp_path)
    faults = Plan(config({"checkpoint": "gone.safetensors"}), []).faults()
    assert [(fault.where, fault.fault) for fault in faults] == [("gone.safetensors", "the file does not exist")]
    assert "baselines.vaegan.checkpoint" in faults[0].mend
    assert Plan(config(TINY), []).vaegan_checkpoint is None


@pytest.mark.slow
def test_rows_and_reuse(tmp_path):
    study = write_study(tmp_path, TINY)
    done = study.snakemake(TARGET)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    table = pd.read_csv(study.results / "evaluation/metrics.tsv", sep="\t")
    found = {name: sorted(rows["metric"]) for name, rows in table.groupby("decoder")}
    assert found["vaegan"] == found["vaegan-model"] == sorted(METRICS[1:])
    assert "latent_cosine" in found["ridge"]
    assert table.loc[table["decoder"].str.startswith("vaegan"), "value"].notna().all()
    for name in ("vaegan", "vaegan-model"):
        assert len(list((study.results / f"decoding/sub-01/{name}/images").glob("test-*.png"))) == 5
    assert (study.results / "baselines/vaegan/sheet.png").exists()
    assert study.planned("--", TARGET) == {}

    seldom = change(tmp_path, TINY, evaluation={"metrics": METRICS, "permutations": 90, "resamples": 100})
    assert not {"train_vaegan", "decode_vaegan"} & set(seldom.planned("--", TARGET))
    assert change(tmp_path, TINY | {"rate": 1e-3}).planned("--", TARGET)["train_vaegan"] == 1

    model = tmp_path / "model.safetensors"
    (study.results / "baselines/vaegan/vaegan.safetensors").rename(model)
    chosen = {"checkpoint": str(model)}
    other = change(tmp_path, chosen, generators={"generator": "pggan-face", "size": 32})
    assert "train_vaegan" not in other.planned("--", TARGET)
    done = other.snakemake(TARGET)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
