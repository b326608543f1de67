"""Weights of networks in the formats that they are handed round in; nothing of a file is executed."""

import io
import pickle
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from scipy.io import loadmat
from torch import Tensor, nn

from hyper.errors import NetworkError
from hyper.io.torch_file import MAGIC, StoredTensor, read_torch
from hyper.io.unpickle import Inert, StoredArray, read_pickle

FORMATS = "a Keras .h5, a state dict of torch, a .safetensors, a pickle of arrays, or a MatConvNet .mat"
_DENSEST = 1040  # what one byte of gzip unpacks to at most, rounded up
_MEND = "Fetch the file again, or give one of the network named in docs/metrics.md"
_TORCH_START = b"\x8a\x0a" + MAGIC.to_bytes(10, "little")
_MATLAB = b"MATLAB 5.0"
_KERAS_KINDS = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "depthwise_kernel")


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read the named weights of a network.

    Parameters
    ----------
    path : str or Path
        Keras HDF5 (names ``layer/kernel``, kernels as Keras stores them: height, width, in, out), a file of
        ``torch.save`` or ``torch.jit.save``, safetensors, a pickled dictionary of arrays (Python 2 or 3), or MatConvNet
        (names ``layer/kernel``, ``layer/bias``).

    Returns
    -------
    dict of str to Tensor
        In the precision of the file. Prefixes that wrappers add (``module.``) are taken off.

    Raises
    ------
    NetworkError
        When the file is missing, damaged, of another format, or asks for code.
    """
    if not Path(path).is_file():
        raise NetworkError(path, "the file does not exist", "Give the path of the weights")
    try:
        tensors = _reader(path)(path)
    except (pickle.UnpicklingError, SafetensorError) as fault:
        raise NetworkError(path, str(fault), _MEND) from fault
    except (OSError, KeyError, ValueError, TypeError, AttributeError, IndexError, MemoryError) as fault:
        raise NetworkError(path, f"it is damaged or of another layout ({fault})", _MEND) from fault
    if not tensors:
        raise NetworkError(path, "it holds no weights", _MEND)
    prefix = "module." if all(name.startswith("module.") for name in tensors) else ""
    return {name.removeprefix(prefix): values for name, values in tensors.items()}


def _reader(path: str | Path) -> Callable[[str | Path], dict[str, Tensor]]:
    with open(path, "rb") as file:
        start = file.read(16)
    if start[:8] == b"\x89HDF\r\n\x1a\n":
        return _keras
    if start[:4] == b"PK\x03\x04" or start[2:14] == _TORCH_START:
        return _torch
    if start[8:9] == b"{":
        return lambda path: load_file(path)
    if start[: len(_MATLAB)] == _MATLAB:
        return _matconvnet
    if start[:1] == b"\x80" or start[:1] in (b"(", b"c"):
        return _arrays
    raise NetworkError(path, "its format is none that is known", f"Give {FORMATS}")


def _keras(path: str | Path) -> dict[str, Tensor]:
    with h5py.File(path, "r") as file:
        model = file.get("model_weights", file)
        if "layer_names" not in model.attrs:
            raise ValueError("it lists no layers")
        found = {}
        for layer in map(_text, model.attrs["layer_names"]):
            for name in map(_text, model[layer].attrs["weight_names"]):
                kind = name.rsplit("/", 1)[-1].split(":")[0]
                if kind not in _KERAS_KINDS:
                    raise ValueError(f"a weight is called {name!r}")
                found[f"{layer}/{kind}"] = torch.from_numpy(_stored(model[layer][name]))
        return found


def _stored(dataset: h5py.Dataset) -> np.ndarray:
    """Read a dataset whose size the file can hold: HDF5 allocates what a header announces, stored or not."""
    if dataset.nbytes > _DENSEST * max(dataset.id.get_storage_size(), 1):
        raise ValueError(f"{dataset.name} announces {dataset.nbytes} bytes and holds {dataset.id.get_storage_size()}")
    return np.asarray(dataset)


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


def _torch(path: str | Path) -> dict[str, Tensor]:
    tree = read_torch(path, scripted=True)
    for key in ("state_dict", "model"):
        if isinstance(tree, Mapping) and isinstance(tree.get(key), Mapping):
            tree = tree[key]
    return dict(_tensors(tree))


def _tensors(tree: Any, prefix: str = "") -> Iterable[tuple[str, Tensor]]:
    """Tensors of a state dict, or of the nested modules of a script."""
    inside = tree.state if isinstance(tree, Inert) else tree
    if not isinstance(inside, Mapping):
        return
    for name, value in inside.items():
        if isinstance(value, StoredTensor):
            yield f"{prefix}{name}", value.tensor()
        elif isinstance(value, Inert):
            yield from _tensors(value, f"{prefix}{name}.")


def _arrays(path: str | Path) -> dict[str, Tensor]:
    tree = read_pickle(io.BytesIO(Path(path).read_bytes()))
    if not isinstance(tree, Mapping) or not all(isinstance(value, StoredArray) for value in tree.values()):
        raise pickle.UnpicklingError("it is no dictionary of arrays")
    return {str(name): torch.from_numpy(np.ascontiguousarray(value.values)) for name, value in tree.items()}


def _matconvnet(path: str | Path) -> dict[str, Tensor]:
    content = loadmat(path, squeeze_me=False, struct_as_record=True)
    layers = content["layers"] if "layers" in content else content["net"][0, 0]["layers"]
    found = {}
    for cell in layers.ravel():
        layer = cell[0, 0]
        fields = layer.dtype.names or ()
        if "weights" in fields and layer["weights"].size == 2:
            kernel, bias = layer["weights"].ravel()
        elif "filters" in fields:
            kernel, bias = layer["filters"], layer["biases"]
        else:
            continue
        name = str(layer["name"].item())
        found[f"{name}/kernel"] = torch.from_numpy(np.ascontiguousarray(kernel, np.float32))
        found[f"{name}/bias"] = torch.from_numpy(np.ascontiguousarray(bias.ravel(), np.float32))
    return found


def fill(path: str | Path, module: nn.Module, tensors: Mapping[str, Tensor], ignore: Iterable[str] = ()) -> None:
    """Give a network its weights; each must be there, fit and be finite, and none may be left over.

    Parameters
    ----------
    path : str or Path
        Named in messages.
    module : Module
        Set to evaluation, its weights need no gradient.
    tensors : mapping of str to Tensor
        By the names of the module.
    ignore : iterable of str
        Beginnings of names that the file may hold beside them, such as the classifier's.

    Raises
    ------
    NetworkError
    """
    due = {name: value for name, value in module.state_dict().items() if not name.endswith("num_batches_tracked")}
    beside = tuple(ignore)
    left = [
        name
        for name in tensors
        if name not in due and not name.startswith(beside) and not name.endswith("num_batches_tracked")
    ]
    missing = [name for name in due if name not in tensors]
    if missing:
        raise NetworkError(path, f"the weights {missing[0]!r} are missing ({len(missing)} in all)", _MEND)
    if left:
        raise NetworkError(path, f"it holds {len(left)} weights too many ({', '.join(left[:3])})", _MEND)
    for name, place in due.items():
        if tensors[name].shape != place.shape:
            shapes = f"{tuple(tensors[name].shape)} where {tuple(place.shape)} is due"
            raise NetworkError(path, f"the weights {name!r} have the shape {shapes}", _MEND)
        if not bool(tensors[name].isfinite().all()):
            raise NetworkError(path, f"the weights {name!r} are not all finite", _MEND)
    module.load_state_dict({name: tensors[name].float() for name in due}, strict=False)
    module.eval().requires_grad_(False)


def from_keras(kernel: Tensor) -> Tensor:
    """Kernel (height, width, in, out) as torch has it: (out, in, height, width)."""
    return kernel.permute(3, 2, 0, 1).contiguous()
