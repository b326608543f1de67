"""Recognise a checkpoint by its content and read it."""

import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.gan_zoo import CONFIG, read_gan_zoo
from hyper.generators.checkpoints.gluon import MAGIC, read_arrays, read_gluon
from hyper.generators.checkpoints.interfacegan import read_interfacegan
from hyper.generators.checkpoints.karras import NETWORKS, read_list, read_networks
from hyper.generators.checkpoints.own import Convertible, read_own
from hyper.generators.checkpoints.persistent import NAMES
from hyper.generators.checkpoints.stylegan import is_stylegan, read_stylegan
from hyper.generators.checkpoints.tensors import MEND
from hyper.generators.pggan import PGGAN
from hyper.io.torch_file import MAGIC as TORCH_MAGIC
from hyper.io.torch_file import StoredTensor, read_torch
from hyper.io.unpickle import Inert, read_pickle

_TORCH_START = b"\x8a\x0a" + TORCH_MAGIC.to_bytes(10, "little")


def read_checkpoint(path: str | Path, form: str = "auto") -> tuple[Convertible, str]:
    """Read a PGGAN or StyleGAN of any known format; nothing of the file is executed.

    Parameters
    ----------
    path : str or Path
    form : str
        One of `FORMATS`: the file is read as one of these, whatever it looks like. ``auto`` recognises the format
        from the content.

    Returns
    -------
    network : PGGAN or StyleGAN
    form : str
        The format that it was read in.

    Raises
    ------
    GeneratorError
        When the file is missing or damaged, or holds no generator in that format.
    """
    if not Path(path).is_file():
        raise GeneratorError(path, "the file does not exist", "Give the path of a checkpoint")
    if not Path(path).stat().st_size:
        raise GeneratorError(path, "it is empty", MEND)
    try:
        if form != "auto":
            return _FORMS[form](path), form
        return _RECOGNISERS[_container(path)](path)
    except pickle.UnpicklingError as fault:
        raise GeneratorError(path, str(fault), MEND) from fault


def _container(path: str | Path) -> str:
    """Return the kind of file, by its first bytes."""
    with open(path, "rb") as file:
        start = file.read(16)
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


def _recognise_pickle(path: str | Path) -> tuple[Convertible, str]:
    tree = _unpickle(path)
    if is_stylegan(tree):
        return read_stylegan(path, tree), "stylegan"
    if isinstance(tree, list):
        return read_list(path, tree).network(path), "pggan_weights"
    return read_networks(path, tree).network(path), "karras"


def _unpickle(path: str | Path) -> Any:
    names = {**{name: type(name[1], (Inert,), {}) for name in NETWORKS}, **NAMES}
    return read_pickle(io.BytesIO(Path(path).read_bytes()), names)


def _recognise_torch(path: str | Path) -> tuple[PGGAN, str]:
    tree = _read_torch(path)
    if "avgG" in tree or "netG" in tree:
        return _gan_zoo(path, tree), "gan_zoo"
    if any(str(name).startswith(("layer0.", "output")) for name in tree):
        return read_interfacegan(path, _state(path, tree)).network(path), "interfacegan"
    raise GeneratorError(path, "it holds another network than a PGGAN", MEND)


def _read_torch(path: str | Path) -> Mapping:
    if _is_npz(path):
        raise GeneratorError(path, "it holds numpy arrays, such as the linear decoder's, not a generator", MEND)
    tree = read_torch(path, (CONFIG,))
    if not isinstance(tree, Mapping):
        raise GeneratorError(path, "it holds no state of a network", MEND)
    return tree


def _gan_zoo(path: str | Path, tree: Mapping) -> PGGAN:
    config = tree.get("config")
    state = _state(path, tree.get("avgG"))
    return read_gan_zoo(path, config.state if isinstance(config, Inert) else {}, state).network(path)


def _is_npz(path: str | Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith(".npy") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as fault:
        raise GeneratorError(path, f"its archive is damaged ({fault})", MEND) from fault


def _state(path: str | Path, tree: Any) -> dict[str, Tensor]:
    if not isinstance(tree, Mapping) or not all(isinstance(value, StoredTensor) for value in tree.values()):
        raise GeneratorError(path, "it holds no state of a generator", MEND)
    return {str(name): value.tensor() for name, value in tree.items()}


_RECOGNISERS = {
    "torch": _recognise_torch,
    "params": lambda path: (_FORMS["gluon"](path), "gluon"),
    "safetensors": lambda path: (read_own(path), "safetensors"),
    "pickle": _recognise_pickle,
}
_FORMS: dict[str, Callable[[str | Path], Convertible]] = {
    "karras": lambda path: read_networks(path, _unpickle(path)).network(path),
    "pggan_weights": lambda path: read_list(path, _unpickle(path)).network(path),
    "stylegan": lambda path: read_stylegan(path, _unpickle(path)),
    "gluon": lambda path: read_gluon(path, read_arrays(path)).network(path),
    "interfacegan": lambda path: read_interfacegan(path, _state(path, _read_torch(path))).network(path),
    "gan_zoo": lambda path: _gan_zoo(path, _read_torch(path)),
    "safetensors": read_own,
}
FORMATS = tuple(_FORMS)
