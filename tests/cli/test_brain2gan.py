"""`hyper convert brain2gan` examines files in the published formats and writes settings that run."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from hyper.cli.main import main
from hyper.doctor.plan import Plan
from hyper.responses.implants import ChannelLayout
from hyper.settings.load import read_config
from hyper.simulation.implants import Trial, write_latents, write_recording, write_timeseries
from tests.generators.stylegan_cases import stored

LAYOUT, TRAIN, TEST = ChannelLayout(), 12, 5
CONFIG = Path(__file__).resolve().parents[2] / "config/brain2gan.yaml"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Recordings of the published 1,024 columns, styles of 16 numbers repeated over 8 layers, pictures, a network."""
    folder, rng = tmp_path_factory.mktemp("published"), np.random.default_rng(0)
    drives = tuple(rng.standard_normal((count, LAYOUT.channels)) for count in (TRAIN, TEST))
    course = np.ones((LAYOUT.channels, 6))
    trial = Trial(sampling=50.0)
    write_recording(folder / "mua.mat", drives, LAYOUT, trial, 1)
    write_timeseries(folder / "time.mat", drives, course, LAYOUT, trial, 1)
    styles = [rng.standard_normal((count, 1, 16)).astype(np.float32).repeat(8, axis=1) for count in (TRAIN, TEST)]
    write_latents(folder / "w.pkl", *styles)
    write_latents(folder / "wide.pkl", *(np.tile(part, 2) for part in styles))
    for split, count in (("train", TRAIN), ("test", TEST)):
        (folder / "stimuli" / split).mkdir(parents=True)
        for number in range(1, count + 1):
            Image.new("RGB", (8, 8)).save(folder / f"stimuli/{split}/{number:04d}.png")
    assert main(["convert", "generator", str(stored("stylegan3_r")), str(folder / "stylegan3.safetensors")]) == 0
    return folder


def convert(folder, *options, latents="w.pkl", out="study.yaml"):
    return main(
        ["convert", "brain2gan", *(str(folder / name) for name in ("mua.mat", latents, out)), *map(str, options)]
    )


def test_it_says_what_it_found_and_its_settings_fit_those_of_the_study(folder, capsys):
    given = {"timeseries": "time.mat", "generator": "stylegan3.safetensors", "images": "stimuli"}
    options = [part for name, file in given.items() for part in (f"--{name}", folder / file)]
    assert convert(folder, *options, "--name", "faces", "--exclude", "3,959") == 0
    said = capsys.readouterr().out
    assert "12 + 5 latents of 16 numbers" in said
    assert "12 training and 5 test trials, 958 channels (V1 447, V4 256, IT 255)" in said
    assert "6 samples each" in said
    assert "images of 32 x 32 from styles of 16" in said
    assert "17 images" in said
    sources = [CONFIG, folder / "study.yaml"]
    plan = Plan(read_config(sources), sources)
    assert plan.faults() == []
    assert plan.settings.study.name == "faces"
    assert plan.settings.dataset.implants.exclude == [3, 959]
    assert plan.encoding_images("gabor")[0].endswith("stimuli")
    files = yaml.safe_load((folder / "study.yaml").read_text())["dataset"]["implants"]["subjects"]
    assert files["01"] == {
        "responses": str(folder / "mua.mat"), "latents": str(folder / "w.pkl"), "timeseries": str(folder / "time.mat")
    }  # fmt: skip


@pytest.mark.parametrize(
    ("latents", "options", "fault"),
    [
        ("wide.pkl", ["--generator", "stylegan3.safetensors"], "its styles have 16 numbers and the latents 32"),
        ("w.pkl", ["--timeseries", "mua.mat"], "x time are due, or the reverse"),
        ("w.pkl", ["--images", "stimuli/train"], "it has no image of stimulus test-0001 (5 are missing)"),
        ("none.pkl", [], "the file does not exist"),
    ],
)
def test_files_that_do_not_fit_are_refused(folder, latents, options, fault, capsys):
    given = [option if option.startswith("--") else folder / option for option in options]
    assert convert(folder, *given, latents=latents, out="refused.yaml") == 1
    assert fault in capsys.readouterr().err
    assert not (folder / "refused.yaml").exists()


def test_nothing_of_a_pickle_is_executed(folder, capsys):
    class Harm:
        def __reduce__(self):
            return (folder / "harm").touch, ()

    (folder / "harm.pkl").write_bytes(pickle.dumps({"train": Harm(), "test": Harm()}))
    assert convert(folder, latents="harm.pkl", out="refused.yaml") == 1
    assert "it asks for" in capsys.readouterr().err
    assert not (folder / "harm").exists()
