"""VAE-GANs by name. Imports no torch: the Snakefile asks for their files."""

from pathlib import Path

VAEGAN_FACE = Path(__file__).parents[3] / "resources" / "vaegan-face.safetensors"


def vaegan_file(spec: str) -> str:
    """Return the file of a checkpoint: of the shipped one by its name, else the path as given."""
    return str(VAEGAN_FACE) if spec == "vaegan-face" else str(Path(spec).expanduser())
