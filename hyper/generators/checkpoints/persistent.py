"""The pickles of NVIDIA's ``torch_utils.persistence``: networks with their source code, which is left alone.

What a pickle holds of a network is a dictionary: type, version, source, class name and state. Here it becomes
`Persistent`; tensors come as files of ``torch.save`` in the legacy form within the pickle, read as such files are.
"""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.io.torch_file import TENSORS, StoredTensor, read_storage
from hyper.io.unpickle import Function, Inert, Name, StoredArray

MEND = "Give the network pickle as NVIDIA or StyleGAN-XL published it, or one that their code wrote"
VERSION = 6


class Persistent(Inert):
    """A network, or a part of it: class name and state, no code."""

    def __init__(self, meta: Any) -> None:
        super().__init__()
        if not isinstance(meta, dict) or meta.get("type") != "class" or not isinstance(meta.get("state"), dict):
            raise pickle.UnpicklingError("a network's description is not that of torch_utils.persistence")
        if meta.get("version") != VERSION:
            raise pickle.UnpicklingError(f"its networks are of version {meta.get('version')!r} where {VERSION} is due")
        self.class_name, self.state = str(meta.get("class_name")), meta["state"]

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a network")


class _EasyDict(dict):
    """``dnnlib.EasyDict`` that takes no attributes."""

    def __setstate__(self, state: object) -> None:
        raise pickle.UnpicklingError("it tries to alter a dictionary")


class _Embedding(Inert):
    """``torch.nn.Embedding``, which StyleGAN-XL keeps the classes in."""


def _set(items: Any = ()) -> frozenset:
    return frozenset(items)


def _size(items: Any = ()) -> tuple:
    return tuple(items)


def _array(_: Any, __: Any, state: Any, *___: Any) -> StoredArray:
    """What dill, by which StyleGAN-XL is written, makes of NumPy's own three parts of an array."""
    stored = StoredArray()
    stored.__setstate__(state)
    return stored


NAMES: dict[Name, Any] = {
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): Function(Persistent),
    ("dnnlib.util", "EasyDict"): _EasyDict,
    ("torch.storage", "_load_from_bytes"): Function(read_storage),
    ("torch.nn.modules.sparse", "Embedding"): _Embedding,
    ("dill._dill", "_create_array"): Function(_array),
    ("torch", "Size"): Function(_size),
    ("builtins", "set"): Function(_set),
    ("__builtin__", "set"): Function(_set),
    **TENSORS,
}


