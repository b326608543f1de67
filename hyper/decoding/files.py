"""Files of trained decoders: safetensors whose metadata (one JSON text under ``hyper``) names kind and settings."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from hyper.errors import DataError
from hyper.io.atomic import atomic_path


def write_decoder(path: str | Path, kind: str, settings: Mapping[str, Any], tensors: Mapping[str, np.ndarray]) -> None:
    """Write a decoder's tensors, and what it is.

    Parameters
    ----------
    path : str or Path
    kind : str
    settings : mapping
        Arguments of the decoder, of plain types.
    tensors : mapping of str to ndarray
    """
    description = json.dumps({"kind": kind, "settings": dict(settings)}, sort_keys=True)
    whole = {name: np.ascontiguousarray(values) for name, values in tensors.items()}
    with atomic_path(path) as temporary:
        save_file(whole, temporary, metadata={"hyper": description})


def describe(path: str | Path) -> tuple[str, dict[str, Any]]:
    """Return kind and settings of a saved decoder.

    Raises
    ------
    DataError
        When the file is missing, damaged or holds no decoder.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            content = json.loads((file.metadata() or {})["hyper"])
            return str(content["kind"]), dict(content["settings"])
    except FileNotFoundError:
        raise DataError(path, "the file does not exist", "Run the rule fit_decoder") from None
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as fault:
        raise DataError(path, f"it holds no decoder ({fault})", "Run the rule fit_decoder again") from fault


def settings_of(path: str | Path, kind: str) -> dict[str, Any]:
    """Return the settings of a saved decoder of a kind.

    Raises
    ------
    DataError
        As `describe`, and when it is of another kind.
    """
    found, settings = describe(path)
    if found != kind:
        raise DataError(path, f"it holds a decoder of kind {found!r}, not {kind!r}", "Load it by its own kind")
    return settings


def read_tensors(path: str | Path, names: Collection[str]) -> dict[str, np.ndarray]:
    """Read a decoder's tensors.

    Raises
    ------
    DataError
        When the file does not hold just these.
    """
    with safe_open(path, framework="numpy") as file:
        if set(file.keys()) != set(names):
            raise DataError(path, f"it does not hold {', '.join(names)}", "Run the rule fit_decoder again")
        return {name: file.get_tensor(name) for name in names}
