"""OpenVINO's intermediate representation, version 10: a graph of operations in XML, its constants in a .bin file.

Nothing is executed: operations are looked at only to find out which constant is which.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from hyper.errors import GeneratorError

_LARGEST_XML = 2**24
_DTYPES = {"f32": "<f4", "f16": "<f2", "i64": "<i8", "i32": "<i4"}


@dataclass(frozen=True)
class Operation:
    """A node of the graph.

    Attributes
    ----------
    name, kind : str
        Such as ``m.conv1.bias`` and ``Const``.
    inputs : tuple of str
        Identifiers of the operations whose results it takes.
    value : ndarray or None
        Of a constant.
    """

    identifier: str
    name: str
    kind: str
    inputs: tuple[str, ...]
    value: np.ndarray | None


class Graph:
    """Operations in the order of computation.

    Parameters
    ----------
    path : str or Path
    operations : list of Operation
    mend : str
        Advice to give when the file cannot be used.
    """

    def __init__(self, path: str | Path, operations: list[Operation], mend: str) -> None:
        self.path, self.mend, self.operations = path, mend, operations
        self._by_id = {operation.identifier: operation for operation in operations}
        self._users: dict[str, list[Operation]] = {}
        for operation in operations:
            for source in operation.inputs:
                self._users.setdefault(source, []).append(operation)

    def of_kind(self, kind: str) -> list[Operation]:
        """All operations of a kind."""
        return [operation for operation in self.operations if operation.kind == kind]

    def constant(self, name: str) -> Operation:
        """Return the constant of that name.

        Raises
        ------
        GeneratorError
            When there is none, or several.
        """
        found = [operation for operation in self.operations if operation.name == name and operation.kind == "Const"]
        if len(found) != 1:
            raise self.fault(f"the constant {name!r} is {'missing' if not found else 'there twice'}")
        return found[0]

    def user(self, operation: Operation, kind: str) -> Operation:
        """Return the operation of this kind that takes the result of another.

        Raises
        ------
        GeneratorError
            When there is none, or several.
        """
        found = [user for user in self._users.get(operation.identifier, []) if user.kind == kind]
        if len(found) != 1:
            raise self.fault(f"{operation.name!r} is not followed by one {kind}")
        return found[0]

    def input(self, operation: Operation, kind: str) -> Operation:
        """Return the input of an operation that is of this kind.

        Raises
        ------
        GeneratorError
            When there is none, or several.
        """
        found = [self._by_id[source] for source in operation.inputs if self._by_id[source].kind == kind]
        if len(found) != 1:
            raise self.fault(f"{operation.name!r} does not take one {kind}")
        return found[0]

    def fault(self, reason: str) -> GeneratorError:
        """Return the exception to raise."""
        return GeneratorError(self.path, reason, self.mend)


def read_graph(path: str | Path, mend: str = "Fetch the file again") -> Graph:
    """Read an ``.xml`` and the ``.bin`` beside it.

    Parameters
    ----------
    path : str or Path
        The ``.xml``.
    mend : str
        Advice to give when the file cannot be used.

    Raises
    ------
    GeneratorError
        When a file is missing, damaged or truncated, or they do not belong together.
    """
    root = _root(Path(path), mend)
    weights = Path(path).with_suffix(".bin")
    if not weights.is_file():
        raise GeneratorError(weights, "the file does not exist", mend)
    content = weights.read_bytes()
    inputs: dict[str, list[tuple[int, str]]] = {}
    try:
        for edge in root.iterfind("edges/edge"):
            target = inputs.setdefault(edge.attrib["to-layer"], [])
            target.append((int(edge.attrib["to-port"]), edge.attrib["from-layer"]))
        operations = [_operation(layer, inputs, content, weights, mend) for layer in root.iterfind("layers/layer")]
    except (KeyError, ValueError) as fault:
        raise GeneratorError(path, f"it is no OpenVINO network ({fault})", mend) from fault
    known = {operation.identifier for operation in operations}
    if len(known) < len(operations) or any(not known.issuperset(operation.inputs) for operation in operations):
        raise GeneratorError(path, "its operations do not hang together", mend)
    return Graph(path, operations, mend)


def _root(path: Path, mend: str) -> ElementTree.Element:
    if not path.is_file():
        raise GeneratorError(path, "the file does not exist", mend)
    if path.stat().st_size > _LARGEST_XML:
        raise GeneratorError(path, "it is too large for a description of a network", mend)
    text = path.read_bytes()
    if b"<!" in text:  # entities could grow without bound
        raise GeneratorError(path, "it holds declarations, which OpenVINO does not write", mend)
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError) as fault:
        raise GeneratorError(path, f"it is truncated or no XML ({fault})", mend) from fault
    if root.tag != "net" or root.get("version") != "10":
        raise GeneratorError(path, "it is no OpenVINO network of version 10", mend)
    return root


def _operation(
    layer: ElementTree.Element, inputs: dict[str, list[tuple[int, str]]], content: bytes, weights: Path, mend: str
) -> Operation:
    attributes = layer.attrib
    identifier, name, kind = attributes["id"], attributes["name"], attributes["type"]
    value = _constant(name, layer, content, weights, mend) if kind == "Const" else None
    sources = tuple(source for _, source in sorted(inputs.get(identifier, [])))
    return Operation(identifier, name, kind, sources, value)


def _constant(name: str, layer: ElementTree.Element, content: bytes, weights: Path, mend: str) -> np.ndarray:
    data = layer.find("data")
    if data is None:
        raise ValueError(f"the constant {name!r} has no data")
    shape = [int(size) for size in data.attrib["shape"].split(",") if size.strip()]
    offset, size = int(data.attrib["offset"]), int(data.attrib["size"])
    dtype = np.dtype(_DTYPES[data.attrib["element_type"]])
    if min([*shape, offset, size, 0]) < 0 or prod(shape) * dtype.itemsize != size:
        raise ValueError(f"the constant {name!r} has {size} bytes at {offset}, but the shape {shape}")
    if offset + size > len(content):
        fault = f"it is truncated: {name!r} ends at byte {offset + size} of {len(content)}"
        raise GeneratorError(weights, fault, mend)
    return np.frombuffer(content, dtype, prod(shape), offset).reshape(shape).copy() if size else np.empty(shape, dtype)
