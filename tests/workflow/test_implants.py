"""The study of implanted electrodes, in the published formats: simulated and small, and from files at hand."""

import re

import h5py
import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from hyper.cli.main import main
from tests.workflow.conftest import ROOT, Study, run_to_the_end


def write_study(folder, **changes):
    config = yaml.safe_load((ROOT / "tests/workflow/implants.yaml").read_text())
    for name, section in changes.items():
        config[name] = section
    path = folder / "implants.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    return Study(folder, path)


def test_the_study_reads_simulates_and_decodes_by_region(tmp_path):
    planned = write_study(tmp_path).planned()
    assert planned["simulate_implants"] == planned["read_implants"] == planned["read_timeseries"] == 1
    assert planned["fit_decoder"] == 4  # all channels, and three regions
    assert planned["reconstruct"] == planned["evaluate"] == 4
    assert planned["reconstruct_trivially"] == planned["evaluate_trivially"] == 1
    assert planned["decode_over_time"] == planned["reconstruct_over_time"] == planned["plot_over_time"] == 1
    assert not {"read_trials", "realign", "fit_glm", "audit_responses", "simulate_run"} & set(planned)


def test_the_users_files_are_looked_for_before_the_first_rule(tmp_path, monkeypatch, capsys):
    files = {"responses": "mua.mat", "latents": "w.pkl"}
    study = write_study(
        tmp_path, study={"name": "own"}, simulation={}, dataset={"implants": {"subjects": {"M1": files}}}
    )
    for name in files.values():
        (tmp_path / name).touch()
    planned = study.planned()
    assert planned["read_implants"] == 1
    assert not {"read_timeseries", "decode_over_time", "simulate_implants"} & set(planned)
    monkeypatch.chdir(tmp_path)
    assert main(["doctor", "--configfile", str(study.config)]) == 0
    assert "own: 1 subjects, recordings of implanted electrodes" in capsys.readouterr().out
    (tmp_path / "w.pkl").unlink()
    output = study.snakemake("-n")
    text = output.stdout + output.stderr
    assert output.returncode != 0
    assert re.search(r"w\.pkl: the file does not exist.*latents in dataset\.implants\.subjects", text)


@pytest.fixture(scope="session")
def implants(tmp_path_factory):
    return run_to_the_end(write_study(tmp_path_factory.mktemp("implants")))


@pytest.mark.slow
def test_regions_are_scored_beside_all_channels(implants):
    metrics = pd.read_csv(implants.results / "evaluation/metrics.tsv", sep="\t", dtype={"subject": str})
    assert list(dict.fromkeys(metrics["region"])) == ["all", "V1", "V4", "IT"]
    assert set(metrics["decoder"]) == {"ridge", "trivial-mean"}
    cosine = metrics[metrics["metric"] == "latent_cosine"].set_index(["decoder", "region"])["value"]
    assert 0.35 < cosine["trivial-mean", "all"] < 0.55  # the mean of latents is half a standard deviation: 0.447
    assert cosine["ridge", "IT"] > cosine["trivial-mean", "all"] + 0.05
    with h5py.File(implants.results / "responses/sub-01/sub-01_responses.h5") as file:
        assert file["region"].asstr()[()].tolist() == ["V1"] * 64 + ["V4"] * 32 + ["IT"] * 32


@pytest.mark.slow
def test_nothing_is_decoded_before_the_onset_and_curves_rise_after_it(implants):
    folder = implants.results / "over_time/sub-01"
    curves = pd.read_csv(folder / "sub-01_curves.tsv", sep="\t")
    assert curves["window"].nunique() == 9
    assert list(dict.fromkeys(curves["region"])) == ["all", "V1", "V4", "IT"]
    main = curves[curves["metric"] == "latent_pearson_dimension"]
    before, late = main[main["before_onset"] == 1], main[main["start_ms"] >= 75]
    assert (before["p_corrected"] > 0.05).all()
    for region, part in late.groupby("region"):
        assert part["value"].min() > before.set_index("region").loc[region, "value"] + 0.05
    latencies = pd.read_csv(folder / "sub-01_latencies.tsv", sep="\t")
    found = latencies[latencies["metric"] == "latent_pearson_dimension"].set_index("region")
    assert (found["latency_ms"] - found["planted_ms"]).drop("all").abs().max() < 40
    with Image.open(folder / "sub-01_reconstructions.gif") as animation:
        assert animation.n_frames == 9
    with h5py.File(folder / "sub-01_latents.h5") as file:
        matrix = file["generalisation/IT"][()]
    assert matrix.shape == (9, 9)
    assert np.abs(matrix[:, 0]).max() < 0.25  # no decoder finds anything in the window before the onset


@pytest.mark.slow
def test_the_page_tells_it(implants):
    page = (implants.results / "report/index.html").read_text()
    for name in ("regional", "over_time", "scores", "faces"):
        assert f'id="{name}"' in page
    assert "1 animal" in page
    assert "Nothing is decodable before the onset" in page
    assert "data:image/gif;base64" in page
    assert (implants.results / "provenance.json").exists()
    assert implants.planned() == {}
