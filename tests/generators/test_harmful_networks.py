"""Network pickles made to harm, or altered: nothing of them is executed, and what is unknown is refused by name."""

import io
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.own import read_own, write_own
from hyper.generators.checkpoints.recognise import read_checkpoint
from tests.generators.stylegan_cases import (
    KINDS,
    SOURCE,
    set_argument,
    set_state,
    set_tensor,
    stored,
    stub_modules,
    write_stylegan,
)


class Payload:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (Path(self.canary),)


def in_tree(tree, payload):
    tree["augment_pipe"] = payload


def in_arguments(tree, payload):
    tree["G_ema"].state["_init_kwargs"]["z_dim"] = payload


def in_state(tree, payload):
    tree["G_ema"]["synthesis.input"].state["_parameters"]["weight"] = payload


def in_class_name(tree, payload):
    tree["G_ema"].meta["class_name"] = payload


@pytest.mark.parametrize("place", [in_tree, in_arguments, in_state, in_class_name])
def test_a_payload_is_not_executed(place, tmp_path):
    canary = tmp_path / "canary"
    path = write_stylegan(tmp_path / "bad.pkl", lambda tree: place(tree, Payload(str(canary))))
    with pytest.raises(GeneratorError, match=r"bad\.pkl: it asks for pathlib"):
        read_checkpoint(path)
    assert not canary.exists()
    with stub_modules():
        pickle.loads(path.read_bytes())
    assert canary.exists()  # the payload is a live one


def nested(content):
    """A storage that ``torch.save`` wrote, with other content in place of the storage."""
    file = io.BytesIO()
    torch.save(content, file, _use_new_zipfile_serialization=False)
    return file.getvalue()


# what plain pickles hold of a tensor: its storage alone
STORAGE = nested(torch.zeros(100)._typed_storage())


class Nested:
    """A tensor whose storage is read from given bytes."""

    def __init__(self, content):
        self.content = content

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.content,)


def test_a_payload_in_the_file_within_the_pickle_is_not_executed(tmp_path):
    canary = tmp_path / "canary"
    content = Nested(nested(Payload(str(canary))))
    path = write_stylegan(tmp_path / "bad.pkl", lambda tree: in_state(tree, content))
    with pytest.raises(GeneratorError, match=r"it asks for (pathlib|__builtin__\.getattr)"):
        read_checkpoint(path)
    assert not canary.exists()
    torch.load(io.BytesIO(content.content), weights_only=False)
    assert canary.exists()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (nested({"a": 1}), "a storage is not torch's"),
        (STORAGE[:-8], "truncated"),
        (b"\x80\x02K\x01.", "no file of torch"),
        (b"", "truncated"),
        ("text", "no bytes"),
    ],
)
def test_a_storage_that_is_none_is_refused(content, reason, tmp_path):
    path = write_stylegan(tmp_path / "bad.pkl", lambda tree: in_state(tree, Nested(content)))
    with pytest.raises(GeneratorError, match=reason):
        read_checkpoint(path)


def test_a_storage_larger_than_its_file_allocates_nothing(tmp_path):
    grown = STORAGE.replace(b"Kd", b"J" + struct.pack("<i", 1 << 30), 1)
    path = write_stylegan(tmp_path / "bad.pkl", lambda tree: in_state(tree, Nested(grown)))
    with pytest.raises(GeneratorError, match="storage"):
        read_checkpoint(path)


