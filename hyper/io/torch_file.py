"""Read files of ``torch.save``, zipped and legacy, without running anything of theirs.

``torch.load(weights_only=True)`` runs nothing either, but allocates what a header announces and knows no stand-ins
for the objects that some checkpoints carry beside their tensors.
"""

import io
import pickle
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from hyper.io.unpickle import Function, Inert, Name, read_pickle

MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class _StorageType:
    """Stand-in for a class such as ``torch.FloatStorage``."""

    def __init__(self, dtype: torch.dtype) -> None:
        self.dtype = dtype

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a type")


class _Storage:
    """One run of numbers; its values are filled in when the file has been read that far."""

    def __init__(self, dtype: torch.dtype, count: int) -> None:
        self.values = torch.empty(0, dtype=dtype)
        self.dtype, self.count = dtype, count

    def fill(self, raw: bytes) -> None:
        if len(raw) != self.count * self.dtype.itemsize:
            fault = f"it is truncated or damaged: a storage of {self.count} numbers has {len(raw)} bytes of data"
            raise pickle.UnpicklingError(fault)
        self.values = torch.frombuffer(bytearray(raw), dtype=self.dtype) if raw else self.values

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a storage")


class StoredTensor:
    """A tensor as stored: a view of a storage."""

    def __init__(self, storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
        self._storage, self._offset, self._size, self._stride = storage, offset, size, stride

    def tensor(self) -> Tensor:
        """Return a copy of the values."""
        view = self._storage.values.as_strided(self._size, self._stride, self._offset)
        return view.clone(memory_format=torch.contiguous_format)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a tensor")


def _rebuild(storage: Any, offset: Any, size: Any, stride: Any, *_: object) -> StoredTensor:
    sizes_fit = isinstance(size, tuple) and isinstance(stride, tuple) and len(size) == len(stride)
    if not sizes_fit or not all(type(n) is int and n >= 0 for n in (offset, *size, *stride)):
        raise pickle.UnpicklingError("a tensor's shape is not torch's")
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a tensor has no storage")
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if 0 not in size and last >= storage.count:
        raise pickle.UnpicklingError(f"a tensor of shape {size} exceeds its storage of {storage.count} numbers")
    if any(n > 1 and step == 0 for n, step in zip(size, stride, strict=True)):
        raise pickle.UnpicklingError("a tensor repeats its numbers")
    return StoredTensor(storage, offset, size, stride)


def _parameter(data: Any, *_: object) -> StoredTensor:
    if not isinstance(data, StoredTensor):
        raise pickle.UnpicklingError("a parameter has no tensor")
    return data


TENSORS: dict[Name, Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): Function(_rebuild),
    ("torch._utils", "_rebuild_parameter"): Function(_parameter),
    **{("torch", name): _StorageType(dtype) for name, dtype in _DTYPES.items()},
}


_SCRIPT: dict[Name, Any] = {
    ("torch.jit._pickle", f"build_{kind}list"): Function(lambda values: list(values))
    for kind in ("int", "tensor", "double", "bool")
}


class _Storages:
    """The storages that a pickle refers to, by key."""

    def __init__(self) -> None:
        self.found: dict[str, _Storage] = {}

    def __call__(self, identifier: Any) -> _Storage:
        if not (isinstance(identifier, tuple) and len(identifier) in (5, 6) and identifier[0] == "storage"):
            raise pickle.UnpicklingError("it refers to something else than storages")
        _, kind, key, _, count, *views = identifier
        if not isinstance(kind, _StorageType) or not isinstance(key, str) or type(count) is not int or count < 0:
            raise pickle.UnpicklingError("a storage is not torch's")
        if views and views[0] is not None:
            raise pickle.UnpicklingError("a storage is a view of another, which torch has not written since 0.4")
        storage = self.found.setdefault(key, _Storage(kind.dtype, count))
        if (storage.dtype, storage.count) != (kind.dtype, count):
            raise pickle.UnpicklingError(f"the storage {key} is announced twice, differently")
        return storage


