"""Files made to harm: nothing of them is executed, and no size they announce is believed."""

import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.chainer import read_linear_decoder
from hyper.generators.checkpoints.recognise import FORMATS, read_checkpoint
from tests.generators.checkpoint_cases import DATA, ONE_EACH, write_karras


def huge_params():
    return struct.pack("<QQQIiIqqiii", 0x112, 0, 1, 0xF993FAC9, 0, 2, 1 << 14, 1 << 13, 1, 0, 0) + bytes(900)


def huge_count():
    return struct.pack("<QQQ", 0x112, 0, 1 << 29) + bytes(900)


def huge_memo():
    return b"\x80\x04]r" + struct.pack("<I", 1 << 26) + b"." + bytes(900)


def huge_bytearray():
    return b"\x80\x05\x96" + struct.pack("<Q", 1 << 29) + bytes(900)


def huge_safetensors():
    return struct.pack("<Q", 1 << 29) + b"{" + bytes(900)


@pytest.mark.parametrize("make", [huge_params, huge_count, huge_memo, huge_bytearray, huge_safetensors])
def test_a_header_larger_than_the_file_allocates_nothing(make, tmp_path):
    path = tmp_path / "huge.bin"
    path.write_bytes(make())
    tracemalloc.start()
    with pytest.raises(GeneratorError, match=r"truncated|damaged"):
        read_checkpoint(path)
    for form in FORMATS:
        with pytest.raises(GeneratorError):
            read_checkpoint(path, form)
    assert tracemalloc.get_traced_memory()[1] < 5e6
    tracemalloc.stop()


@pytest.mark.parametrize("legacy", [False, True])
def test_a_torch_storage_larger_than_the_file_is_refused(legacy, tmp_path):
    path = tmp_path / "huge.pth"
    torch.save({"layer0.conv.weight": torch.zeros(100)}, path, _use_new_zipfile_serialization=not legacy)
    grown = path.read_bytes().replace(b"Kd", b"J" + struct.pack("<i", 1 << 27), 1)
    if not legacy:  # the archive is written anew, for its own sizes to agree
        with zipfile.ZipFile(path) as old:
            entries = {name: old.read(name) for name in old.namelist()}
        with zipfile.ZipFile(path, "w") as new:
            for name, content in entries.items():
                new.writestr(
                    name, content.replace(b"Kd", b"J" + struct.pack("<i", 1 << 27), 1) if "pkl" in name else content
                )
        grown = path.read_bytes()
    path.write_bytes(grown)
    with pytest.raises(GeneratorError, match="storage"):
        read_checkpoint(path)


def test_an_npz_that_announces_more_than_it_holds_is_refused(tmp_path):
    path = tmp_path / "huge.model"
    np.savez(path.with_suffix(".npz"), **{"fc1/W": np.zeros((10, 10), np.float32), "fc1/b": np.zeros(10, np.float32)})
    with zipfile.ZipFile(path.with_suffix(".npz")) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"(10, 10), }        ", b"(10000, 10000), }  ", 1))
    with pytest.raises(GeneratorError, match="announces 400000000 bytes"):
        read_linear_decoder(path)


@pytest.mark.parametrize("flags", [0, 0x800], ids=["directory", "name"])
def test_an_archive_with_a_damaged_directory_is_refused(flags, tmp_path):
    path = tmp_path / "x.model"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", bytes(100))
    content = bytearray(path.read_bytes())
    start = content.index(b"PK\x01\x02")
    if flags:  # a name that says it is UTF-8 and is not
        content[start + 8 : start + 10] = struct.pack("<H", flags)
        content[start + 46 : start + 48] = b"\xff\xfe"
    else:
        content[start : start + 4] = b"PK\0\0"
    path.write_bytes(content)
    with pytest.raises(GeneratorError, match="its archive is damaged"):
        read_checkpoint(path)
    with pytest.raises(GeneratorError):
        read_linear_decoder(path)


def test_a_decoder_whose_entries_overlap_is_refused(tmp_path):
    path = tmp_path / "x.model"
    np.savez(path.with_suffix(".npz"), **{"fc1/W": np.zeros((90, 90), np.float32), "fc1/b": np.zeros(90, np.float32)})
    with zipfile.ZipFile(path.with_suffix(".npz")) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.filelist += [new.getinfo("fc1/W.npy")] * 100
    with pytest.raises(GeneratorError, match="overlap"):
        read_linear_decoder(path)


@pytest.mark.parametrize("name", [n for n in ONE_EACH if "pkl" not in n])
def test_the_decoder_refuses_other_files(name):
    with pytest.raises(GeneratorError):
        read_linear_decoder(DATA / name)


class Payload:
    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return Path.touch, (Path(self.canary),)


def as_pickle(payload, path):
    path.write_bytes(pickle.dumps((payload, payload, payload)))


def as_list(payload, path):
    path.write_bytes(pickle.dumps([np.zeros(3), payload]))


def as_old_pickle(payload, path):
    path.write_bytes(pickle.dumps([payload], protocol=0))


def as_torch(payload, path):
    torch.save({"avgG": {}, "config": payload}, path)


def as_legacy_torch(payload, path):
    torch.save({"layer0.conv.weight": payload}, path, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("write", [as_pickle, as_list, as_old_pickle, as_torch, as_legacy_torch])
def test_a_payload_is_not_executed(write, tmp_path):
    canary, path = tmp_path / "canary", tmp_path / "bad.pkl"
    write(Payload(str(canary)), path)
    with pytest.raises(GeneratorError, match=r"bad\.pkl: it asks for (pathlib|__builtin__\.getattr)"):
        read_checkpoint(path)
    for form in FORMATS:
        with pytest.raises(GeneratorError):
            read_checkpoint(path, form)
    assert not canary.exists()
    torch.load(path, weights_only=False) if "torch" in write.__name__ else pickle.loads(path.read_bytes())
    assert canary.exists()  # the payload is a live one


def test_the_source_code_in_a_pickle_is_not_run(tmp_path):
    canary = tmp_path / "canary"
    path = write_karras(tmp_path / "source.pkl", lambda variables: None, source=f"open({str(canary)!r}, 'w')")
    assert str(canary).encode() in path.read_bytes()
    assert read_checkpoint(path)[1] == "karras"
    assert not canary.exists()
