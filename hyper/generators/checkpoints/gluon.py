"""MXNet ``.params`` of the Gluon PGGAN, under both of its naming schemes."""

import re
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.tensors import MEND, Pair, Plain, Tensors, count_levels

MAGIC = 0x112
_ARRAY_MAGICS = (0xF993FAC9, 0xF993FACA)
_DTYPES = {0: "<f4", 1: "<f8", 2: "<f2", 3: "u1", 4: "<i4", 5: "i1", 6: "<i8"}
_MOST_DIMENSIONS = 32


class _Bytes:
    """A file in memory that refuses to read beyond its end."""

    def __init__(self, path: str | Path) -> None:
        self.path, self._data, self._at = path, Path(path).read_bytes(), 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if not 0 <= count <= self.left:
            raise self.fault(f"it is truncated: {count} bytes are announced where {self.left} are left")
        self._at += count
        return self._data[self._at - count : self._at]

    def numbers(self, form: str) -> tuple[int, ...]:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))

    def fault(self, reason: str) -> GeneratorError:
        return GeneratorError(self.path, reason, MEND)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read the arrays of a ``.params`` file; every announced size is compared to the file's before it is used.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    GeneratorError
        When the file is truncated or no ``.params`` file of dense arrays.
    """
    file = _Bytes(path)
    magic, _, count = file.numbers("QQQ")
    if magic != MAGIC:
        raise file.fault("it is no MXNet file")
    if count > file.left:
        raise file.fault(f"it is truncated: {count} arrays are announced where {file.left} bytes are left")
    arrays = [_read_array(file) for _ in range(count)]
    (named,) = file.numbers("Q")
    if named != count:
        raise file.fault(f"it holds {count} arrays but {named} names")
    names = [_read_name(file) for _ in range(named)]
    if len(set(names)) < count or file.left:
        raise file.fault("its names repeat, or more follows behind them")
    return dict(zip(names, arrays, strict=True))


def _read_array(file: _Bytes) -> np.ndarray:
    magic, storage, ndim = file.numbers("Iii")
    if magic not in _ARRAY_MAGICS or storage != 0 or not 0 < ndim <= _MOST_DIMENSIONS:
        raise file.fault("it holds something else than dense arrays, or is damaged")
    shape = file.numbers(f"{ndim}q")
    _, _, code = file.numbers("iii")  # device type and number, data type
    if code not in _DTYPES or min(shape) < 0:
        raise file.fault(f"it holds an array of unknown data type {code}, or is damaged")
    dtype = np.dtype(_DTYPES[code])
    size = dtype.itemsize
    for length in shape:  # Python's integers cannot overflow
        size *= length
    return np.frombuffer(file.take(size), dtype).reshape(shape).copy()


def _read_name(file: _Bytes) -> str:
    (length,) = file.numbers("Q")
    try:
        return file.take(length).decode()
    except UnicodeDecodeError as fault:
        raise file.fault("its names are no text") from fault


def read_gluon(path: str | Path, arrays: Mapping[str, np.ndarray]) -> Plain:
    """Return the weights; they are stored with the equalised learning rate folded in.

    Raises
    ------
    GeneratorError
        When an array is missing, too many or of another shape.
    """
    names = _current_names(arrays)
    first = (re.fullmatch(r"\d+\.0\.weight", name) for name in names)
    levels = count_levels(path, sum(match is not None for match in first))
    tensors = Tensors(path, names)
    kernel = tensors.take("1.weight", (None, None))
    width = kernel.shape[0] // 16
    bias = tensors.take("2.b", names["2.b"].shape if "2.b" in names else (width,)).flatten()
    if kernel.shape[0] != 16 * width or bias.shape != (width,):
        raise GeneratorError(path, "its first layer and that layer's bias are of different widths", MEND)
    convs = [_layer(tensors, "5", (width, width, 3, 3))]
    for index in range(8, 7 + levels):
        convs.append(_layer(tensors, f"{index}.0", (None, width, 3, 3)))
        width = convs[-1][0].shape[0]
        convs.append(_layer(tensors, f"{index}.3", (width, width, 3, 3)))
    rgb = {levels - 1: _layer(tensors, str(7 + levels), (3, width, 1, 1))}
    tensors.finish()
    return Plain((kernel, bias.repeat_interleave(16)), convs, rgb)


def _layer(tensors: Tensors, name: str, shape: tuple[int | None, ...]) -> Pair:
    weight = tensors.take(f"{name}.weight", shape)
    return weight, tensors.take(f"{name}.bias", (weight.shape[0],))


def _current_names(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename ``block0_conv1_weight`` and the like to ``8.3.weight``, the place in the network."""
    blocks = sum(re.fullmatch(r"block\d+_conv0_weight", name) is not None for name in arrays)
    legacy = {"dense0_weight": "1.weight", "bias0_b": "2.b"}
    for part in ("weight", "bias"):
        legacy |= {f"conv0_{part}": f"5.{part}", f"conv1_{part}": f"{8 + blocks}.{part}"}
        for block in range(blocks):
            legacy |= {f"block{block}_conv{i}_{part}": f"{8 + block}.{3 * i}.{part}" for i in (0, 1)}
    return {legacy.get(name, name): values for name, values in arrays.items()}
