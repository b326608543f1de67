"""Generators that come with the repository. Imports no torch: the Snakefile asks for their files."""

import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from hyper.errors import DataError, GeneratorError, HyperError
from hyper.io.arrays import NPY_FAULTS

RESOURCES = Path(__file__).parents[2] / "resources"
PGGAN_FACE = RESOURCES / "pggan-face.safetensors"
FACE_STYLE = RESOURCES / "face-style.safetensors"
# of every generator that has a name, and the package that its weights come with
LATENT_SIZES = {
    "pggan-face": 128,
    "dcgan-face": 100,
    "random-face": 512,
    "random-face-w": 512,
    "random-face-style": 128,
}
PACKAGES = {"dcgan-face": "gan_face_generate"} | dict.fromkeys(
    ("random-face", "random-face-w", "random-face-style"), "random_face"
)
VERSIONS = "hyper-pggan-1", "hyper-stylegan-1"
_LONGEST_HEADER = 100_000_000  # safetensors' own limit
_BOUNDARIES = RESOURCES / "pggan-face-boundaries.safetensors"  # of the latent that both share


def boundaries_file(spec: str) -> str | None:
    """Return the file of attribute boundaries that come with a generator; None if there are none."""
    return str(_BOUNDARIES) if spec in ("pggan-face", "random-face-style") else None


def find_boundary_faults(paths: Sequence[str]) -> list[HyperError]:
    """Say which files or folders of boundaries do not exist."""
    mend = "Correct evaluation.attributes.boundaries: a file of `hyper boundaries`, InterFaceGAN's folder, or null"
    return [DataError(path, "there is no such file or folder", mend) for path in paths if not Path(path).exists()]


def find_generator_faults(spec: str, latents: Path | None = None) -> list[HyperError]:
    """Say what is wrong with the generator of the settings, without reading its weights.

    Parameters
    ----------
    spec : str
        A name, or the path of a converted checkpoint.
    latents : Path, optional
        The study's latents: their number per stimulus must be the generator's.

    Returns
    -------
    list of HyperError
    """
    try:
        due = _latent_size(spec)
    except HyperError as found_fault:
        return [found_fault]
    found = _columns(latents) if latents else None
    if due is None or found is None or due == found:
        return []
    fault = f"its latents have {found} values each where {spec} takes {due}"
    mend = "Set generators.generator to the network that made the stimuli (`hyper convert generator` writes its file)"
    return [DataError(str(latents), fault, mend)]


def _latent_size(spec: str) -> int | None:
    """Values of a latent of a generator; None where its file does not say so at once."""
    if spec in LATENT_SIZES:
        package = PACKAGES.get(spec)
        if package and find_spec(package) is None:
            fault = f"{spec} needs the package {package}, which is not installed"
            raise GeneratorError("generators.generator", fault, f"See docs/generators.md, or choose {PGGAN_FACE.stem}")
        return LATENT_SIZES[spec]
    path = Path(spec).expanduser()
    if not path.is_file():
        mend = f"Choose one of {', '.join(LATENT_SIZES)}, or give the path of a converted checkpoint"
        raise GeneratorError("generators.generator", f"there is no generator {spec!r}", mend)
    description = _described(path)
    try:
        if "latent_dim" in description:
            return int(description["latent_dim"])
        return int(description["mapping"]["widths"][0]) - int(description["mapping"]["label_width"])
    except (LookupError, TypeError, ValueError) as fault:
        raise GeneratorError(path, "its metadata describe no generator", "Convert the checkpoint again") from fault


def _described(path: Path) -> dict[str, Any]:
    """Structure of a converted checkpoint from its header, which must fit the file."""
    mend = "Write it with `hyper convert generator`"
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        size = path.stat().st_size
        if not 2 <= length <= size - 8 or length > _LONGEST_HEADER:
            raise GeneratorError(path, "it is no converted checkpoint, or is truncated", mend)
        text = file.read(length)
    try:
        header = json.loads(text)
        metadata = header.pop("__metadata__")
        end = max(entry["data_offsets"][1] for entry in header.values())
        description: dict[str, Any] = json.loads(metadata.get("pggan") or metadata["stylegan"])
        version = description["version"]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as reason:
        raise GeneratorError(path, "it is a safetensors file of another network, or damaged", mend) from reason
    if 8 + length + end != size:
        fault = f"it is truncated: its header announces {8 + length + end} bytes, the file has {size}"
        raise GeneratorError(path, fault, "Copy or convert it again")
    if version not in VERSIONS:
        raise GeneratorError(path, f"its version is not {' or '.join(VERSIONS)}", "Convert the checkpoint again")
    return description


def _columns(latents: Path) -> int | None:
    """Values per stimulus from the header of a NumPy file; None where it is no table, which is another's to refuse."""
    try:
        shape = np.lib.format.open_memmap(latents, mode="r").shape
    except NPY_FAULTS:
        return None
    return shape[1] if len(shape) == 2 and shape[1] else None


def weights_file(spec: str) -> str | None:
    """Return the file that a generator is read from: a path as given, that of a shipped one, None for a package's."""
    if spec == "pggan-face":
        return str(PGGAN_FACE)
    return spec if spec.endswith(".safetensors") else None
