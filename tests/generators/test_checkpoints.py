import hashlib
import json
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.chainer import read_linear_decoder
from hyper.generators.checkpoints.gluon import read_arrays
from hyper.generators.checkpoints.own import read_own, write_own
from hyper.generators.checkpoints.recognise import FORMATS, read_checkpoint
from tests.generators.checkpoint_cases import (
    CASES,
    DATA,
    ONE_EACH,
    computed,
    write_gan_zoo,
    write_interfacegan,
    write_karras,
    write_list,
)  # fmt: skip


@pytest.mark.parametrize(("name", "form", "stem", "layers"), CASES, ids=[case[0] for case in CASES])
def test_images_and_layers_equal_the_tools(name, form, stem, layers, tmp_path):
    due = computed(stem)
    renamed = tmp_path / "x.bin"  # the extension says nothing
    renamed.write_bytes((DATA / name).read_bytes())
    network, found = read_checkpoint(renamed)
    assert found == form
    write_own(tmp_path / "own.safetensors", network, renamed, found)
    for generator in (network, read_own(tmp_path / "own.safetensors")):
        z = torch.from_numpy(due["latents"])
        for there, here in layers.items():
            assert np.abs(generator.activations(z, here).numpy() - due[there]).max() < 1e-4, there


@pytest.mark.parametrize("kind", ["plain", "fused"])
@pytest.mark.parametrize("lod", [0.0, 0.25, 1.0, 1.6, 2.0])
def test_levels_of_detail_equal_tensorflows(kind, lod, tmp_path):
    def set_lod(variables):
        variables["lod"] = np.float32(lod)

    path = write_karras(tmp_path / "lod.pkl", set_lod, f"karras_small32_{kind}_nosrc_p4.pkl")
    due = computed(f"karras_small32_{kind}")
    network, form = read_checkpoint(path)
    write_own(tmp_path / "own.safetensors", network, path, form)
    for generator in (network, read_own(tmp_path / "own.safetensors")):
        images = generator.images(torch.from_numpy(due["latents"])).numpy()
        assert np.abs(images - due[f"image_lod{lod}"]).max() < 1e-4


@pytest.mark.parametrize("kind", ["plain", "fused"])
@pytest.mark.parametrize("lod", [1.0, 1.7, 3.0])
def test_levels_of_detail_equal_interfacegans(kind, lod, tmp_path):
    path = write_interfacegan(
        tmp_path / "lod.pth",
        lambda state: state.update(lod=torch.tensor(lod)),
        f"interfacegan_small32_{kind}.pth",
    )
    due = computed("fading_small32")
    images = read_checkpoint(path)[0].images(torch.from_numpy(due["latents"])).numpy()
    assert np.abs(images - due[f"interfacegan_{kind}_lod{lod}"]).max() < 1e-4


def first_two_blocks(state):
    for name in [name for name in state if name.startswith(("scaleLayers.1", "scaleLayers.2"))]:
        del state[name]
    for name in [name for name in state if name.startswith(("toRGBLayers.2", "toRGBLayers.3"))]:
        del state[name]


@pytest.mark.parametrize(
    ("alpha", "change", "stored"),
    [(0.3, dict, ""), (0.85, dict, ""), (1.0, dict, ""), (0.4, first_two_blocks, "8x8_")],
)
def test_fading_equals_gan_zoos(alpha, change, stored, tmp_path):
    path = write_gan_zoo(tmp_path / "zoo.pth", change, alpha=alpha)
    due = computed("fading_small32")
    network, _ = read_checkpoint(path)
    assert network.lod == alpha
    images = network.images(torch.from_numpy(due["ganzoo_latents"])).numpy()
    assert np.abs(images - due[f"ganzoo_{stored}alpha{alpha}"]).max() < 1e-4


def test_the_settings_of_gan_zoo_are_minded(tmp_path):
    path = tmp_path / "zoo.pth"
    assert read_checkpoint(write_gan_zoo(path, dict, leakyReluLeak=0.2, lossCriterion="Logistic"))[0].lod == 0
    for name, value, fault in (
        ("leakyReluLeak", 0.1, r"leakyReluLeak 0\.1 where 0\.2 is due"),
        ("lossCriterion", "DCGAN", "loss DCGAN, ends in a hyperbolic tangent"),
        ("alpha", 1.5, r"alpha, is 1\.5 where"),
    ):
        with pytest.raises(GeneratorError, match=fault):
            read_checkpoint(write_gan_zoo(path, dict, **{name: value}))


def test_the_older_names_of_gan_zoo_are_read(tmp_path):
    def rename(state):
        for name in list(state):
            state[name.replace(".module", "")] = state.pop(name)

    due = computed("ganzoo_small32")
    images = read_checkpoint(write_gan_zoo(tmp_path / "old.pth", rename))[0].images(torch.from_numpy(due["latents"]))
    assert np.abs(images.numpy() - due["image"]).max() < 1e-4


