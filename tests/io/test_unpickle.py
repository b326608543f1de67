import collections
import copyreg
import io
import os
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch

from hyper.io.torch_file import read_torch
from hyper.io.unpickle import ARRAYS, Inert, StoredArray, read_pickle


def read(content, **others):
    return read_pickle(io.BytesIO(content), **others)


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array([1, 2], ">f4"),
     np.zeros((0, 3), np.float16), np.array([True, False])],
)  # fmt: skip
def test_arrays_of_every_protocol(array, protocol):
    stored, scalar = read(pickle.dumps([array, array.dtype.type(1)], protocol))
    assert isinstance(stored, StoredArray)
    assert np.array_equal(stored.values, array)
    assert stored.values.dtype.isnative
    assert scalar == 1


def test_arrays_of_python_2():
    # protocol 2 of Python 2: bytes are text
    content = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        b"(K\x01K\x02\x85cnumpy\ndtype\nU\x02f4K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        b"\x89U\x08" + np.array([1.5, -2], "<f4").tobytes() + b"tb."
    )
    assert read(content).values.tolist() == [1.5, -2]


def test_ordered_dictionaries():
    assert read(pickle.dumps(collections.OrderedDict(b=1, a=2))) == {"b": 1, "a": 2}


class Call:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "function", [os.system, eval, getattr, np.load, torch.load, copyreg._reconstructor, __import__]
)
def test_other_callables_are_refused_by_name(function, protocol, tmp_path):
    canary = tmp_path / "canary"
    argument = f"touch {canary}" if function is os.system else f"open({str(canary)!r}, 'w')"
    with pytest.raises(pickle.UnpicklingError, match=rf"asks for \S*\.{function.__name__}"):
        read(pickle.dumps(Call(function, argument), protocol))
    assert not canary.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [("numpy", "ndarray.tofile"), ("numpy", "os.system"), ("os", "system"), ("collections", "OrderedDict.fromkeys"),
     ("numpy.core.multiarray", "_reconstruct.__class__"), ("", "numpy.dtype"), ("numpy", ""), ("builtins", "eval")],
)  # fmt: skip
def test_dotted_names_are_not_resolved(module, name):
    texts = b"".join(b"\x8c" + bytes([len(text)]) + text.encode() for text in (module, name))
    with pytest.raises(pickle.UnpicklingError, match="asks for"):
        read(b"\x80\x04" + texts + b"\x93.")


BUILD = {
    "a function": b"c_codecs\nencode\nN}X\x0c\x00\x00\x00__defaults__)s\x86b.",
    "a class": b"cnumpy\nndarray\n}X\x05\x00\x00\x00hello)sb.",
    "the reconstruction": b"cnumpy.core.multiarray\n_reconstruct\n}X\x05\x00\x00\x00_callK\x01sb.",
}


@pytest.mark.parametrize("content", BUILD.values(), ids=BUILD)
def test_the_table_cannot_be_altered(content):
    before = {name: dict(vars(entry)) if isinstance(entry, type) else entry._call for name, entry in ARRAYS.items()}
    with pytest.raises(pickle.UnpicklingError):
        read(b"\x80\x02" + content)
    after = {name: dict(vars(entry)) if isinstance(entry, type) else entry._call for name, entry in ARRAYS.items()}
    assert before == after


def test_stand_ins_keep_their_state_and_do_nothing():
    named = {("tfutil", "Network"): type("Network", (Inert,), {})}
    (network,) = read(b"\x80\x02ctfutil\nNetwork\n)\x81}X\x04\x00\x00\x00nameX\x02\x00\x00\x00Gssb\x85.", allowed=named)
    assert network.state == {"name": "Gs"}
    with pytest.raises(pickle.UnpicklingError, match="no dictionary"):
        read(b"\x80\x02ctfutil\nNetwork\n)\x81K\x01b.", allowed=named)
    with pytest.raises(pickle.UnpicklingError, match=r"asks for tfutil\.Network\.run"):
        read(b"\x80\x04\x8c\x06tfutil\x8c\x0bNetwork.run\x93.", allowed=named)


@pytest.mark.parametrize(
    "array",
    [np.array([object()], object), np.array([b"ab"]), np.array(["ab"]), np.zeros(2, "f4,i4"), np.zeros(1, "M8[s]")],
)
def test_only_numbers_are_read(array):
    content = pickle.dumps(array if array.dtype != object else np.array([None], object))
    with pytest.raises(pickle.UnpicklingError, match="numbers"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04", b"\x80\x04]", b"\x80\x04]r\x00\x00\x00\x10.", b"\x80\x05\x96" + struct.pack("<Q", 1 << 40),
     b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40), b"\x80\x04\x97.", b"\x80\x04\x82\x01.", b"\x80\x04P1\n.", b"hello"],
)  # fmt: skip
def test_damaged_pickles_are_refused(content):
    with pytest.raises(pickle.UnpicklingError):
        read(content)


