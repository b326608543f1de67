import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from skimage.metrics import structural_similarity

from hyper.cli.main import main
from hyper.evaluation.metrics import METRICS
from hyper.networks.alexnet import AlexNet

NAMES = [name for name, metric in METRICS.items() if metric.source == "images"]


@pytest.fixture
def folders(tmp_path):
    """Twelve stimuli of 40 x 40 pixels and noisy pictures of eleven of them."""
    rng = np.random.default_rng(0)
    for folder in ("shown", "made"):
        (tmp_path / folder).mkdir()
    for number in range(12):
        picture = rng.integers(0, 256, (5, 5, 3)).repeat(8, axis=0).repeat(8, axis=1)
        Image.fromarray(picture.astype(np.uint8)).save(tmp_path / f"shown/{number:03d}.png")
        if number:
            noisy = np.clip(picture + rng.normal(0, 40, picture.shape), 0, 255).astype(np.uint8)
            Image.fromarray(noisy).save(tmp_path / f"made/{number:03d}.bmp")
    (tmp_path / "made/notes.txt").write_text("not a picture")
    return tmp_path / "shown", tmp_path / "made"


def run(folders, *options):
    return main(["metrics", *map(str, folders), *map(str, options)])


def test_any_two_folders(folders, tmp_path, capsys):
    out, each = tmp_path / "metrics.tsv", tmp_path / "each.tsv"
    assert run(folders, "--permutations", 500, "--out", out, "--per-stimulus", each) == 0
    screen = capsys.readouterr().out
    assert "11 pairs of 40 x 40 pixels; 1 stimulus has no reconstruction" in screen
    table = pd.read_csv(out, sep="\t").set_index("metric")
    assert list(table.index) == NAMES
    for name, row in table.iterrows():
        assert name in screen
        assert f"{row['value']:.4f}" in screen
    scores = pd.read_csv(each, sep="\t", dtype={"stimulus": str}).set_index("stimulus")
    assert list(scores.index) == [f"{number:03d}" for number in range(1, 12)]
    assert np.allclose(scores.mean(), table["value"])
    pictures = [np.asarray(Image.open(path)) for path in (folders[0] / "003.png", folders[1] / "003.bmp")]
    expected = structural_similarity(*pictures, channel_axis=2, data_range=255)
    assert scores.loc["003", "ssim_rgb"] == pytest.approx(expected, abs=1e-9)
    assert (table["n"] == 11).all()
    assert table.loc["identification_2way_pixels", "p"] == pytest.approx(1 / 501)
    assert (table["p_corrected"] >= table["p"]).all()
    assert (table["ci_low"] <= table["value"]).all()


def test_without_permutations(folders, capsys, tmp_path):
    out = tmp_path / "out.tsv"
    assert run(folders, "--permutations", 0, "--metric", "ssim_rgb", "--metric", "top1_pixels", "--out", out) == 0
    table = pd.read_csv(out, sep="\t").set_index("metric")
    assert list(table.index) == ["ssim_rgb", "top1_pixels"]
    assert table["p"].isna().all()
    assert "n/a" in capsys.readouterr().out


def test_size(folders, capsys):
    Image.new("RGB", (64, 64), "red").save(folders[1] / "001.bmp")
    assert run(folders, "--metric", "ssim_rgb") == 1
    assert "001.bmp: it has 64 x 64 pixels" in (error := capsys.readouterr().err)
    assert "--size 40" in error
    assert run(folders, "--metric", "ssim_rgb", "--size", 32, "--permutations", 10) == 0
    assert "11 pairs of 32 x 32 pixels" in capsys.readouterr().out


