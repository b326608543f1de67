"""The MobileStyleGAN that the PyPI package random-face carries."""

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.mobilestylegan import from_graphs
from hyper.generators.checkpoints.openvino import read_graph
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.shipped import FACE_STYLE
from hyper.generators.styles import StyleGenerator
from hyper.generators.whitened import WhitenedStyles, read_axes

PACKAGE = "random-face==2021.7.21.1"
_SHA256 = {
    "MappingNetwork.xml": "73e2096cad6e696e4af47df2477e048ab4c42c0e0dec83c7c66604822689e55b",
    "MappingNetwork.bin": "212dd716bdb556e18db603ea97300d4fa3c872b878c726b2402fea80820e7305",
    "SynthesisNetwork.xml": "7918fce515243954d3e06628cb39a23902d6b1d5d02932cc0c2faee7a2aeeedd",
    "SynthesisNetwork.bin": "c7da15fa22d508c82e1c30dd6b4cdf67fe3ccdddaf85b310ee764dbf0c289645",
}
_FRAMES = 4


def random_face(folder: str | Path | None = None) -> MobileStyleGAN:
    """Return the network: faces of 1024 x 1024 pixels from 512 latents (Apache-2.0; distilled on FFHQ).

    The package itself is not imported: only its weights are used. Styles are truncated by 0.7.

    Parameters
    ----------
    folder : str or Path, optional
        Another copy of the package's folder ``data``.

    Raises
    ------
    GeneratorError
        When the package is not installed or its weights are not those of version 2021.7.21.1.
    """
    folder = Path(_packaged() if folder is None else folder)
    mend = f"Run `pip install --force-reinstall --no-deps {PACKAGE}`"
    mapping = read_graph(folder / "MappingNetwork.xml", mend)
    network = from_graphs(mapping, read_graph(folder / "SynthesisNetwork.xml", mend))
    for name, due in _SHA256.items():
        with open(folder / name, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != due:
                raise GeneratorError(folder / name, "its content is not that of version 2021.7.21.1", mend)
    network.mean_style.copy_(mean_style(network))
    return network


def random_face_w() -> StyleGenerator:
    """Return the same network with the style w as its latent, taken as given."""
    return StyleGenerator(random_face())


def random_face_style() -> WhitenedStyles:
    """Return the same network from 128 latents: its whitened styles, along their first principal axes.

    The latents are those of ``pggan-face``: both make the same face of the same latent, this one sharper.

    Raises
    ------
    GeneratorError
        When the package or the file of the axes is missing.
    """
    network = random_face()
    return WhitenedStyles(network, read_axes(FACE_STYLE, network.latent_dim))


def mean_style(network: MobileStyleGAN, frames: int = _FRAMES) -> Tensor:
    """Mean of the styles over latents from N(0, I), the same at every call.

    Styles depend on the direction of the latent alone. The axes of a random rotation, each with its opposite, stand for
    all directions: polynomials up to the third degree have their mean over the sphere there (Delsarte et al., 1977,
    Geometriae Dedicata 6:363). With four rotations the error is 0.008 of the styles' standard deviation, 0.6 of that
    of as many independent draws.

    Parameters
    ----------
    network : MobileStyleGAN
    frames : int
        Rotations to average over.

    Returns
    -------
    Tensor, shape (latent_dim,)
    """
    rng = np.random.default_rng(0)
    total = torch.zeros(network.latent_dim, dtype=torch.float64)
    for _ in range(frames):
        axes = np.linalg.qr(rng.standard_normal((network.latent_dim, network.latent_dim)))[0]
        axes *= np.sqrt(network.latent_dim)
        total += network.full_styles(torch.from_numpy(np.concatenate([axes, -axes]))).double().sum(0)
    return total / (2 * frames * network.latent_dim)


def _packaged() -> Path:
    found = find_spec("random_face")
    if found is None or not found.submodule_search_locations:
        mend = f"Run `pip install --no-deps {PACKAGE}`"
        raise GeneratorError("random_face/data/SynthesisNetwork.xml", "its package is not installed", mend)
    return Path(next(iter(found.submodule_search_locations))) / "data"