def test_files_within_files_within_files_are_refused(tmp_path):
    inner = Nested(STORAGE)
    path = write_stylegan(tmp_path / "bad.pkl", lambda tree: in_state(tree, Nested(nested(inner))))
    with pytest.raises(GeneratorError, match=r"it asks for torch\.storage\._load_from_bytes"):
        read_checkpoint(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_source_code_in_a_pickle_is_not_run(kind, tmp_path):
    canary = tmp_path / "canary"
    path = write_stylegan(tmp_path / "x.pkl", lambda tree: None, kind, source=f"open({str(canary)!r}, 'w')")
    assert str(canary).encode() in path.read_bytes()
    before = set(sys.modules)
    assert read_checkpoint(path)[1] == "stylegan"
    assert not canary.exists()
    assert not [name for name in set(sys.modules) - before if "imported_module" in name or "torch_utils" in name]


class Altering:
    """A network that is altered after it was made, by pickle's BUILD."""

    def __reduce__(self):
        function = sys.modules["torch_utils.persistence"]._reconstruct_persistent_obj
        meta = {"type": "class", "version": 6, "module_src": SOURCE, "class_name": "X", "state": {}}
        return function, (meta,), {"class_name": "Y"}


def test_a_network_is_not_altered_after_it_was_made(tmp_path):
    with stub_modules():
        (tmp_path / "x.pkl").write_bytes(pickle.dumps({"G_ema": Altering()}))
    with pytest.raises(GeneratorError, match="tries to alter a network"):
        read_checkpoint(tmp_path / "x.pkl")


REFUSED = {
    "argument": (set_argument("surprise", 3), "surprise = 3, which is unknown"),
    "value": (set_argument("img_channels", 1), "img_channels = 1, which is unknown"),
    "version": (lambda tree: tree["G_ema"].meta.update(version=7), "version 7 where 6 is due"),
    "type": (lambda tree: tree["G_ema"].meta.update(type="function"), "not that of torch_utils"),
    "no part": (lambda tree: tree["G_ema"].state["_modules"].pop("mapping"), "lacks the part 'mapping'"),
    "no generator": (lambda tree: tree.pop("G_ema"), "no tuple of the networks"),
    "missing": (set_tensor("synthesis.input", "freqs", None), "lacks the tensor 'freqs'"),
    "extra": (set_tensor("synthesis.input", "more", torch.zeros(2)), "the tensor 'more', which is unknown"),
    "shape": (set_tensor("mapping", "w_avg", torch.zeros(3)), "mean styles of shape"),
    "not finite": (set_tensor("mapping", "w_avg", torch.full((16,), torch.nan)), "not finite"),
    "activation": (set_state("mapping.fc0", activation="relu"), "activation = 'relu', which is unknown"),
    "gain": (set_state("mapping.fc0", weight_gain="x"), "weight_gain, no number"),
    "layers": (set_state("synthesis", layer_names=["L0"]), "other layers than it names"),
    "no number": (set_state("synthesis.input", bandwidth=None), "bandwidth, no number"),
    "huge": (set_state("synthesis.L0_24_8", out_size=np.array([1 << 40] * 2)), "is no layer of it"),
    "filter": (set_tensor("synthesis.L0_24_8", "up_filter", torch.ones(12) / 12), "does not follow from its freq"),
    "cutoff": (set_state("synthesis.L0_24_8", in_cutoff=1e9), "is no layer of it"),
    "rate": (set_state("synthesis.L0_24_8", tmp_sampling_rate=0), "is no layer of it"),
    "magnitude": (set_tensor("synthesis.L0_24_8", "magnitude_ema", 0.0), "magnitude_ema that is not positive"),
}
REFUSED2 = {
    "architecture": (set_state("synthesis.b8", architecture="resnet"), "architecture = 'resnet', which is unknown"),
    "filter": (set_tensor("synthesis.b8.conv0", "resample_filter", torch.ones(4, 4) / 16), r"not \[1, 3, 3, 1\]"),
    "clamp": (set_state("synthesis.b8.conv0", conv_clamp=3.0), "clips its layers to different values"),
    "kernel": (set_tensor("synthesis.b8.conv0", "weight", torch.zeros(8, 8, 5, 5)), "of shape"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_unknown_is_refused(case, tmp_path):
    change, reason = REFUSED[case]
    path = write_stylegan(tmp_path / "x.pkl", change)
    with pytest.raises(GeneratorError, match=reason):
        read_checkpoint(path)


@pytest.mark.parametrize("case", REFUSED2)
def test_what_is_unknown_of_stylegan2_is_refused(case, tmp_path):
    change, reason = REFUSED2[case]
    path = write_stylegan(tmp_path / "x.pkl", change, "stylegan2")
    with pytest.raises(GeneratorError, match=reason):
        read_checkpoint(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_pickle_is_refused(kind, tmp_path):
    content = stored(kind).read_bytes()
    for length in (20, len(content) // 3, len(content) - 40):
        (tmp_path / "x.pkl").write_bytes(content[:length])
        with pytest.raises(GeneratorError):
            read_checkpoint(tmp_path / "x.pkl")


def test_another_format_is_not_read_as_this_one(tmp_path):
    with pytest.raises(GeneratorError):
        read_checkpoint(stored("stylegan2"), "karras")
    with pytest.raises(GeneratorError):
        read_checkpoint(stored("stylegan2"), "gan_zoo")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"kind": "stylegan', '"kind": "another'),
        ('"widths": [', '"widths": [-3, '),
        ('"mapping": {', '"mapping": {"surprise": 1, '),
        ('"clamp": 256', '"clamp": "much"'),
        ('"classes": ', '"classes": 7'),
    ],
)
def test_converted_files_with_other_metadata_are_refused(kind, old, new, tmp_path):
    network, form = read_checkpoint(stored(kind))
    path = tmp_path / "own.safetensors"
    write_own(path, network, stored(kind), form)
    with safe_open(path, "pt") as file:
        (description,) = file.metadata().values()
    assert old in description
    save_file(load_file(path), path, {"stylegan": description.replace(old, new)})
    with pytest.raises(GeneratorError):
        read_own(path)