def test_networks_from_files(folders, tmp_path, capsys):
    torch.manual_seed(0)
    network = AlexNet()
    torch.save(network.state_dict(), tmp_path / "alexnet.pth")
    out, each = tmp_path / "metrics.tsv", tmp_path / "each.tsv"
    given = ["--features", f"alexnet2={tmp_path / 'alexnet.pth'}", "--features", f"alexnet5={tmp_path / 'alexnet.pth'}"]
    chosen = ["--metric", "identification_2way_features", "--metric", "ssim_rgb", "--metric", "correlation_distance"]
    assert run(folders, *given, *chosen, "--permutations", 50, "--out", out, "--per-stimulus", each) == 0
    table = pd.read_csv(out, sep="\t").set_index("metric")
    assert list(table.index) == ["ssim_rgb", "identification_2way_alexnet2", "identification_2way_alexnet5"]
    looked = []
    for folder in folders:
        names = sorted(path for path in folder.iterdir() if path.suffix != ".txt" and path.stem != "000")
        pixels = torch.from_numpy(np.stack([np.asarray(Image.open(path)) for path in names])).permute(0, 3, 1, 2) / 255
        pixels = torch.nn.functional.interpolate(pixels, (256, 256), mode="bilinear")  # larger: nothing to antialias
        mean, std = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])[..., None, None]
        with torch.no_grad():
            looked.append(network.features[:5]((pixels - mean) / std).flatten(1).numpy())
    r = np.corrcoef(*looked)[:11, 11:]
    share = np.mean([(r[:, j] < r[j, j]).sum() / 10 for j in range(11)])
    assert table.loc["identification_2way_alexnet2", "value"] == pytest.approx(share, abs=1e-6)
    assert list(pd.read_csv(each, sep="\t").columns) == ["stimulus", *table.index]
    assert run(folders, "--features", "alexnet2") == 1
    assert "alexnet2 needs a file of weights" in capsys.readouterr().err
    assert run(folders, "--features", "vgg=x") == 1
    assert "there is no network 'vgg'. Choose dlib or vggface2" in capsys.readouterr().err


def spoil_with(name, save):
    def spoil(folders):
        save(folders[1] / name)

    return spoil


def empty(folders):
    for path in folders[1].iterdir():
        path.unlink()


SPOILT = {
    "no stimulus of this name": spoil_with("999.png", lambda path: Image.new("RGB", (40, 40)).save(path)),
    "has the same name": spoil_with("001.png", lambda path: Image.new("RGB", (40, 40)).save(path)),
    "cannot be read as a picture": spoil_with("001.bmp", lambda path: path.write_bytes(b"BM no picture")),
    "more than 8 bits": spoil_with(
        "000.png", lambda path: Image.fromarray(np.zeros((40, 40), np.uint16)).save(path)
    ),
    "transparent pixels": spoil_with("000.png", lambda path: Image.new("RGBA", (40, 40), (9, 9, 9, 5)).save(path)),
    "holds no pictures": empty,
}  # fmt: skip


@pytest.mark.parametrize("message", SPOILT)
def test_what_is_wrong_is_said(message, folders, capsys):
    SPOILT[message](folders)
    assert run(folders) == 1
    error = capsys.readouterr().err
    assert message in error
    assert str(folders[1].parent) in error


def test_wrong_arguments(folders, capsys, tmp_path):
    assert run((folders[0], tmp_path / "nowhere")) == 1
    assert "nowhere: the folder does not exist" in capsys.readouterr().err
    assert run(folders, "--metric", "latent_cosine") == 1
    assert "no metric of images called 'latent_cosine'" in capsys.readouterr().err
    assert run(folders, "--size", 3) == 1
    assert "3 pixels are too few" in capsys.readouterr().err
    assert run(folders, "--permutations", -1) == 1
    assert "--permutations: -1 is below 0" in capsys.readouterr().err


def test_pictures_of_other_modes_become_rgb(folders, capsys):
    grey = Image.open(folders[0] / "001.png").convert("L")
    grey.save(folders[1] / "001.bmp")
    grey.convert("RGBA").save(folders[1] / "000.png")
    assert run(folders, "--permutations", 10, "--metric", "pixel_correlation") == 0
    assert "12 pairs" in capsys.readouterr().out