@pytest.mark.parametrize("name", ONE_EACH)
def test_the_same_checkpoint_gives_the_same_bytes(name, tmp_path):
    for target in ("a.safetensors", "b.safetensors"):
        network, form = read_checkpoint(DATA / name)
        write_own(tmp_path / target, network, DATA / name, form)
    content = (tmp_path / "a.safetensors").read_bytes()
    assert content == (tmp_path / "b.safetensors").read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    description = json.loads(header["__metadata__"]["pggan"])
    assert description["source_sha256"] == hashlib.sha256((DATA / name).read_bytes()).hexdigest()
    assert (description["source_format"], description["channels"], description["latent_dim"]) == (
        form,
        [16, 16, 16, 8],
        16,
    )
    z = torch.randn(2, 16)
    again = read_own(tmp_path / "a.safetensors")
    assert torch.equal(again.images(z), read_own(tmp_path / "b.safetensors").images(z))
    assert torch.equal(again.images(z), network.images(z))


def test_the_linear_decoder_equals_chainers():
    stored = np.load(DATA / "l0_small.model.io.npz")
    weight, bias = read_linear_decoder(DATA / "l0_small.model")
    assert np.abs(stored["x"] @ weight.T + bias - stored["y"]).max() < 1e-5
    with pytest.raises(GeneratorError, match="linear decoder's, not a generator"):
        read_checkpoint(DATA / "l0_small.model")


@pytest.mark.parametrize("name", [*ONE_EACH, "own.safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.0005, 0.3, 0.9, 0.9999])
def test_truncated_files_are_refused(name, share, tmp_path):
    source = DATA / name
    if name == "own.safetensors":
        network, form = read_checkpoint(DATA / ONE_EACH[0])
        write_own(source := tmp_path / name, network, DATA / ONE_EACH[0], form)
    content, path = source.read_bytes(), tmp_path / "cut.bin"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(
        GeneratorError, match=r"cut\.bin: .*(empty|truncated|damaged|no file of torch|none that is known)"
    ):
        read_checkpoint(path)


def lose(key):
    return lambda tensors: tensors.pop(key)


def gain(tensors):
    tensors["more"] = torch.zeros(2)


def gain_array(tensors):
    tensors["more"] = np.zeros(2)


def replace(key, value):
    return lambda tensors: tensors.__setitem__(key, value)


SPOILT = [
    (write_karras, lose("8x8/Conv1/bias"), r"'8x8/Conv1/bias' is missing"),
    (write_karras, lose("lod"), r"'lod' is missing"),
    (write_karras, gain_array, r"too many \(more\)"),
    (write_karras, replace("16x16/Conv1/weight", np.zeros((3, 3, 16, 9))), r"\(3, 3, 16, 16\) is due"),
    (write_karras, replace("4x4/Conv/bias", np.full(16, np.nan)), "not finite"),
    (write_karras, replace("lod", np.float32(-1)), "level of detail is -1"),
    (write_karras, lambda tensors: tensors.clear(), "another network than a PGGAN"),
    (write_list, lose(3), "73 arrays where"),
    (write_list, lambda arrays: arrays.append(np.zeros(3)), "75 arrays where"),
    (write_list, replace(52, np.zeros((1, 1, 16, 4))), "different shapes"),
    (write_list, lambda arrays: arrays.clear(), "no list of arrays"),
    (write_interfacegan, lose("layer3.wscale.bias"), r"'layer3\.wscale\.bias' is missing"),
    (write_interfacegan, gain, "too many"),
    (write_interfacegan, replace("layer4.conv.weight", torch.zeros(16, 15, 3, 3)), r"\(any, 16, 3, 3\) is due"),
    (write_interfacegan, lambda state: state.clear(), "another network"),
    (write_gan_zoo, lose("formatLayer.module.bias"), "is missing"),
    (write_gan_zoo, gain, "too many"),
    (write_gan_zoo, replace("toRGBLayers.3.module.weight", torch.zeros(1, 8, 1, 1)), r"\(3, 8, 1, 1\) is due"),
]


@pytest.mark.parametrize(("write", "change", "fault"), SPOILT)
def test_tensors_that_do_not_fit_are_refused(write, change, fault, tmp_path):
    with pytest.raises(GeneratorError, match=rf"bad\.bin: .*{fault}"):
        read_checkpoint(write(tmp_path / "bad.bin", change))


def params(arrays):
    """The binary of `mx.nd.save`."""
    parts = [struct.pack("<QQQ", 0x112, 0, len(arrays))]
    for array in arrays.values():
        head = struct.pack("<IiI", 0xF993FAC9, 0, array.ndim) + struct.pack(f"<{array.ndim}q", *array.shape)
        parts += [head, struct.pack("<iii", 1, 0, 0), array.astype("<f4").tobytes()]
    names = [struct.pack("<Q", len(name)) + name.encode() for name in arrays]
    return b"".join([*parts, struct.pack("<Q", len(arrays)), *names])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lose("9.3.bias"), r"'9\.3\.bias' is missing"),
        (gain_array, "too many"),
        (replace("11.weight", np.zeros((3, 9, 1, 1))), r"\(3, 8, 1, 1\) is due"),
        (replace("2.b", np.zeros(7)), "different widths"),
        (lambda arrays: arrays.clear(), "another network than a PGGAN"),
    ],
)
def test_params_that_do_not_fit_are_refused(change, fault, tmp_path):
    arrays = read_arrays(DATA / "generator_small32_plain.params")
    path = tmp_path / "bad.params"
    path.write_bytes(params(arrays))
    assert path.read_bytes() == (DATA / "generator_small32_plain.params").read_bytes()
    change(arrays)
    path.write_bytes(params(arrays))
    with pytest.raises(GeneratorError, match=fault):
        read_checkpoint(path)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"hello, world", "none that is known"),
        (b"PK\x03\x04" + bytes(50), "archive is damaged"),
        (pickle.dumps({"a": 1}), "no tuple of the networks"),
        (pickle.dumps((1, 2, 3)), "no tuple of the networks"),
    ],
)
def test_other_files_are_refused(content, fault, tmp_path):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(GeneratorError, match=fault):
        read_checkpoint(path)