def test_an_array_of_another_size_than_its_data_is_refused():
    content = pickle.dumps(np.arange(6, dtype=np.uint8), 4).replace(b"K\x06\x85", b"K\x07\x85")
    with pytest.raises(pickle.UnpicklingError, match="has 6 bytes"):
        read(content)


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files(zipped, tmp_path):
    base = torch.arange(24.0).reshape(4, 6)
    tree = {
        "a": base[1:, ::2].T, "b": base, "half": base.half(), "brain": base.bfloat16(), "number": torch.tensor(3),
        "parameter": torch.nn.Parameter(base), "empty": torch.zeros(0, 3), "list": [1, "x", None],
    }  # fmt: skip
    torch.save(tree, tmp_path / "x", _use_new_zipfile_serialization=zipped)
    found = read_torch(tmp_path / "x")
    assert found.pop("list") == tree.pop("list")
    for name, value in tree.items():
        assert torch.equal(found[name].tensor(), value), name
        assert found[name].tensor().dtype == value.dtype


@pytest.mark.parametrize(
    "change",
    [
        (b"K\x04K\x06\x86", b"K\x04K\x07\x86"),
        (b"K\x06K\x01\x86", b"K\x00K\x01\x86"),
        (b"K\x06K\x01\x86", b"K\x09K\x01\x86"),
    ],
)
def test_torch_tensors_beyond_their_storage_are_refused(change, tmp_path):
    torch.save(torch.arange(24.0).reshape(4, 6), tmp_path / "x", _use_new_zipfile_serialization=False)
    content = (tmp_path / "x").read_bytes()
    assert content.count(change[0]) == 1
    (tmp_path / "x").write_bytes(content.replace(*change))
    with pytest.raises(pickle.UnpicklingError, match="exceeds its storage|repeats its numbers"):
        read_torch(tmp_path / "x")


def nested(depth, last=b""):
    """Tuples that hold each other twice."""
    return b"\x80\x04)" + b"".join(b"\x94h" + bytes([i]) + b"\x86" for i in range(depth)) + last + b"."


@pytest.mark.parametrize("last", [b"", b"\x940}h\x3cK\x01s"], ids=["tuple", "key"])
def test_tuples_that_unfold_without_end_are_refused(last):
    with pytest.raises(pickle.UnpicklingError, match="without end"):
        read(nested(60, last))


def test_a_little_nesting_is_read():
    assert len(read(nested(12))) == 2
    shared = (1.5, "x") * 50
    assert read(pickle.dumps([shared] * 1000)) == [shared] * 1000


BYPASSES = {
    "instance": b"(S'touch canary'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'touch canary'\no.",
    "copyreg": b"ccopyreg\n_reconstructor\n(cos\nsystem\nc__builtin__\nobject\nNtR.",
    "copy_reg of Python 2": b"ccopy_reg\n_reconstructor\n(cnumpy\nndarray\nc__builtin__\nobject\nNtR.",
    "new with keywords": b"\x80\x04cos\nsystem\n)}\x92.",
    "a reduced function called": b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n)R)R.",
    "a dotted name in a global": b"cnumpy\nndarray.__class__\n.",
    "decoding by a codec": b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x03\x00\x00\x00zipK\x01tR.",
    "another codec's function": b"c_codecs\ndecode\n(X\x01\x00\x00\x00atR.",
    "extension registry": b"\x80\x02\x84\x01\x00\x00\x00.",
    "persistent identifier": b"S'os.system'\nQ.",
    "persistent text": b"Pos.system\n.",
    "a name on the stack": b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",
    "a name that is no text": b"\x80\x04K\x01K\x02\x93.",
    "attributes of a dictionary": b"ccollections\nOrderedDict\n)R}S'__class__'\ncos\nsystem\nsb.",
    "out of band": b"\x80\x05\x97\x98.",
    "digits without end": b"I" + b"9" * 10000 + b"\n.",
}  # fmt: skip


@pytest.mark.parametrize("content", BYPASSES.values(), ids=BYPASSES)
def test_known_bypasses(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(pickle.UnpicklingError):
        read(content)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "identifier",
    [("storage", os.system, "0", "cpu", 4), ("module", None, "0", "cpu", 4), "os.system", ("storage",), 7],
    ids=["function", "module", "text", "short", "number"],
)
def test_torchs_persistent_identifiers_name_storages_alone(identifier, tmp_path):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            return identifier if value == "here" else None

    stream = io.BytesIO()
    Pickler(stream, 2).dump({"a": "here"})
    with zipfile.ZipFile(tmp_path / "x.pth", "w") as archive:
        archive.writestr("x/data.pkl", stream.getvalue())
        archive.writestr("x/data/0", bytes(16))
    with pytest.raises(pickle.UnpicklingError, match="asks for|refers to|not torch's"):
        read_torch(tmp_path / "x.pth")


def test_an_archive_whose_entries_overlap_is_refused(tmp_path):
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", b"\x80\x02}.")
        archive.writestr("x/data/0", bytes(50_000))
        archive.filelist += [archive.getinfo("x/data/0")] * 300
    with pytest.raises(pickle.UnpicklingError, match="more than the file holds"):
        read_torch(path)
