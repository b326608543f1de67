"""The format of this project: safetensors, with structure and source in the metadata."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.tensors import MEND, Tensors
from hyper.generators.pggan import PGGAN
from hyper.generators.stylegan import StyleGAN
from hyper.generators.stylegan2 import StyleGAN2
from hyper.generators.stylegan3 import StyleGAN3
from hyper.io.atomic import atomic_path

VERSION = "hyper-pggan-1"
STYLE_VERSION = "hyper-stylegan-1"
_STYLEGANS: dict[str, type[StyleGAN]] = {"stylegan2": StyleGAN2, "stylegan3": StyleGAN3}

Convertible = PGGAN | StyleGAN


def write_own(
    path: str | Path, network: Convertible, source: str | Path, source_format: str, dtype: torch.dtype = torch.float32
) -> None:
    """Write weights and structure; the same network and source give the same bytes.

    Parameters
    ----------
    path : str or Path
    network : PGGAN or StyleGAN
    source : str or Path
        File that the weights come from; its SHA-256 is kept.
    source_format : str
        Format of the source.
    dtype : torch.dtype
        Of the numbers in the file.
    """
    with open(source, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    description: dict[str, Any]
    if isinstance(network, StyleGAN):
        kind, description = "stylegan", {"version": STYLE_VERSION, "kind": network.kind, **network.structure}
    else:
        kind = "pggan"
        description = {"version": VERSION, "latent_dim": network.latent_dim, "channels": network.channels}
        description["lod"] = network.lod
    description |= {"source_format": source_format, "source_sha256": digest}
    state = {name: value.detach().cpu().to(dtype).contiguous() for name, value in network.state_dict().items()}
    # one key only: safetensors writes several in an order of its own choosing
    content = save(state, {kind: json.dumps(description, sort_keys=True)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_own(path: str | Path) -> Convertible:
    """Read a file written by `write_own`, in single precision.

    Raises
    ------
    GeneratorError
        When it is truncated, is no generator, or its tensors do not fit its structure.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            description = _description(path, file.metadata())
            tensors = Tensors(path, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    except SafetensorError as fault:
        raise GeneratorError(path, f"it is truncated or damaged ({fault})", MEND) from fault
    network = _network(path, description)
    state = {key: tensors.take(key, tuple(value.shape)).float() for key, value in network.state_dict().items()}
    tensors.finish()
    network.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def _network(path: str | Path, description: dict) -> Convertible:
    named = "StyleGAN" if description["version"] == STYLE_VERSION else "PGGAN"
    try:
        with torch.device("meta"):  # nothing is allocated before the tensors are known to fit
            if named == "StyleGAN":
                return _STYLEGANS[description["kind"]].of_structure(description, 1.0, None)
            channels, lod = [int(c) for c in description["channels"]], float(description["lod"])
            return PGGAN(int(description["latent_dim"]), channels, lod)
    except (LookupError, TypeError, ValueError, ArithmeticError, RuntimeError, GeneratorError) as fault:
        raise GeneratorError(path, f"its metadata describe no {named}", MEND) from fault


def _description(path: str | Path, metadata: dict[str, str] | None) -> dict:
    for kind, version in (("pggan", VERSION), ("stylegan", STYLE_VERSION)):
        if kind not in (metadata or {}):
            continue
        try:
            description = json.loads((metadata or {})[kind])
        except (ValueError, RecursionError) as fault:
            raise GeneratorError(path, "its metadata are damaged", MEND) from fault
        if not isinstance(description, dict) or description.get("version") != version:
            raise GeneratorError(path, f"its version is not {version}", "Convert the checkpoint again")
        return description
    raise GeneratorError(path, "it is a safetensors file of another network", MEND)
