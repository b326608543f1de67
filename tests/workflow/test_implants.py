"""The study of implanted electrodes, in the published formats: simulated and small, and from files at hand."""

import re

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from hyper.cli.main import main
from hyper.generators.load import load_generator
from hyper.responses.implants import ChannelLayout
from hyper.simulation.implants import (
    Planted,
    Trial,
    courses,
    plant,
    write_latents,
    write_recording,
    write_timeseries,
)
from tests.generators.stylegan_cases import stored
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


def test_the_demo_plans_encoding_models_of_images_that_the_generator_makes(tmp_path):
    planned = Study(tmp_path, ROOT / "config/brain2gan-demo.yaml").planned()
    assert planned["compute_features"] == planned["compute_kernel"] == 5
    assert planned["fit_encoding"] == planned["partition_variance"] == planned["plot_encoding_map"] == 1
    assert "map_encoding" not in planned


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
def test_encoding_models_find_what_is_planted(implants):
    channels = pd.read_csv(implants.results / "encoding/sub-01/sub-01_channels.tsv", sep="\t")
    assert set(channels["planted"]) == {"gabor", "generator-L3", "z"}
    clear = channels[channels["significant"] == 1]
    assert len(clear) > 64
    # chance is a third; 16 test pictures do not tell much more
    assert (clear["feature"] == clear["planted"]).mean() > 0.7


@pytest.mark.slow
def test_the_page_tells_it(implants):
    page = (implants.results / "report/index.html").read_text()
    for name in ("regional", "over_time", "scores", "faces"):
        assert f'id="{name}"' in page
    assert "1 animal" in page
    assert "Nothing is decodable before the onset" in page
    assert "What was planted is known: it is the best feature of" in page
    assert "data:image/gif;base64" in page
    assert (implants.results / "provenance.json").exists()
    assert implants.planned() == {}


# what makes the published study small enough for a test; the network of 32 x 32 pixels has layers of its own
SMALL = {
    "dataset": {"implants": {"sampling": 20.0, "repeats": 10}},
    "generators": {"size": None},
    "decoding": {"candidates": [], "interpolation": {"stimuli": 2, "steps": 4}},
    "encoding": {"features": ["gabor", "generator-L3", "w"], "joint": ["gabor", "w"], "candidates": 2},
    "evaluation": {"features": None, "permutations": 1000, "resamples": 200, "attributes": {"sefa": 0}},
}


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """config/brain2gan.yaml on simulated files in the published formats, with a StyleGAN3 of random weights."""
    folder = tmp_path_factory.mktemp("published")
    network = folder / "stylegan3.safetensors"
    assert main(["convert", "generator", str(stored("stylegan3_r")), str(network)]) == 0
    mapped, maker = load_generator(str(network)), load_generator(str(network), latent="w")
    draws = (np.random.RandomState(seed).randn(count, mapped.latent_dim) for seed, count in ((6, 240), (7, 20)))
    styles = tuple(mapped.styles(torch.from_numpy(z).float()).numpy() for z in draws)
    planted = {"V1": Planted("energy", 40.0), "V4": Planted("L3", 60.0), "IT": Planted("latent", 90.0)}
    layout, trial = ChannelLayout(), Trial(sampling=20.0, noise=1.0, sample_noise=2.0)
    drives = plant(maker, styles, planted, layout, 16, 5)
    write_latents(folder / "w.pkl", *(np.repeat(w[:, None], mapped.style_count, axis=1) for w in styles))
    write_recording(folder / "mua.mat", drives, layout, trial, 5)
    write_timeseries(folder / "time.mat", drives, courses(layout, planted, trial, 5), layout, trial, 5)
    files = [str(folder / name) for name in ("mua.mat", "w.pkl", "held.yaml")]
    options = ["--timeseries", str(folder / "time.mat"), "--generator", str(network), "--name", "published"]
    assert main(["convert", "brain2gan", *files, *options]) == 0
    config = folder / "small.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "published"}, **SMALL}))
    return run_to_the_end(Study(folder, config, (ROOT / "config/brain2gan.yaml", folder / "held.yaml")))


@pytest.mark.slow
def test_the_published_study_runs_on_files_in_its_formats(published):
    table = pd.read_csv(published.results / "evaluation/metrics.tsv", sep="\t", dtype={"subject": str})
    assert set(table["decoder"]) == {
        "published", "ridge", "noise-aware", "trivial-mean", "trivial-nearest", "trivial-shuffled"
    }  # fmt: skip
    pearson = table[table["metric"] == "latent_pearson_dimension"].set_index(["decoder", "region"])["value"]
    for region in ("all", "IT"):
        assert pearson["published", region] > 0.5
    channels = pd.read_csv(published.results / "encoding/sub-01/sub-01_channels.tsv", sep="\t")
    assert len(channels) == 960
    assert sorted(set(channels["array"])) == [1, 2, 3, 4, 5, *range(7, 17)]
    clear = channels[channels["significant"] == 1]
    planted = clear["region"].map({"V1": "gabor", "V4": "generator-L3", "IT": "w"})
    assert len(clear) > 800
    assert (clear["feature"] == planted).mean() >= 0.9
    partition = pd.read_csv(published.results / "encoding/sub-01/sub-01_partition.tsv", sep="\t").set_index("region")
    assert partition.loc["V1", "unique_gabor"] > 0.2
    assert partition.loc["IT", "unique_w"] > 0.3


@pytest.mark.slow
def test_its_page_tells_decoding_time_and_encoding(published):
    page = (published.results / "report/index.html").read_text()
    for name in ("regional", "over_time", "encoding", "scores", "faces"):
        assert f'id="{name}"' in page
    assert "data:image/gif;base64" in page
    assert "Alias-free generative adversarial networks" in page
    assert "Feature-space selection with banded ridge regression" in page
    assert "They were simulated" not in page
    curves = pd.read_csv(published.results / "over_time/sub-01/sub-01_curves.tsv", sep="\t")
    assert (curves.loc[curves["before_onset"] == 1, "p_corrected"] > 0.05).all()
    assert published.planned() == {}
