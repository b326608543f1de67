import numpy as np
import pytest
import torch
from PIL import Image

from hyper.cli.main import main
from hyper.generators.checkpoints.recognise import FORMATS
from hyper.generators.load import load_generator
from tests.generators.checkpoint_cases import DATA, computed
from tests.generators.stylegan_cases import stored

SOURCE = DATA / "karras_small32_fused_nosrc_p4.pkl"


@pytest.fixture
def converted(tmp_path):
    path = tmp_path / "out/pggan.safetensors"
    assert main(["convert", "generator", str(SOURCE), str(path)]) == 0
    return path


@pytest.fixture
def latents(tmp_path):
    path = tmp_path / "latents.npy"
    np.save(path, computed("karras_small32_fused")["latents"])
    return path


def run(*arguments):
    return main(["generate", *map(str, arguments), "--device", "cpu"])


def test_conversion_gives_the_same_bytes_and_says_what_it_read(converted, tmp_path, capsys):
    again = tmp_path / "again.safetensors"
    assert main(["convert", "generator", str(SOURCE), str(again), "--format", "karras"]) == 0
    assert "PGGAN 32 x 32, latent 16, from the format karras" in capsys.readouterr().out
    assert again.read_bytes() == converted.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_can_be_named(form, tmp_path, capsys):
    status = main(["convert", "generator", str(SOURCE), str(tmp_path / "x.safetensors"), "--format", form])
    assert status == (form != "karras")
    assert (tmp_path / "x.safetensors").exists() == (form == "karras")
    reason = {"pggan_weights": "it is no list of arrays", "gluon": "it is no MXNet file"}.get(form, "")
    assert reason in capsys.readouterr().err


def test_images_and_pngs(converted, latents, tmp_path, capsys):
    due = computed("karras_small32_fused")["image_lod0.0"]
    assert run(converted, latents, tmp_path / "images.npy", "--png", tmp_path / "png") == 0
    images = np.load(tmp_path / "images.npy")
    assert images.dtype == np.float32
    assert np.abs(images - due).max() < 1e-4
    pngs = sorted((tmp_path / "png").iterdir())
    assert [path.name for path in pngs] == [f"{number:06d}.png" for number in range(len(due))]
    for path, image in zip(pngs, images, strict=True):
        rounded = np.clip(np.rint(127.5 * image + 127.5), 0, 255).astype(np.uint8)
        assert np.array_equal(np.asarray(Image.open(path)), rounded.transpose(1, 2, 0))
    assert "image, 4 x 3 x 32 x 32" in capsys.readouterr().out


def test_layers(converted, latents, tmp_path):
    stored = computed("karras_small32_fused")
    for layer, due in (("L3", stored["act/16x16/Conv1"]), ("latent", stored["latents"])):
        assert run(converted, latents, tmp_path / "layer.npy", "--layer", layer) == 0
        assert np.abs(np.load(tmp_path / "layer.npy") - due).max() < 1e-4


def test_a_generator_by_name(tmp_path):
    np.save(tmp_path / "z.npy", np.random.default_rng(0).normal(size=(2, 100)))
    assert run("dcgan-face", tmp_path / "z.npy", tmp_path / "images.npy") == 0
    assert np.load(tmp_path / "images.npy").shape == (2, 3, 64, 64)


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        (np.zeros(3), "its shape is (3,)"),
        (np.arange(64.0).reshape(2, 2, 16), "differ between the 2 layers"),
        (np.zeros((0, 16)), "its shape is (0, 16)"),
        (np.zeros((2, 5)), "where (n, 16) is due"),
        (np.full((2, 16), np.nan), "not finite"),
        (np.array([["a"]]), "no array of numbers"),
    ],
)
def test_latents_that_do_not_fit_are_refused(values, fault, converted, tmp_path, capsys):
    np.save(tmp_path / "bad.npy", values)
    assert run(converted, tmp_path / "bad.npy", tmp_path / "out.npy") == 1
    assert fault in capsys.readouterr().err
    assert not (tmp_path / "out.npy").exists()


@pytest.mark.parametrize("content", [None, b"", b"\x93NUMPY\x01\x00v\x00", b"hello"])
def test_latents_that_cannot_be_read_are_refused(content, converted, tmp_path, capsys):
    if content is not None:
        (tmp_path / "bad.npy").write_bytes(content)
    assert run(converted, tmp_path / "bad.npy", tmp_path / "out.npy") == 1
    assert "bad.npy: " in capsys.readouterr().err


def test_other_mistakes_are_answered(converted, latents, tmp_path, capsys):
    out = tmp_path / "out.npy"
    assert run(converted, latents, out, "--layer", "L9") == 1
    assert "Choose one of latent, L1, L2, L3, L4, image" in capsys.readouterr().err
    assert run(converted, latents, out, "--layer", "L1", "--png", tmp_path) == 1
    assert "the layer L1 is no image" in capsys.readouterr().err
    assert run(SOURCE, latents, out) == 1
    assert f"Run `hyper convert generator {SOURCE} OUT.safetensors`" in capsys.readouterr().err
    assert run(tmp_path / "none", latents, out) == 1
    assert "or give the path of a converted checkpoint" in capsys.readouterr().err
    (tmp_path / "empty").touch()
    assert run(tmp_path / "empty", latents, out) == 1
    assert "truncated or damaged" in capsys.readouterr().err
    assert not out.exists()


def test_styles_may_be_repeated_over_layers_or_differ(tmp_path, capsys):
    network_file, out = tmp_path / "stylegan3.safetensors", tmp_path / "images.npy"
    assert main(["convert", "generator", str(stored("stylegan3_r")), str(network_file)]) == 0
    network = load_generator(str(network_file))
    styles = network.styles(torch.from_numpy(np.random.default_rng(0).standard_normal((2, network.latent_dim))).float())
    repeated = styles[:, None].repeat(1, network.style_count, 1)
    several = repeated * torch.linspace(0.5, 1.5, network.style_count)[:, None]
    made = {}
    for name, values in {"one": styles, "repeated": repeated, "several": several}.items():
        np.save(tmp_path / f"{name}.npy", values.numpy())
        assert run(network_file, tmp_path / f"{name}.npy", out, "--latent", "w") == 0
        made[name] = np.load(out)
    assert np.array_equal(made["one"], made["repeated"])
    assert not np.allclose(made["one"], made["several"], atol=1e-3)
    with torch.no_grad():
        assert np.abs(made["several"] - network.activations_of_styles(several, "image").numpy()).max() < 1e-5
    assert run(network_file, tmp_path / "several.npy", out) == 1
    assert f"the latents differ between the {network.style_count} layers" in capsys.readouterr().err
