"""Networks against what their own implementations compute from the same weights (make_reference.py)."""

import json
import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from hyper.errors import NetworkError
from hyper.networks.alexnet import load_alexnet
from hyper.networks.efficientnet import load_efficientnet
from hyper.networks.inception import load_inception
from hyper.networks.looking import Preparation
from hyper.networks.resnet import load_swav, load_vggface2
from hyper.networks.vgg import load_vgg16
from hyper.networks.vit import load_clip
from hyper.networks.weights import read_weights

EVERY = 997
TOLERANCE = 2e-5  # of the largest value; single precision through up to 50 layers


@pytest.fixture(scope="module")
def reference():
    return np.load(Path(__file__).with_name("reference.npz"))


@pytest.fixture
def weights_of(reference, drawn):
    return lambda name: {n: drawn(n, tuple(s)) for n, s in json.loads(str(reference[f"{name}_names"])).items()}


@pytest.fixture
def images(pictures):
    return pictures()


def agrees(values, expected):
    values = values.reshape(len(values), -1)
    values = values if values.shape[1] <= 2048 else values[:, ::EVERY]
    assert values.shape == expected.shape
    assert np.ptp(expected) > 0
    return np.abs(values - expected).max() < TOLERANCE * np.abs(expected).max()


def write_keras(path, weights, whole=False):
    """As Keras writes weights: a group a layer; `whole` as it saves models."""
    layers = {}
    for name, values in weights.items():
        layers.setdefault(name.rsplit("/", 1)[0], {})[f"{name}:0"] = values
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        root.attrs["layer_names"] = [name.encode() for name in ("input_1", *layers)]
        root.create_group("input_1").attrs["weight_names"] = np.array([], "S1")
        for layer, own in layers.items():
            group = root.require_group(layer)
            group.attrs["weight_names"] = [name.encode() for name in own]
            for name, values in own.items():
                group[name] = values
    return path


def write_torch(path, weights):
    torch.save({name: torch.from_numpy(values) for name, values in weights.items()}, path)
    return path


@pytest.mark.parametrize("whole", [False, True])
def test_vggface2_equals_keras_vggface(reference, weights_of, images, tmp_path, whole):
    looker = load_vggface2(write_keras(tmp_path / "w.h5", weights_of("vggface2"), whole))
    assert agrees(looker.activations(images, ["pool"])["pool"], reference["vggface2"])


def in_the_port(name):
    """Name in the PyTorch port of a weight of keras_vggface."""
    layer, kind = name.rsplit("/", 1)
    kinds = {"kernel": "weight", "gamma": "weight", "moving_mean": "running_mean", "moving_variance": "running_var"}
    kind = {**kinds, "beta": "bias"}[kind]
    norm = layer.endswith("/bn")
    layer = layer.removesuffix("/bn")
    if layer == "conv1/7x7_s2":
        return f"bn1.{kind}" if norm else f"conv1.{kind}"
    stage, block, part = layer.removeprefix("conv").split("_", 2)
    place = f"layer{int(stage) - 1}.{int(block) - 1}"
    if part == "1x1_proj":
        return f"{place}.downsample.{int(norm)}.{kind}"
    number = ["1x1_reduce", "3x3", "1x1_increase"].index(part) + 1
    return f"{place}.{'bn' if norm else 'conv'}{number}.{kind}"


def test_vggface2_is_one_network_in_every_file(weights_of, tmp_path):
    keras = weights_of("vggface2")
    due = load_vggface2(write_keras(tmp_path / "w.h5", keras)).network.state_dict()
    port = {in_the_port(n): v.transpose(3, 2, 0, 1).copy() if v.ndim == 4 else v for n, v in keras.items()}
    port |= {"fc.weight": np.zeros((5, 2048), "f4"), "fc.bias": np.zeros(5, "f4")}
    (tmp_path / "w.pkl").write_bytes(pickle.dumps(port, protocol=2))
    write_torch(tmp_path / "w.pth", {f"module.{name}": values for name, values in port.items()})
    dag = {}
    for name, values in keras.items():
        layer, kind = in_the_port(name).rsplit(".", 1)
        bare = name.rsplit("/", 1)[0].replace("/bn", "_bn").replace("/", "_")
        kernel = values.transpose(3, 2, 0, 1).copy() if values.ndim == 4 else values
        # red first
        dag[f"{bare}.{kind}"] = kernel[:, ::-1].copy() if layer == "conv1" else kernel
    write_torch(tmp_path / "dag.pth", dag)
    for file in ("w.pkl", "w.pth", "dag.pth"):
        found = load_vggface2(tmp_path / file).network.state_dict()
        assert all(torch.equal(found[name], values) for name, values in due.items())


