"""Recognise a checkpoint by its content and read it."""

import io
import pickle
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.gan_zoo import CONFIG, read_gan_zoo
from hyper.generators.checkpoints.gluon import MAGIC, read_arrays, read_gluon
from hyper.generators.checkpoints.interfacegan import read_interfacegan
from hyper.generators.checkpoints.karras import NETWORKS, read_list, read_networks
from hyper.generators.checkpoints.own import read_own
from hyper.generators.checkpoints.tensors import MEND
from hyper.generators.pggan import PGGAN
from hyper.io.torch_file import MAGIC as TORCH_MAGIC
from hyper.io.torch_file import StoredTensor, read_torch
from hyper.io.unpickle import Inert, read_pickle

FORMATS = ("karras", "pggan_weights", "gluon", "interfacegan", "gan_zoo", "safetensors")
_TORCH_START = b"\x8a\x0a" + TORCH_MAGIC.to_bytes(10, "little")


def read_checkpoint(path: str | Path, expected: str = "auto") -> tuple[PGGAN, str]:
    """Read a PGGAN of any known format; nothing of the file is executed.

    Parameters
    ----------
    path : str or Path
    expected : str
        One of `FORMATS`, or ``auto`` for any of them.

    Returns
    -------
    network : PGGAN
    format : str
        The format that was recognised.

    Raises
    ------
    GeneratorError
        When the file is missing, damaged, of another format than expected, or holds another network.
    """
    if not Path(path).is_file():
        raise GeneratorError(path, "the file does not exist", "Give the path of a checkpoint")
    try:
        network, found = _READERS[_container(path)](path)
    except pickle.UnpicklingError as fault:
        raise GeneratorError(path, str(fault), MEND) from fault
    if expected not in ("auto", found):
        raise GeneratorError(path, f"it is a checkpoint of the format {found}, not {expected}", "Leave the format out")
    return network, found


def _container(path: str | Path) -> str:
    """Return the kind of file, by its first bytes."""
    with open(path, "rb") as file:
        start = file.read(16)
    if not start:
        raise GeneratorError(path, "it is empty", MEND)
    if start[:4] == b"PK\x03\x04":
        return "torch"
    if int.from_bytes(start[:8], "little") == MAGIC:
        return "params"
    if start[8:9] == b"{":
        return "safetensors"
    if start[:1] == b"\x80":
        return "torch" if start[2:14] == _TORCH_START else "pickle"
    if start[:1] in (b"(", b"]", b"c"):  # protocols 0 and 1 have no mark of their own
        return "pickle"
    raise GeneratorError(path, "its format is none that is known", f"Give one of {', '.join(FORMATS)}")


def _read_pickle(path: str | Path) -> tuple[PGGAN, str]:
    names = {name: type(name[1], (Inert,), {}) for name in NETWORKS}
    tree = read_pickle(io.BytesIO(Path(path).read_bytes()), names)
    if isinstance(tree, list):
        return read_list(path, tree).network(path), "pggan_weights"
    return read_networks(path, tree).network(path), "karras"


def _read_torch(path: str | Path) -> tuple[PGGAN, str]:
    if _is_npz(path):
        raise GeneratorError(path, "it holds numpy arrays, such as the linear decoder's, not a generator", MEND)
    tree = read_torch(path, (CONFIG,))
    if not isinstance(tree, Mapping):
        raise GeneratorError(path, "it holds no state of a network", MEND)
    if "avgG" in tree or "netG" in tree:
        config = tree.get("config")
        state = _state(path, tree.get("avgG"))
        plain = read_gan_zoo(path, config.state if isinstance(config, Inert) else {}, state)
        return plain.network(path), "gan_zoo"
    if any(str(name).startswith(("layer0.", "output")) for name in tree):
        return read_interfacegan(path, _state(path, tree)).network(path), "interfacegan"
    raise GeneratorError(path, "it holds another network than a PGGAN", MEND)


def _is_npz(path: str | Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(".npy") for name in archive.namelist())


def _state(path: str | Path, tree: Any) -> dict[str, Tensor]:
    if not isinstance(tree, Mapping) or not all(isinstance(value, StoredTensor) for value in tree.values()):
        raise GeneratorError(path, "it holds no state of an averaged generator", MEND)
    return {str(name): value.tensor() for name, value in tree.items()}


def _read_params(path: str | Path) -> tuple[PGGAN, str]:
    return read_gluon(path, read_arrays(path)).network(path), "gluon"


def _read_safetensors(path: str | Path) -> tuple[PGGAN, str]:
    return read_own(path), "safetensors"


_READERS = {
    "torch": _read_torch,
    "params": _read_params,
    "safetensors": _read_safetensors,
    "pickle": _read_pickle,
}
