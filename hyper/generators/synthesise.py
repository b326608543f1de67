"""A set of stimuli for an experiment: pictures, their latents, and which is which."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyper.errors import GeneratorError
from hyper.generators.base import Generator, check_normal_latents, rounded_uint8
from hyper.generators.batches import generate
from hyper.generators.cropped import Crop
from hyper.generators.draw import origin_of
from hyper.generators.mobilestylegan import MobileStyleGAN
from hyper.generators.presented import image_name, write_images
from hyper.generators.stylegan import StyleGAN
from hyper.generators.styles import StyleGenerator
from hyper.io.atomic import atomic_path
from hyper.io.tables import write_json, write_table

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Draw:
    """Latents of one set of stimuli: those of ``numpy.random.RandomState(seed).randn(count, latent)``.

    Attributes
    ----------
    name : str
        ``test`` or ``train``.
    count : int
        Pictures; of each class, where there are classes.
    seed : int
    means : bool
        Make the mean style of each class instead, one picture a class.
    """

    name: str
    count: int
    seed: int
    means: bool = False


@dataclass(frozen=True)
class Presentation:
    """How pictures are shown.

    Attributes
    ----------
    size : int
        Edge, pixels.
    crop : tuple of int, optional
        Left, top, right and bottom of the part of the generator's image that is shown; its central square when not
        given.
    fixation, span : float
        Diameter of the fixation target and edge of the picture, degrees of visual angle; no target when 0.
    quality : int
        Of the JPEG files.
    """

    size: int = 224
    crop: Crop | None = None
    fixation: float = 0.6
    span: float = 15.0
    quality: int = 95


def synthesise(
    folder: str | Path, spec: str, generator: Generator, draws: Sequence[Draw], classes: Sequence[int] = (),
    latent: str = "z", shown: Presentation = Presentation(),
) -> pd.DataFrame:  # fmt: skip
    """Write the folder ``stimuli`` of a BIDS dataset.

    It holds ``images/0001.jpg`` ... in the order of the draws, ``images/0000.jpg``, which is grey with the fixation
    target, ``latents.npy``, float64, whose row k - 1 belongs to image k, ``stimuli.tsv``, which set, seed, draw and
    class each image comes from, and ``stimuli.json`` with the meaning of the columns and the generator.

    Parameters
    ----------
    folder : str or Path
    spec : str
        Name or path of the generator, for the description.
    generator : Generator
        One whose latents are drawn from N(0, I).
    draws : sequence of Draw
    classes : sequence of int
        Classes of a network that knows classes, each with as many pictures.
    latent : {'z', 'w'}
        Which latents are stored: those drawn, or the truncated styles of a style network.
    shown : Presentation

    Returns
    -------
    DataFrame
        ``stimuli.tsv``.

    Raises
    ------
    GeneratorError
        When the generator has no styles or classes that are asked for, or nothing is asked for.
    """
    check_normal_latents(generator)
    _check(generator, draws, classes, latent)
    _check_shown(generator, shown)
    table = pd.concat([_rows(draw, classes) for draw in draws], ignore_index=True)
    table.insert(0, "stim_file", [image_name(number) for number in range(1, len(table) + 1)])
    z = np.concatenate([_drawn(draw, len(classes), generator.latent_dim) for draw in draws])
    maker, latents = generator, z
    if isinstance(generator, (MobileStyleGAN, StyleGAN)):
        maker, styles = StyleGenerator(generator), _styles(generator, z, table)
        latents = styles if latent == "w" else z
        z = styles
    path = Path(folder)
    made = _pictures(maker, z, shown.crop)
    write_images(path / "images", made, shown.size, shown.fixation / shown.span * shown.size, shown.quality)
    with atomic_path(path / "latents.npy") as temporary:
        np.save(temporary, latents.astype(np.float64))
    write_table(path / "stimuli.tsv", table)
    write_json(path / "stimuli.json", _description(spec, generator, latent, shown))
    return table


def _check(generator: Generator, draws: Sequence[Draw], classes: Sequence[int], latent: str) -> None:
    if not draws or any(draw.count < 1 for draw in draws):
        raise GeneratorError("synthesize", "no pictures are asked for", "Give the number of test or train pictures")
    if latent == "w" and not isinstance(generator, (MobileStyleGAN, StyleGAN)):
        raise GeneratorError("--latent w", "the generator has no styles", "Use --latent z")
    known = generator.mapping.classes if isinstance(generator, StyleGAN) else 0
    if any(not 0 <= number < known for number in classes):
        held = f"its {known} classes are numbered from 0" if known else "it knows no classes"
        raise GeneratorError("--classes", f"the generator has no class {max(classes)}: {held}", "Correct them")
    if known and not classes and getattr(generator, "label", None) is None:
        raise GeneratorError("--classes", f"the generator makes images of {known} classes", "Say which are wanted")
    if any(draw.means for draw in draws):
        if not classes or not isinstance(generator, StyleGAN) or len(generator.mapping.means) < 2:
            raise GeneratorError("--class-means", "there are no means of classes", "Leave it out")
        if latent != "w":
            raise GeneratorError("--class-means", "a mean style has no latent z", "Add --latent w")


def _rows(draw: Draw, classes: Sequence[int]) -> pd.DataFrame:
    count = 1 if draw.means else draw.count
    labels = np.repeat(np.array(classes, dtype=object), count) if classes else np.full(draw.count, None)
    numbers: Sequence[int | None] = [None] * len(labels) if draw.means else range(len(labels))
    seed = None if draw.means else draw.seed
    columns = {"set": draw.name, "seed": seed, "draw": numbers, "class": labels}
    return pd.DataFrame(columns).astype({"seed": "Int64", "draw": "Int64", "class": "Int64"})


def _drawn(draw: Draw, classes: int, latent_dim: int) -> np.ndarray:
    if draw.means:
        return np.full((classes, latent_dim), np.nan)
    # the published stimuli come of this generator of numbers
    return np.random.RandomState(draw.seed).randn(draw.count * max(classes, 1), latent_dim)


@torch.no_grad()
def _styles(network: MobileStyleGAN | StyleGAN, z: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Truncated styles, those of mean styles where a latent is missing, shape (n, width), single precision."""
    weight = next(network.parameters())
    drawn = torch.from_numpy(np.nan_to_num(z)).to(weight.device, torch.float32)
    if isinstance(network, MobileStyleGAN) or not table["class"].notna().any():
        return network.styles(drawn).cpu().numpy()
    labels = torch.from_numpy(table["class"].to_numpy(np.int64)).to(weight.device)
    means = torch.from_numpy(np.isnan(z).any(1)).to(weight.device)
    styles = torch.where(means[:, None], network.mapping.mean_styles(labels), network.styles(drawn, labels))
    return styles.cpu().numpy()