@pytest.mark.parametrize(("name", "faces"), [("vggface", True), ("vgg16", False)])
def test_vgg16_equals_keras(reference, weights_of, images, tmp_path, name, faces):
    looker = load_vgg16(write_keras(tmp_path / "w.h5", weights_of(name)))
    found = looker.activations(images, looker.layers)
    assert all(agrees(found[layer], reference[f"{name}_{layer}"]) for layer in looker.layers)
    assert looker.layers == ("pool1", "pool2", "pool3", "pool4", "pool5")


def test_vggface_in_files_of_its_authors(reference, weights_of, images, tmp_path):
    from scipy.io import savemat

    keras = weights_of("vggface")
    # red first
    red = {n: v[:, :, ::-1].copy() if n == "conv1_1/kernel" else v for n, v in keras.items()}
    layers = np.empty((1, 14), object)
    names = [name.removesuffix("/kernel") for name in red if name.endswith("/kernel")]
    for place, name in enumerate(names):
        both = np.empty((1, 2), object)
        both[0, 0], both[0, 1] = red[f"{name}/kernel"], red[f"{name}/bias"][:, None]
        layers[0, place] = {"name": name, "type": "conv", "weights": both}
    layers[0, 13] = {"name": "relu1_1", "type": "relu"}
    savemat(tmp_path / "vgg_face.mat", {"net": {"layers": layers}})
    dag = {n.replace("/kernel", ".weight").replace("/bias", ".bias"): v for n, v in red.items()}
    dag = {n: v.transpose(3, 2, 0, 1).copy() if v.ndim == 4 else v for n, v in dag.items()}
    write_torch(tmp_path / "vgg_face_dag.pth", {**dag, "fc6.bias": np.zeros(3, "f4")})
    for file in ("vgg_face.mat", "vgg_face_dag.pth"):
        found = load_vgg16(tmp_path / file).activations(images, ["pool5"])["pool5"]
        assert agrees(found, reference["vggface_pool5"])


@pytest.mark.parametrize(
    ("name", "load", "layers"),
    [
        ("alexnet", load_alexnet, ["layer2", "layer5"]),
        ("inception", load_inception, ["pool"]),
        ("efficientnet", load_efficientnet, ["pool"]),
        ("swav", load_swav, ["pool"]),
        ("torchvision", load_vgg16, ["pool2", "pool5"]),
    ],
)
def test_networks_equal_torchvision(reference, weights_of, images, tmp_path, name, load, layers):
    found = load(write_torch(tmp_path / "w.pth", weights_of(name))).activations(images, layers, batch=1)
    assert all(agrees(found[layer], reference[f"{name}_{layer}"]) for layer in layers)


def test_clip_equals_open_clip(reference, weights_of, images, tmp_path):
    weights = weights_of("clip")
    whole = {f"visual.{name}": values for name, values in weights.items()} | {"logit_scale": np.ones((), "f4")}
    looker = load_clip(write_torch(tmp_path / "w.pt", whole))
    assert agrees(looker.activations(images, ["embedding"])["embedding"], reference["clip"])
    assert looker.layers == ("block1", "block2", "embedding")
    other = load_clip(tmp_path / "w.pt", "gelu").activations(images, ["embedding"])["embedding"]
    assert not agrees(other, reference["clip"])


def test_residual_clip_equals_open_clip(reference, weights_of, images, tmp_path):
    whole = {f"visual.{name}": values for name, values in weights_of("clip_resnet").items()}
    looker = load_clip(write_torch(tmp_path / "w.pt", {**whole, "logit_scale": np.ones((), "f4")}))
    found = looker.activations(images, ["embedding", "layer2"])
    assert agrees(found["embedding"], reference["clip_resnet"])
    assert found["layer2"].shape == (2, 64, 12, 12)
    assert looker.layers == ("layer1", "layer2", "layer3", "layer4", "embedding")
    del whole["visual.layer3.0.bn2.bias"]
    with pytest.raises(NetworkError, match="'layer3.0.bn2.bias' are missing"):
        load_clip(write_torch(tmp_path / "w.pt", whole))


