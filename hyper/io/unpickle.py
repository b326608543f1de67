"""Read pickles of arrays without running anything of theirs.

A pickle is a program: it names callables and has them called. Here every name is looked up in a table of exact
(module, name) pairs, the table's entries are stand-ins of this module, and nothing is ever imported.
"""

import io
import pickle
import pickletools
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from hyper.io.unfolding import check_unfolding

Name = tuple[str, str]


class Inert:
    """Stand-in for a class of the file: keeps the state it is given and does nothing.

    Attributes
    ----------
    state : dict
        What the pickle stored as the object's attributes.
    """

    def __init__(self, *arguments: object) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, dict):
            raise pickle.UnpicklingError("an object's state is no dictionary")
        self.state = state


class StoredArray:
    """Stand-in for ``numpy.ndarray``.

    Attributes
    ----------
    values : ndarray
        Empty until the pickle has stored the data.
    """

    def __init__(self) -> None:
        self.values = np.empty(0)

    def __setstate__(self, state: object) -> None:
        if not (isinstance(state, tuple) and len(state) == 5):
            raise pickle.UnpicklingError("an array's state is not numpy's")
        _, shape, dtype, fortran, raw = state
        self.values = _array(raw, dtype, shape, "F" if fortran else "C")


class StoredDtype:
    """Stand-in for ``numpy.dtype``: numbers only."""

    def __init__(self, code: object, *_: object) -> None:
        if not (isinstance(code, str) and re.fullmatch(r"[<>=|]?(f[248]|[iu][1248]|b1)", code)):
            raise pickle.UnpicklingError(f"an array holds {code!r}, not numbers")
        self.code = code.lstrip("<>=|")
        self.order = code[0] if code[0] in "<>=|" else "="

    def __setstate__(self, state: object) -> None:
        # numpy's state: version, byte order, subarray, names, fields, item size, alignment, flags
        if not (isinstance(state, tuple) and len(state) >= 5 and state[1] in ("<", ">", "=", "|")):
            raise pickle.UnpicklingError("a dtype's state is not numpy's")
        if any(part is not None for part in state[2:5]):
            raise pickle.UnpicklingError("an array holds records, not numbers")
        self.order = state[1]

    def numpy(self) -> np.dtype:
        """Return the dtype."""
        return np.dtype(self.order + self.code)


class Ordered(OrderedDict):
    """``collections.OrderedDict`` that takes no attributes (torch stores ``_metadata`` on its state dicts)."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)

    def __setstate__(self, state: object) -> None:
        pass


class Function:
    """A function that a pickle may call but not alter: its BUILD instruction could set a function's defaults."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        """Call it."""
        return self._call(*arguments)

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a function")


def _raw(data: object) -> bytes:
    if isinstance(data, str):  # Python 2 stored bytes as text
        return data.encode("latin1")
    if not isinstance(data, (bytes, bytearray)):
        raise pickle.UnpicklingError("an array's data are no bytes")
    return bytes(data)


def _array(data: object, dtype: object, shape: object, order: object) -> np.ndarray:
    raw = _raw(data)
    if not isinstance(dtype, StoredDtype) or order not in ("C", "F"):
        raise pickle.UnpicklingError("an array's state is not numpy's")
    if not (isinstance(shape, tuple) and all(type(size) is int and size >= 0 for size in shape)):
        raise pickle.UnpicklingError("an array's shape is no tuple of sizes")
    kind = dtype.numpy()
    if int(np.prod(shape, dtype=object)) * kind.itemsize != len(raw):
        raise pickle.UnpicklingError(f"an array of shape {shape} has {len(raw)} bytes of data")
    values = np.frombuffer(raw, kind).reshape(shape, order=order)  # type: ignore[call-overload]
    return values.astype(kind.newbyteorder("="))


def _scalar(dtype: object, data: object) -> np.ndarray:
    return _array(data, dtype, (), "C")


