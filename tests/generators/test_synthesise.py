import json

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from hyper.cli.main import main
from hyper.dataset.stimuli import latent_row_of, read_latents, stimulus_of
from hyper.errors import GeneratorError
from hyper.generators.base import rounded_uint8
from hyper.generators.checkpoints.own import write_own
from hyper.generators.checkpoints.recognise import read_checkpoint
from hyper.generators.load import load_generator
from hyper.generators.presented import fixation_target
from hyper.generators.synthesise import Draw, Presentation, synthesise
from tests.generators.stylegan_cases import stored

PLAIN = Presentation(size=64, fixation=0)


@pytest.fixture
def faces(tmp_path):
    network, form = read_checkpoint(stored("stylegan3_r"))
    write_own(tmp_path / "faces.safetensors", network, stored("stylegan3_r"), form)
    return tmp_path / "faces.safetensors"


@pytest.fixture
def objects(tmp_path):
    network, form = read_checkpoint(stored("stylegan_xl"))
    write_own(tmp_path / "objects.safetensors", network, stored("stylegan_xl"), form)
    return tmp_path / "objects.safetensors"


def picture(folder, number):
    return np.array(Image.open(folder / f"images/{number:04d}.jpg")).astype(float)


def test_the_folder_is_one_the_workflow_reads(faces, tmp_path):
    generator = load_generator(str(faces), truncation=0.7)
    folder = tmp_path / "stimuli"
    table = synthesise(folder, str(faces), generator, [Draw("test", 2, 7), Draw("train", 3, 6)])
    latents = read_latents(folder / "latents.npy")
    due = [np.random.RandomState(seed).randn(count, 12) for seed, count in ((7, 2), (6, 3))]
    assert np.array_equal(latents, np.concatenate(due))
    for number, (row, line) in enumerate(table.iterrows(), 1):
        name = stimulus_of(line["stim_file"], "events.tsv")
        assert latent_row_of(name, len(latents), "latents.npy") == row == number - 1
        assert picture(folder, number).shape == (224, 224, 3)
    assert latent_row_of("0000", len(latents), "latents.npy") is None
    target = fixation_target(224, 0.6 / 15 * 224)
    null = picture(folder, 0)
    assert np.abs(null[np.isnan(target)] - 128).mean() < 3
    assert null[112, 112].max() < 100
    written = pd.read_csv(folder / "stimuli.tsv", sep="\t")
    assert written["set"].tolist() == ["test"] * 2 + ["train"] * 3
    assert written["draw"].tolist() == [0, 1, 0, 1, 2]
    description = json.loads((folder / "stimuli.json").read_text())
    assert description["Truncation"] == 0.7
    assert len(description["GeneratedBy"]["generator_sha256"]) == 64


def test_pictures_are_those_of_the_latents(faces, tmp_path):
    generator = load_generator(str(faces), truncation=0.7)
    z = np.random.RandomState(7).randn(2, 12).astype(np.float32)
    due = rounded_uint8(generator.images(torch.from_numpy(z)).numpy())
    synthesise(tmp_path / "a", str(faces), generator, [Draw("test", 2, 7)], shown=Presentation(32, fixation=0))
    for number in (1, 2):
        assert np.abs(picture(tmp_path / "a", number) - due[number - 1]).mean() < 3  # JPEG


def test_stored_styles_make_the_same_pictures(faces, tmp_path):
    generator = load_generator(str(faces), truncation=0.5)
    synthesise(tmp_path / "a", str(faces), generator, [Draw("train", 3, 6)], latent="w", shown=PLAIN)
    synthesise(tmp_path / "b", str(faces), generator, [Draw("train", 3, 6)], latent="z", shown=PLAIN)
    w, z = (read_latents(tmp_path / name / "latents.npy") for name in "ab")
    assert (w.shape, z.shape) == ((3, 16), (3, 12))
    for number in range(1, 4):
        assert np.array_equal(picture(tmp_path / "a", number), picture(tmp_path / "b", number))


def test_classes_and_their_means(objects, tmp_path):
    generator = load_generator(str(objects), truncation=0.7)
    draws = [Draw("test", 1, 7, means=True), Draw("train", 2, 6)]
    table = synthesise(tmp_path / "s", str(objects), generator, draws, [0, 3], "w", PLAIN)
    assert table["class"].tolist() == [0, 3, 0, 0, 3, 3]
    w = read_latents(tmp_path / "s/latents.npy")
    means = generator.mapping.means.numpy()
    assert np.allclose(w[:2], means[[0, 3]])
    z = np.random.RandomState(6).randn(4, generator.latent_dim).astype(np.float32)
    assert np.allclose(w[2:], generator.styles(torch.from_numpy(z), torch.tensor([0, 0, 3, 3])).numpy(), atol=1e-6)


