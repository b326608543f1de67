"""The device that networks run on."""

import torch

from hyper.errors import SettingsError


def choose_device(name: str) -> torch.device:
    """Return the device of a setting: ``auto`` is the GPU where there is one.

    Raises
    ------
    SettingsError
        When ``cuda`` is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise SettingsError("device", "cuda is asked for but torch finds no GPU", "Set device: auto or cpu")
    return torch.device(name)