def _frombuffer(data: object, dtype: object, shape: object, order: object) -> StoredArray:
    stored = StoredArray()
    stored.values = _array(data, dtype, shape, order)
    return stored


def _reconstruct(*_: object) -> StoredArray:
    return StoredArray()


def _no_bytes() -> bytes:
    return b""


def _encode(text: object, encoding: object) -> bytes:
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError("it encodes something else than bytes")
    return text.encode("latin1")


ARRAYS: dict[Name, Any] = {
    ("numpy", "ndarray"): StoredArray,
    ("numpy", "dtype"): StoredDtype,
    ("_codecs", "encode"): Function(_encode),
    ("__builtin__", "bytes"): Function(_no_bytes),  # how protocol 2 writes no bytes at all
    ("collections", "OrderedDict"): Ordered,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): Function(_reconstruct) for core in ("core", "_core")},
    **{(f"numpy.{core}.multiarray", "scalar"): Function(_scalar) for core in ("core", "_core")},
    **{(f"numpy.{core}.numeric", "_frombuffer"): Function(_frombuffer) for core in ("core", "_core")},
}


class AllowListUnpickler(pickle.Unpickler):
    """Unpickler that knows the names of a table and refuses all others.

    Parameters
    ----------
    file : file object
    allowed : mapping of (module, name) to stand-in
    persistent : callable, optional
        Meaning of a persistent identifier; refused when not given.
    """

    def __init__(
        self, file: io.BytesIO, allowed: Mapping[Name, Any], persistent: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__(file, encoding="latin1")
        self._allowed, self._persistent = allowed, persistent

    def find_class(self, module: str, name: str) -> Any:
        """Return the stand-in of a name; dotted names are never resolved."""
        if (module, name) not in self._allowed:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of such a checkpoint")
        return self._allowed[module, name]

    def persistent_load(self, identifier: Any) -> Any:
        """Return the object of a persistent identifier."""
        if self._persistent is None:
            raise pickle.UnpicklingError("it refers to objects outside the file")
        return self._persistent(identifier)


def read_pickle(
    file: io.BytesIO, allowed: Mapping[Name, Any] | None = None, persistent: Callable[[Any], Any] | None = None
) -> Any:
    """Read the next pickle of a file in memory, running nothing of it.

    Parameters
    ----------
    file : BytesIO
        Left behind the pickle.
    allowed : mapping of (module, name) to stand-in, optional
        Names beyond `ARRAYS`.
    persistent : callable, optional
        Meaning of a persistent identifier.

    Returns
    -------
    object
        Plain containers and values, `StoredArray` for arrays, stand-ins for objects.

    Raises
    ------
    pickle.UnpicklingError
        When the pickle is damaged or asks for anything that is not in the table.
    """
    start = file.tell()
    _check_sizes(file)
    file.seek(start)
    try:
        return AllowListUnpickler(file, {**ARRAYS, **(allowed or {})}, persistent).load()
    except pickle.UnpicklingError:
        raise
    except Exception as fault:  # a damaged pickle raises nearly anything
        raise pickle.UnpicklingError(f"its pickle is damaged ({type(fault).__name__}: {fault})") from fault


def _indexed(file: io.BytesIO) -> Iterator[tuple[pickletools.OpcodeInfo, Any, int | None]]:
    for count, (opcode, argument, place) in enumerate(pickletools.genops(file)):
        if "PUT" in opcode.name and isinstance(argument, int) and argument > count + 1:
            raise pickle.UnpicklingError("its pickle is damaged (a memo index beyond its instructions)")
        yield opcode, argument, place


def _check_sizes(file: io.BytesIO) -> None:
    """Walk the instructions once: lengths must fit the file, memo indices the instructions so far, objects memory."""
    try:
        check_unfolding(_indexed(file))
    except pickle.UnpicklingError:
        raise
    except Exception as fault:
        reason = str(fault).splitlines()[0][:100] if str(fault) else type(fault).__name__
        raise pickle.UnpicklingError(f"it is truncated or no pickle ({reason})") from fault
