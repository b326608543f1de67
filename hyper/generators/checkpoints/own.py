"""The format of this project: safetensors, with structure and source in the metadata."""

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.tensors import MEND, Tensors
from hyper.generators.pggan import PGGAN
from hyper.io.atomic import atomic_path

VERSION = "hyper-pggan-1"


def write_own(
    path: str | Path, network: PGGAN, source: str | Path, source_format: str, dtype: torch.dtype = torch.float32
) -> None:
    """Write weights and structure; the same network and source give the same bytes.

    Parameters
    ----------
    path : str or Path
    network : PGGAN
    source : str or Path
        File that the weights come from; its SHA-256 is kept.
    source_format : str
        Format of the source.
    dtype : torch.dtype
        Of the numbers in the file.
    """
    with open(source, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    description = {
        "version": VERSION,
        "latent_dim": network.latent_dim,
        "channels": network.channels,
        "lod": network.lod,
        "source_format": source_format,
        "source_sha256": digest,
    }
    state = {name: value.detach().cpu().to(dtype).contiguous() for name, value in network.state_dict().items()}
    # one key only: safetensors writes several in an order of its own choosing
    content = save(state, {"pggan": json.dumps(description, sort_keys=True)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_own(path: str | Path) -> PGGAN:
    """Read a file written by `write_own`, in single precision.

    Raises
    ------
    GeneratorError
        When it is truncated, is no PGGAN, or its tensors do not fit its structure.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            description = _description(path, file.metadata())
            tensors = Tensors(path, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except SafetensorError as fault:
        raise GeneratorError(path, f"it is truncated or damaged ({fault})", MEND) from fault
    try:
        channels, lod = [int(c) for c in description["channels"]], float(description["lod"])
        with torch.device("meta"):  # nothing is allocated before the tensors are known to fit
            network = PGGAN(int(description["latent_dim"]), channels, lod)
    except (KeyError, TypeError, ValueError, OverflowError, GeneratorError) as fault:
        raise GeneratorError(path, "its metadata describe no PGGAN", MEND) from fault
    state = {key: tensors.take(key, tuple(value.shape)).float() for key, value in network.state_dict().items()}
    tensors.finish()
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def _description(path: str | Path, metadata: dict[str, str] | None) -> dict:
    try:
        description = json.loads((metadata or {})["pggan"])
    except (KeyError, ValueError) as fault:
        raise GeneratorError(path, "it is a safetensors file of another network", MEND) from fault
    if not isinstance(description, dict) or description.get("version") != VERSION:
        raise GeneratorError(path, f"its version is not {VERSION}", "Convert the checkpoint again")
    return description
