"""Generators that come with the repository. Imports no torch: the Snakefile asks for their files."""

from collections.abc import Sequence
from pathlib import Path

from hyper.errors import DataError, HyperError

RESOURCES = Path(__file__).parents[2] / "resources"
PGGAN_FACE = RESOURCES / "pggan-face.safetensors"
FACE_STYLE = RESOURCES / "face-style.safetensors"


_BOUNDARIES = RESOURCES / "pggan-face-boundaries.safetensors"  # of the latent that both share


def boundaries_file(spec: str) -> str | None:
    """Return the file of attribute boundaries that come with a generator; None if there are none."""
    return str(_BOUNDARIES) if spec in ("pggan-face", "random-face-style") else None


def find_boundary_faults(paths: Sequence[str]) -> list[HyperError]:
    """Say which files or folders of boundaries do not exist."""
    mend = "Correct evaluation.attributes.boundaries: a file of `hyper boundaries`, InterFaceGAN's folder, or null"
    return [DataError(path, "there is no such file or folder", mend) for path in paths if not Path(path).exists()]


def weights_file(spec: str) -> str | None:
    """Return the file that a generator is read from: a path as given, that of a shipped one, None for a package's."""
    if spec == "pggan-face":
        return str(PGGAN_FACE)
    return spec if spec.endswith(".safetensors") else None