def test_a_crop_is_shown_alone(faces, tmp_path):
    generator = load_generator(str(faces))
    synthesise(tmp_path / "a", "x", generator, [Draw("test", 1, 1)], shown=Presentation(32, fixation=0))
    shown = Presentation(8, (4, 8, 12, 16), fixation=0)
    synthesise(tmp_path / "b", "x", generator, [Draw("test", 1, 1)], shown=shown)
    whole, part = picture(tmp_path / "a", 1), picture(tmp_path / "b", 1)
    assert np.abs(whole[8:16, 4:12] - part).mean() < 6
    assert np.abs(whole[8:16, 4:12] - whole[16:24, 12:20]).mean() > 12  # elsewhere it looks different


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"draws": []}, "no pictures"),
        ({"draws": [Draw("test", 0, 1)]}, "no pictures"),
        ({"classes": [2]}, "no class 2: it knows no classes"),
        ({"draws": [Draw("test", 1, 1, means=True)]}, "no means of classes"),
        ({"shown": Presentation(0)}, "make no picture"),
        ({"shown": Presentation(span=0)}, "make no picture"),
        ({"shown": Presentation(crop=(0, 0, 40, 40))}, "no square within the image of 32 x 32"),
    ],
)
def test_what_cannot_be_made_is_refused(change, reason, faces, tmp_path):
    options = {"draws": [Draw("test", 1, 1)], **change}
    with pytest.raises(GeneratorError, match=reason):
        synthesise(tmp_path / "s", str(faces), load_generator(str(faces)), **options)
    assert not (tmp_path / "s").exists()


def test_refusals_of_classes_and_latents(objects, tmp_path):
    generator = load_generator(str(objects))
    with pytest.raises(GeneratorError, match="makes images of 5 classes"):
        synthesise(tmp_path, "x", generator, [Draw("test", 1, 1)])
    with pytest.raises(GeneratorError, match="no class 7"):
        synthesise(tmp_path, "x", generator, [Draw("test", 1, 1)], [1, 7])
    with pytest.raises(GeneratorError, match="no latent z"):
        synthesise(tmp_path, "x", generator, [Draw("test", 1, 1, means=True)], [1])
    with pytest.raises(GeneratorError, match="has no styles"):
        synthesise(tmp_path, "x", load_generator("pggan-face"), [Draw("test", 1, 1)], latent="w")
    with pytest.raises(GeneratorError, match="styles"):
        synthesise(tmp_path, "x", load_generator(str(objects), "w"), [Draw("test", 1, 1)])


def test_the_command(objects, tmp_path, capsys):
    options = [
        "--classes",
        "1-2",
        "--test",
        "1",
        "--train",
        "2",
        "--size",
        "32",
        "--latent",
        "w",
        "--truncation",
        "0.7",
    ]
    assert main(["synthesize", str(objects), str(tmp_path / "s"), *options, "--device", "cpu"]) == 0
    printed = capsys.readouterr().out
    assert "2 test and 4 training images" in printed
    assert "dataset.test_stimuli: ['0001-0002']" in printed
    assert len(list((tmp_path / "s/images").glob("*.jpg"))) == 7
    with pytest.raises(SystemExit):
        main(["synthesize", str(objects), str(tmp_path / "t"), "--classes", "2-1"])


def test_the_command_with_a_generator_without_styles(tmp_path):
    options = ["--test", "1", "--train", "0", "--size", "64", "--device", "cpu"]
    assert main(["synthesize", "pggan-face", str(tmp_path / "s"), *options]) == 0
    assert read_latents(tmp_path / "s/latents.npy").shape == (1, 128)


def test_a_file_converts_and_generates_by_command(tmp_path):
    own, z = str(tmp_path / "own.safetensors"), tmp_path / "z.npy"
    assert main(["convert", "generator", str(stored("stylegan_xl")), own]) == 0
    np.save(z, np.zeros((2, 16)))
    assert main(["generate", own, str(z), str(tmp_path / "x.npy"), "--latent", "w", "--device", "cpu"]) == 0
    assert np.load(tmp_path / "x.npy").shape == (2, 3, 64, 64)
    np.save(z, np.ones((1, 6)))
    options = ["--label", "2", "--truncation", "0.7", "--layer", "L3", "--device", "cpu"]
    assert main(["generate", own, str(z), str(tmp_path / "y.npy"), *options]) == 0
    assert np.load(tmp_path / "y.npy").shape == (1, 8, 24, 24)
