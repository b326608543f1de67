"""Names of features, and what each needs: known before any is computed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from hyper.errors import DataError

Source = Literal["images", "latents", "file"]
SIMPLE = ("pixels", "gabor", "dlib")
VGG = re.compile(r"vgg16-(faces|objects)-([1-5])")


@dataclass(frozen=True)
class Feature:
    """What a name stands for.

    Attributes
    ----------
    name : str
    source : {'images', 'latents', 'file'}
        What it is computed of, or a file that holds it.
    weights : str
        Name of the file of weights that it needs; empty for none.
    """

    name: str
    source: Source
    weights: str = ""


def feature(name: str, files: Iterable[str] = ()) -> Feature:
    """Tell what a name stands for.

    Parameters
    ----------
    name : str
        ``pixels``, ``gabor``, ``dlib``, ``vgg16-faces-1`` to ``-5``, ``vgg16-objects-1`` to ``-5``, ``clip``, ``z``,
        ``w``, ``generator-`` and the name of a layer, or a name among `files`.
    files : iterable of str
        Names of features that a file holds.

    Raises
    ------
    DataError
        When it is none of these.
    """
    if name in files:
        return Feature(name, "file")
    if name in SIMPLE:
        return Feature(name, "images")
    match = VGG.fullmatch(name)
    if match or name == "clip":
        return Feature(name, "images", f"vgg16_{match[1]}" if match else "clip")
    if name in ("z", "w") or name.startswith("generator-"):
        return Feature(name, "latents")
    mend = "Choose among those of docs/encoding.md, or name its file in encoding.files"
    raise DataError("encoding.features", f"there is no feature {name!r}", mend)


def map_label(name: str) -> str:
    """Name of a feature as a label of BIDS: letters and digits alone."""
    return "".join(part for part in name if part.isalnum())