def _check_shown(generator: Generator, shown: Presentation) -> None:
    if shown.size < 1 or shown.span <= 0 or not 0 <= shown.fixation <= shown.span:
        fault = f"{shown.size} pixels over {shown.span} degrees with a target of {shown.fixation} make no picture"
        raise GeneratorError("synthesize", fault, "Give positive numbers, the target smaller than the picture")
    _, height, width = generator.layers[-1].shape
    if shown.crop is None:
        return
    crop = left, top, right, bottom = shown.crop
    if not (0 <= left < right <= width and 0 <= top < bottom <= height) or right - left != bottom - top:
        fault = f"{crop} is no square within the image of {width} x {height} pixels"
        raise GeneratorError("crop", fault, "Give left, top, right, bottom")


def _pictures(generator: Generator, latents: np.ndarray, crop: Crop | None) -> Iterator[np.ndarray]:
    done = 0
    for block in generate(generator, latents.astype(np.float32)):
        images = rounded_uint8(block)
        if crop:
            left, top, right, bottom = crop
            images = images[:, top:bottom, left:right]
        yield images
        done += len(images)
        _log.info("%d of %d images", done, len(latents))


def _description(spec: str, generator: Generator, latent: str, shown: Presentation) -> dict[str, object]:
    drawn = "numpy.random.RandomState(seed).randn(n, latent), row by row"
    content: dict[str, object] = {
        "stim_file": {"Description": "Image; image k belongs to row k - 1 of latents.npy. 0000 is the null image."},
        "set": {"Description": "Test images are shown several times, training images once."},
        "seed": {"Description": f"Seed of the latents z: {drawn}. Missing of a mean style."},
        "draw": {"Description": "Row among those drawn with the seed."},
        "class": {"Description": "Class of the generator, counted from 0."},
        "GeneratedBy": {**origin_of(spec), "hyper": version("hyper")},
        "Latents": "z, from N(0, I)" if latent == "z" else "w, truncated styles",
        "ImageEdge": {"pixels": shown.size, "degrees": shown.span},
        "FixationTarget": {"Description": "Bull's eye and cross hair (Thaler et al., 2013)", "degrees": shown.fixation},
    }
    if hasattr(generator, "psi"):
        content["Truncation"] = generator.psi
    if shown.crop:
        content["Crop"] = dict(zip(("left", "top", "right", "bottom"), shown.crop, strict=True))
    return content