def read_torch(path: str | Path, objects: tuple[Name, ...] = (), scripted: bool = False) -> Any:
    """Read what ``torch.save`` wrote.

    Parameters
    ----------
    path : str or Path
    objects : tuple of (module, name)
        Classes that become `Inert`.
    scripted : bool
        Read what ``torch.jit.save`` wrote too: the modules of a script become `Inert`, its code is not looked at.

    Returns
    -------
    object
        Plain containers and values, `StoredTensor` for tensors, `Inert` for the objects named.

    Raises
    ------
    pickle.UnpicklingError
        When the file is damaged, or asks for anything but tensors and the objects named.
    OSError
        When it cannot be opened.
    """
    allowed: Mapping[Name, Any] = {**TENSORS, **{name: type(name[1], (Inert,), {}) for name in objects}}
    data = Path(path).read_bytes()
    storages = _Storages()
    if data[:2] == b"PK":
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if sum(entry.file_size for entry in archive.infolist()) > len(data):
                    raise pickle.UnpicklingError("its archive is damaged (it announces more than the file holds)")
                return _read_zip(archive, allowed, storages, scripted)
        except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, ValueError) as fault:
            raise pickle.UnpicklingError(f"its archive is damaged ({fault})") from fault
    return _read_legacy(io.BytesIO(data), allowed, storages)


def _read_zip(archive: zipfile.ZipFile, allowed: Mapping[Name, Any], storages: _Storages, scripted: bool) -> Any:
    entries = [entry for entry in archive.infolist() if not (scripted and "/code/" in entry.filename)]
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise pickle.UnpicklingError("its archive is compressed, which torch never does")
    roots = [name.removesuffix("data.pkl") for name in archive.namelist() if name.count("/") == 1]
    roots = [root for root in roots if f"{root}data.pkl" in archive.namelist()]
    if not roots:
        raise pickle.UnpicklingError("it is a zip archive but not torch's")
    order = f"{roots[0]}byteorder"
    if order in archive.namelist() and archive.read(order) != b"little":
        raise pickle.UnpicklingError("it was written on a big-endian machine")
    data = archive.read(f"{roots[0]}data.pkl")
    if scripted:
        allowed = {**_SCRIPT, **_script_classes(data), **allowed}
    tree = read_pickle(io.BytesIO(data), allowed, storages)
    for key, storage in storages.found.items():
        storage.fill(archive.read(f"{roots[0]}data/{key}"))
    return tree


def _script_classes(data: bytes) -> dict[Name, Any]:
    """Stand-ins for the classes of a script, all of which live under ``__torch__``."""
    try:
        named = [str(argument) for opcode, argument, _ in pickletools.genops(data) if opcode.name == "GLOBAL"]
    except Exception as fault:
        raise pickle.UnpicklingError(f"its pickle is damaged ({fault})") from fault
    pairs = [tuple(name.split(" ", 1)) for name in named if name.startswith("__torch__.")]
    return {(module, name): type(name, (Inert,), {}) for module, name in pairs}


def _read_legacy(file: io.BytesIO, allowed: Mapping[Name, Any], storages: _Storages) -> Any:
    """Magic number, protocol, machine, tree, keys as five pickles; then each storage: a count and its numbers."""
    if read_pickle(file) != MAGIC or read_pickle(file) != _PROTOCOL:
        raise pickle.UnpicklingError("it is no file of torch")
    machine = read_pickle(file)
    if not isinstance(machine, dict) or machine.get("little_endian") is not True:
        raise pickle.UnpicklingError("it was written on a big-endian machine")
    tree = read_pickle(file, allowed, storages)
    keys = read_pickle(file)
    if not isinstance(keys, list) or sorted(map(str, keys)) != sorted(storages.found):
        raise pickle.UnpicklingError("its list of storages is not that of its tensors")
    for key in keys:
        storage = storages.found[key]
        if int.from_bytes(file.read(8), "little") != storage.count:
            raise pickle.UnpicklingError("it is truncated, or a storage has another size than announced")
        storage.fill(file.read(storage.count * storage.dtype.itemsize))
    return tree


def read_storage(data: Any) -> _Storage:
    """Read a storage that ``torch.save`` wrote by itself into bytes, as plain pickles of tensors hold it.

    Raises
    ------
    pickle.UnpicklingError
        When the bytes are damaged, or hold anything else.
    """
    if not isinstance(data, bytes):
        raise pickle.UnpicklingError("a storage is no bytes")
    storage = _read_legacy(io.BytesIO(data), TENSORS, _Storages())
    if not isinstance(storage, _Storage):
        raise pickle.UnpicklingError("a storage is not torch's")
    return storage