def test_clip_equals_hugging_face(reference, weights_of, images, tmp_path):
    weights = {name: torch.from_numpy(values) for name, values in weights_of("hugging_face").items()}
    save_file({**weights, "text_model.embeddings.x": torch.zeros(2)}, tmp_path / "model.safetensors")
    found = load_clip(tmp_path / "model.safetensors").activations(images, ["embedding", "block1"])
    assert agrees(found["embedding"], reference["hugging_face"])
    assert agrees(found["block1"], reference["hugging_face_block1"])


class Inner(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.sizes = [3, 4]
        self.in_proj = torch.nn.Parameter(torch.randn(4, 3))
        self.register_buffer("place", torch.arange(3.0).half())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.in_proj.T


def test_scripts_are_read_without_running_them(tmp_path):
    """OpenAI hands its networks round as scripts."""
    network = torch.nn.Sequential(Inner(), torch.nn.Sequential(torch.nn.Linear(4, 2)))
    torch.jit.save(torch.jit.script(network), tmp_path / "w.pt")
    found = read_weights(tmp_path / "w.pt")
    due = network.state_dict()
    assert set(found) == set(due)
    assert all(torch.equal(found[name], due[name]) and found[name].dtype == due[name].dtype for name in due)


def test_images_are_brought_to_the_networks_size(images):
    prepare = Preparation(48, (1.0, 2.0, 3.0), scale=255, bgr=True)
    assert torch.equal(prepare(images[:, :48, :48])[:, 0], torch.from_numpy(images[:, :48, :48, 2]).float() - 1)
    assert prepare(images).shape == (2, 3, 48, 48)


class Evil:
    def __reduce__(self):
        return (print, ("run",))


def broken(tmp_path):
    good = {"features.0.weight": np.zeros((64, 3, 11, 11), "f4")}
    yield "does not exist", tmp_path / "none.pth"
    (tmp_path / "text.pth").write_text("not weights, but long enough")
    yield "format is none that is known", tmp_path / "text.pth"
    yield "are missing", write_torch(tmp_path / "few.pth", good)
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps({"features.0.weight": Evil()}))
    yield "asks for builtins.print", tmp_path / "evil.pkl"
    (tmp_path / "cut.pth").write_bytes((tmp_path / "few.pth").read_bytes()[:3000])
    yield "archive is damaged", tmp_path / "cut.pth"
    h5py.File(tmp_path / "empty.h5", "w").close()
    yield "lists no layers", tmp_path / "empty.h5"
    full = {name: values.numpy().copy() for name, values in load_alexnet_state().items()}
    yield "too many", write_torch(tmp_path / "more.pth", {**full, "extra": np.zeros(2, "f4")})
    yield "have the shape", write_torch(tmp_path / "shape.pth", {**full, "features.0.bias": np.zeros(2, "f4")})
    yield "not all finite", write_torch(tmp_path / "nan.pth", {**full, "features.0.bias": np.full(64, np.nan, "f4")})


def load_alexnet_state():
    from hyper.networks.alexnet import AlexNet

    return AlexNet().state_dict()


def test_what_is_wrong_is_said(tmp_path, capsys):
    for message, path in broken(tmp_path):
        with pytest.raises(NetworkError, match=message) as fault:
            load_alexnet(path)
        assert str(path) in str(fault.value)
    assert "run" not in capsys.readouterr().out
    for load in (load_clip, load_vgg16, load_vggface2):
        with pytest.raises(NetworkError):
            load(tmp_path / "few.pth")


def test_unknown_layers(tmp_path):
    torch.save(load_alexnet_state(), tmp_path / "w.pth")
    looker = load_alexnet(tmp_path / "w.pth")
    with pytest.raises(NetworkError, match="layer6: the network has no such layer. Choose from layer1"):
        looker.activations(np.zeros((1, 8, 8, 3), np.uint8), ["layer6"])


def test_hdf5_that_announces_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "huge.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = ["a"]
        group = file.create_group("a")
        group.attrs["weight_names"] = ["a/kernel:0"]
        group.create_dataset(
            "a/kernel:0", shape=(10**6, 10**6), chunks=(100, 100), dtype="f4"
        )  # not one chunk is stored
    assert path.stat().st_size < 20_000
    with pytest.raises(NetworkError, match="announces 4000000000000 bytes"):
        read_weights(path)
