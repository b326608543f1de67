"""The study that starts from the authors' files, in their formats, small: pickled matrices, a Chainer decoder."""

import re

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from hyper.cli.main import main
from hyper.generators.checkpoints.chainer import read_linear_decoder
from hyper.generators.checkpoints.own import write_own
from hyper.generators.pggan import PGGAN
from tests.generators.checkpoint_cases import DATA
from tests.workflow.conftest import ROOT, Study, run_to_the_end

DECODERS = {
    "model0": {"kind": "dense", "scaling": "none", "epochs": 30},
    "model2": {"kind": "dense", "scaling": "none", "epochs": 30, "layer": "L2"},
    "layer1": {"kind": "dense", "scaling": "none", "epochs": 30, "layer": "L1", "latents": False},
    "authors": {"kind": "chainer", "files": {"01": "l0_small.model"}},
    "both": {"kind": "ridge", "subjects": "shared"},
}


def write_study(folder):
    """A folder with what a user has after the two conversions, and the study's file."""
    assert main(["convert", "released", str(DATA / "data_small_p4.dat"), str(folder / "sub-01_responses.h5")]) == 0
    (folder / "sub-02_responses.h5").write_bytes((folder / "sub-01_responses.h5").read_bytes())
    (folder / "l0_small.model").write_bytes((DATA / "l0_small.model").read_bytes())
    network, noise = PGGAN(48, (16, 12, 8)), torch.Generator().manual_seed(3)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=noise) / max(1, weight[0].numel()) ** 0.5
    write_own(folder / "generator.safetensors", network, DATA / "generator_small32_plain.params", "gluon")
    config = yaml.safe_load((ROOT / "config/released.yaml").read_text())
    config["dataset"]["responses"] = {name: f"sub-{name}_responses.h5" for name in ("01", "02")}
    config["generators"]["generator"] = "generator.safetensors"
    config["decoding"] = {"decoders": DECODERS, "interpolation": {"stimuli": 2, "steps": 4}}
    config["baselines"] = {"trivial": ["trivial-zero", "trivial-shuffled"]}
    config["evaluation"] = {"permutations": 100}
    path = folder / "released.yaml"
    path.write_text(yaml.safe_dump(config))
    return Study(folder, path)


def test_the_study_starts_at_decoding(tmp_path):
    planned = write_study(tmp_path).planned()
    assert planned["fit_decoder"] == 9  # the authors' decoder is of the first subject alone
    assert planned["reconstruct"] == 9
    assert planned["reconstruct_trivially"] == 2
    assert planned["fit_shared_space"] == 1
    assert not {"read_trials", "realign", "fit_glm", "select_voxels", "assemble_responses", "plot_voxels"} & set(
        planned
    )


def test_missing_files_are_named_before_the_first_rule(tmp_path, monkeypatch, capsys):
    study = write_study(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--configfile", str(study.config)]) == 0
    assert "released: 2 subjects, response matrices at hand" in capsys.readouterr().out
    (tmp_path / "sub-02_responses.h5").unlink()
    (tmp_path / "l0_small.model").unlink()
    output = study.snakemake("-n")
    text = output.stdout + output.stderr
    assert output.returncode != 0
    assert re.search(r"sub-02_responses\.h5: the file does not exist", text)
    assert re.search(r"l0_small\.model: the file does not exist.*decoding\.decoders\.authors\.files", text)


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    return run_to_the_end(write_study(tmp_path_factory.mktemp("released")))


@pytest.mark.slow
def test_the_whole_study_runs(released):
    metrics = pd.read_csv(released.results / "evaluation/metrics.tsv", sep="\t", dtype={"subject": str})
    assert metrics.groupby("subject")["decoder"].nunique().to_dict() == {"01": 9, "02": 8}
    page = (released.results / "report/index.html").read_text()
    assert "were matrices of responses" in page
    assert 'id="training"' in page
    assert 'id="interpolations"' in page
    assert 'id="preprocessing"' not in page
    assert (released.results / "provenance.json").exists()
    assert released.planned() == {}


@pytest.mark.slow
def test_shapes_and_numbers(released):
    latents = released.results / "decoding/sub-01/authors/latents.h5"
    weight, bias = read_linear_decoder(DATA / "l0_small.model")
    with h5py.File(released.folder / "sub-01_responses.h5") as file, h5py.File(latents) as decoded:
        due = file["test"][:].astype(np.float64) @ weight.T.astype(np.float64) + bias
        assert np.allclose(decoded["decoded"][:], due, atol=1e-12)
        assert np.array_equal(decoded["true"][:], file["test_latents"][:])
        assert set(decoded["repeats"][:]) == {14}
    folder = released.results / "decoding/sub-02/model0"
    with h5py.File(folder / "images.h5") as images, h5py.File(folder / "interpolations.h5") as way:
        assert images["stimulus"].shape == images["reconstruction"].shape == (12, 16, 16, 3)
        assert way["images"].shape == (2, 4, 16, 16, 3)
        assert np.array_equal(way["images"][:, 0], images["reconstruction"][:2])
        assert np.array_equal(way["images"][:, -1], images["stimulus"][:2])
    curve = pd.read_csv(folder / "training.tsv", sep="\t")
    assert curve.columns.tolist() == ["epoch", "train_loss", "test_loss_unused"]
    assert len(curve) == 30
    assert not list(folder.glob(".training*"))
