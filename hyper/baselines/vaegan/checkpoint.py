"""Files of trained VAE-GANs: safetensors whose metadata (one JSON text under ``vaegan``) hold structure and origin."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from hyper.baselines.vaegan.network import VAEGAN
from hyper.errors import DataError, SettingsError
from hyper.generators.base import Generator
from hyper.generators.identity import identity_of
from hyper.io.atomic import atomic_path

VERSION = "hyper-vaegan-1"
_LONGEST = 8  # convolutions: images of 1024 pixels
_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_FAULTS = (
    SafetensorError, OSError, KeyError, TypeError, ValueError, ArithmeticError, RuntimeError, SettingsError,
)  # fmt: skip
_MEND = "Train it again: `hyper train-vaegan`, or baselines.vaegan.checkpoint: null"


def write_vaegan(path: str | Path, network: VAEGAN, recipe: Mapping[str, Any], generator: str, name: str) -> None:
    """Write encoder and decoder in half precision; what is trained further is the state, not this.

    Parameters
    ----------
    path : str or Path
    network : VAEGAN
    recipe : mapping
        How it was trained, of plain types.
    generator : str
        Identity of the generator whose images it was trained on (`identity_of`).
    name : str
        What that generator is called.
    """
    structure = {"channels": list(network.channels), "latents": network.latents, "hidden": network.hidden}
    description = {
        "version": VERSION, **structure, "recipe": dict(recipe), "generator": generator, "generator_name": name,
    }  # fmt: skip
    state = {key: value.detach().cpu().half().contiguous() for key, value in _numbers(network).items()}
    content = save(state, {"vaegan": json.dumps(description, sort_keys=True)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_vaegan(path: str | Path, generator: Generator | None = None) -> VAEGAN:
    """Read a file of `write_vaegan`, in single precision, on the CPU, ready for use.

    Parameters
    ----------
    path : str or Path
    generator : Generator, optional
        The one whose images it must have been trained on; any when not given.

    Raises
    ------
    DataError
        When the file is missing, damaged, no VAE-GAN, or was trained on images of another generator.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            description = json.loads((file.metadata() or {})["vaegan"])
            if description["version"] != VERSION:
                raise DataError(path, f"its version is not {VERSION}", _MEND)
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        structure = [int(c) for c in description["channels"]], int(description["latents"]), int(description["hidden"])
        if len(structure[0]) > _LONGEST:
            raise DataError(path, f"its images are halved {len(structure[0])} times, {_LONGEST} is the most", _MEND)
        with torch.device("meta"):  # nothing is allocated before the tensors are known to fit
            network = VAEGAN(*structure)
        trained_on, name = str(description["generator"]), str(description["generator_name"])
    except FileNotFoundError:
        raise DataError(path, "the file does not exist", _MEND) from None
    except _FAULTS as fault:
        reason = str(fault).partition("\n")[0]
        raise DataError(path, f"it holds no VAE-GAN ({reason})", _MEND) from fault
    if generator is not None and trained_on != identity_of(generator):
        mend = "Set baselines.vaegan.checkpoint: null to train one on this generator's images, or any_generator: true"
        raise DataError(path, f"it was trained on the images of another generator ({name})", mend)
    return _filled(path, network, tensors)


def _filled(path: str | Path, network: VAEGAN, tensors: dict[str, torch.Tensor]) -> VAEGAN:
    due = {name: tuple(values.shape) for name, values in _numbers(network).items()}
    if {name: tuple(values.shape) for name, values in tensors.items()} != due:
        raise DataError(path, "its tensors do not fit its structure", _MEND)
    odd = {str(values.dtype) for values in tensors.values() if values.dtype not in _TYPES}
    if odd:
        raise DataError(path, f"its tensors are of type {', '.join(sorted(odd))}", _MEND)
    if not all(bool(values.isfinite().all()) for values in tensors.values()):
        raise DataError(path, "it holds values that are not finite", _MEND)
    counters = {name: torch.tensor(0) for name in network.state_dict() if name not in due}
    network.load_state_dict({name: values.float() for name, values in tensors.items()} | counters, assign=True)
    return network.requires_grad_(False).eval()


def _numbers(network: VAEGAN) -> dict[str, torch.Tensor]:
    """Weights and running statistics; not how many batches the latter come from, which nothing uses."""
    return {name: values for name, values in network.state_dict().items() if values.is_floating_point()}