def test_other_networks_are_refused(tmp_path):
    with pytest.raises(GeneratorError, match="no tuple of the networks"):
        read_checkpoint(DATA / "data_small_p4.dat")
    torch.save(torch.nn.Linear(3, 4).state_dict(), tmp_path / "linear.pth")
    with pytest.raises(GeneratorError, match="another network"):
        read_checkpoint(tmp_path / "linear.pth")
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(GeneratorError, match="another network"):
        read_checkpoint(tmp_path / "other.safetensors")
    with pytest.raises(GeneratorError, match="does not exist"):
        read_checkpoint(tmp_path / "none")


@pytest.mark.parametrize("change", ["missing", "extra", "shape", "channels", "negative", "infinite"])
def test_a_converted_file_that_does_not_fit_is_refused(change, tmp_path):
    network, form = read_checkpoint(DATA / ONE_EACH[0])
    path = tmp_path / "own.safetensors"
    write_own(path, network, DATA / ONE_EACH[0], form)
    state = load_file(path)
    content = path.read_bytes()
    metadata = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])["__metadata__"]
    description = json.loads(metadata["pggan"])
    if change == "missing":
        del state["convs.2.bias"]
    elif change == "extra":
        state["more"] = torch.zeros(1)
    elif change == "shape":
        state["convs.2.bias"] = torch.zeros(3)
    else:
        description |= {"channels": [16, 16, 16, 7]} if change == "channels" else {}
        description |= (
            {"latent_dim": -3} if change == "negative" else {"lod": float("inf")} if change == "infinite" else {}
        )
    save_file(state, path, {"pggan": json.dumps(description)})
    with pytest.raises(GeneratorError, match=r"missing|too many|is due|no PGGAN"):
        read_own(path)


UNREADABLE = "no pickle|pickle is damaged|pickle asks|asks for|no file of torch"
WRONG = {
    "karras": f"no tuple of the networks|{UNREADABLE}",
    "pggan_weights": f"no list of arrays|{UNREADABLE}",
    "stylegan": f"no network G_ema|{UNREADABLE}",
    "gluon": "no MXNet file",
    "interfacegan": f"another network|no state of a generator|{UNREADABLE}",
    "gan_zoo": f"no state of a generator|{UNREADABLE}",
    "safetensors": "truncated or damaged",
}


@pytest.mark.parametrize("name", ONE_EACH)
@pytest.mark.parametrize("form", FORMATS)
def test_a_named_format_is_the_only_one_tried(name, form):
    path = DATA / name
    network, found = read_checkpoint(path)
    if form == found:
        again, named = read_checkpoint(path, form)
        assert named == form
        z = torch.randn(1, 16)
        assert torch.equal(again.images(z), network.images(z))
    else:
        with pytest.raises(GeneratorError, match=WRONG[form]):
            read_checkpoint(path, form)


def test_a_list_that_cannot_tell_fused_from_plain_is_refused(tmp_path):
    arrays = pickle.loads((DATA / "pggan_weights_small32_plain.pkl").read_bytes())
    widened = [np.resize(a, [16 if n == 8 else n for n in a.shape]).astype(np.float32) for a in arrays]
    (tmp_path / "equal.pkl").write_bytes(pickle.dumps(widened))
    with pytest.raises(GeneratorError, match="look the same"):
        read_checkpoint(tmp_path / "equal.pkl")