class Part:
    """A module of a stored network: its numbers, tensors and modules by name.

    Parameters
    ----------
    path : str or Path
        For messages.
    stored : object
        As the pickle holds it.
    name : str
        Its place in the network.
    taken : set of str, optional
        Names of tensors that were taken, shared by all parts of a network.
    """

    def __init__(self, path: str | Path, stored: Any, name: str = "", taken: set[str] | None = None) -> None:
        self.path, self.name, self.taken = path, name, set() if taken is None else taken
        self.state: Mapping[str, Any] = getattr(stored, "state", {}) if isinstance(stored, Inert) else {}
        self.class_name = getattr(stored, "class_name", type(stored).__name__.strip("_"))
        self._modules, self._tensors = self._entries("_modules"), self._tensors_of_state()
        if not self._modules and not self._tensors:
            raise self.fault("holds no network")

    def fault(self, text: str) -> GeneratorError:
        """Return the error that this part has a fault."""
        return GeneratorError(self.path, f"its part {self.name or 'G_ema'!r} {text}", MEND)

    def _entries(self, key: str) -> Mapping[str, Any]:
        entries = self.state.get(key, {})
        if not isinstance(entries, dict):
            raise self.fault(f"has a {key} that is no dictionary")
        return {str(name): value for name, value in entries.items() if value is not None}

    def _tensors_of_state(self) -> dict[str, StoredTensor]:
        tensors = {**self._entries("_parameters"), **self._entries("_buffers")}
        if not all(isinstance(value, StoredTensor) for value in tensors.values()):
            raise self.fault("holds something else than tensors as its parameters")
        return tensors

    def __contains__(self, name: str) -> bool:
        return name in self._modules or name in self._tensors

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def _full(self, name: str) -> str:
        return f"{self.name}.{name}" if self.name else name

    def part(self, name: str) -> "Part":
        """Return one of its modules."""
        if name not in self._modules:
            raise self.fault(f"lacks the part {name!r}")
        return Part(self.path, self._modules[name], self._full(name), self.taken)

    def tensor(self, name: str, shape: tuple[int | None, ...] | None = None) -> Tensor:
        """Return a tensor in double precision; None leaves that size, or the whole shape, free."""
        if name not in self._tensors:
            raise self.fault(f"lacks the tensor {name!r}")
        values = self._tensors[name].tensor()
        due = values.shape if shape is None else shape
        if len(values.shape) != len(due) or any(d not in (None, s) for s, d in zip(values.shape, due, strict=True)):
            raise self.fault(f"has the tensor {name!r} of shape {tuple(values.shape)} where {shape} is due")
        values = values.double()
        if not bool(values.isfinite().all()):
            raise self.fault(f"has the tensor {name!r} with values that are not finite")
        self.taken.add(self._full(name))
        return values

    def value(self, name: str) -> Any:
        """Return one of its attributes: NumPy's numbers as Python's, arrays as tuples."""
        if name not in self.state:
            raise self.fault(f"lacks the attribute {name!r}")
        value = self.state[name]
        if isinstance(value, StoredArray):
            value = value.values
        if isinstance(value, np.ndarray):
            value = value.item() if value.ndim == 0 else tuple(value.tolist())
        return value

    def number(self, name: str) -> float:
        """Return an attribute that is a number."""
        value = self.value(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not np.isfinite(value):
            raise self.fault(f"has {value!r} as {name}, no number")
        return float(value)

    def whole(self, name: str) -> int:
        """Return an attribute that is a whole number, or as many equal ones."""
        value = self.value(name)
        if isinstance(value, tuple) and value and len(set(value)) == 1:
            value = value[0]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise self.fault(f"has {value!r} as {name}, no whole number")
        return int(value)

    def must_be(self, name: str, *known: Any) -> None:
        """Refuse an attribute that is none of those known; one that the version of the code lacks is the first."""
        if name in self.state and self.value(name) not in known:
            raise self.fault(f"has {name} = {self.value(name)!r}, which is unknown")

    def finish(self) -> None:
        """Refuse tensors of this part, and of those in it, that were not taken."""
        for name in self._tensors:
            if self._full(name) not in self.taken:
                raise self.fault(f"holds the tensor {name!r}, which is unknown")
        for name in self._modules:
            self.part(name).finish()


def linear(part: Part, shape: tuple[int | None, int | None], activation: str = "linear") -> tuple[Tensor, Tensor]:
    """Weight and bias of a fully connected layer, learning-rate gains folded in."""
    part.must_be("activation", activation)
    weight = part.tensor("weight", shape) * part.number("weight_gain")
    return weight, part.tensor("bias", (weight.shape[0],)) * part.number("bias_gain")


def keys_of(part: Part) -> Iterator[tuple[str, Any]]:
    """Yield the arguments the network was made with, those of its mapping and its synthesis among them."""
    stored = part.state.get("_init_kwargs", {})
    if not isinstance(stored, dict):
        raise part.fault("has arguments that are no dictionary")
    if part.state.get("_init_args"):
        raise part.fault("was made with unnamed arguments")
    for key, value in stored.items():
        if key in ("mapping_kwargs", "synthesis_kwargs") and isinstance(value, dict):
            yield from ((str(inner), content) for inner, content in value.items())
        else:
            yield str(key), value


def same(stored: Tensor, due: np.ndarray) -> bool:
    """Whether a stored filter, of one dimension or two, is the one that is due."""
    full = torch.outer(stored, stored) if stored.ndim == 1 else stored
    return full.shape == due.shape and bool(np.abs(full.numpy() - due).max() <= 1e-4 * np.abs(due).max())
