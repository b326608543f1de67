"""The device that networks run on."""

import logging
import os

import torch

from hyper.errors import SettingsError

log = logging.getLogger(__name__)


def choose_device(name: str) -> torch.device:
    """Return the device of a setting: ``auto`` is the GPU where there is one, and says so where one was given in vain.

    Raises
    ------
    SettingsError
        When ``cuda`` is asked for and there is none.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
        given = os.environ.get("CUDA_VISIBLE_DEVICES", "")
        if name == "cpu" and given not in ("", "-1", "NoDevFiles"):
            log.warning(
                "the job was given a GPU (%s) but torch finds none: on the processor, as device: auto says", given
            )
    if name == "cuda" and not torch.cuda.is_available():
        raise SettingsError("device", "cuda is asked for but torch finds no GPU", "Set device: auto or cpu")
    return torch.device(name)
