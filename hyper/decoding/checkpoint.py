"""Where an interrupted training goes on."""

import hashlib
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from hyper.decoding.training import Layer
from hyper.io.atomic import atomic_path

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """A file that holds a layer in training, and what it was trained with.

    Attributes
    ----------
    path : Path
    key : str
        Of settings, data and code. What was written under another key is not gone on with.
    """

    path: Path
    key: str

    def save(self, layer: Layer) -> None:
        """Write the layer as safetensors."""
        tensors = _tensors(layer)
        tensors["curve"] = torch.tensor(layer.curve, dtype=torch.float64).reshape(-1, 3)
        description = {"key": self.key, "epoch": str(layer.epoch), "steps": str(layer.adam.steps)}
        with atomic_path(self.path) as temporary:
            save_file({name: values.contiguous() for name, values in tensors.items()}, temporary, description)

    def restore(self, layer: Layer) -> bool:
        """Fill a layer from the file; returns False, and leaves it as it is, where there is none that fits."""
        try:
            with safe_open(self.path, framework="pt") as file:
                description = file.metadata() or {}
                if description.get("key") != self.key:
                    _log.info("%s is of other settings or data: training starts anew", self.path)
                    return False
                stored = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except FileNotFoundError:
            return False
        except (SafetensorError, OSError) as fault:
            _log.warning("%s cannot be read (%s): training starts anew", self.path, fault)
            return False
        for name, values in _tensors(layer).items():
            values.copy_(stored[name])
        layer.epoch, layer.adam.steps = int(description["epoch"]), int(description["steps"])
        layer.curve = [(int(epoch), train, test) for epoch, train, test in stored["curve"].tolist()]
        _log.info("training goes on after epoch %d", layer.epoch)
        return True

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)


def key_of(settings: dict[str, Any], tensors: list[Tensor], *names: str) -> str:
    """Hash of what a training depends on."""
    digest = hashlib.sha256(json.dumps([settings, *names], sort_keys=True).encode())
    for values in tensors:
        digest.update(str(tuple(values.shape)).encode())
        digest.update(values.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _tensors(layer: Layer) -> dict[str, Tensor]:
    (first, first_bias), (second, second_bias) = layer.adam.first, layer.adam.second
    return {
        "weight": layer.weight, "bias": layer.bias, "first": first, "first_bias": first_bias, "second": second,
        "second_bias": second_bias,
    }  # fmt: skip
