"""Files of attribute boundaries: those of this project, and InterFaceGAN's for the CelebA-HQ weights."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hyper.errors import DataError
from hyper.evaluation.boundaries import Boundaries
from hyper.io.arrays import NPY_FAULTS
from hyper.io.atomic import atomic_path

VERSION = "hyper-boundaries-1"
CELEBAHQ = "pggan_celebahq"
_ORDER = ("gender", "age", "eyeglasses", "pose", "smile")
_MEND = "Set evaluation.attributes.boundaries to boundaries of this generator (`hyper boundaries`), or to null"
_log = logging.getLogger(__name__)


def write_boundaries(path: str | Path, boundaries: Boundaries) -> None:
    """Write boundaries as safetensors: tensors ``normals`` and ``intercepts``, and the facts as JSON.

    The same boundaries give the same bytes.
    """
    description = {"version": VERSION, "names": list(boundaries.names), "facts": dict(boundaries.facts)}
    tensors = {
        "normals": np.ascontiguousarray(boundaries.normals, np.float64),
        "intercepts": np.ascontiguousarray(boundaries.intercepts, np.float64),
    }
    content = save(tensors, {"boundaries": json.dumps(description, sort_keys=True)})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def read_boundaries(path: str | Path, latent_dim: int, origin: Mapping[str, str]) -> Boundaries:
    """Read boundaries and check that they are of the generator at hand.

    Parameters
    ----------
    path : str or Path
        File of `write_boundaries`, or a folder with InterFaceGAN's ``pggan_celebahq_*_boundary.npy``.
    latent_dim : int
        Of the generator.
    origin : mapping
        Its ``generator`` (a name, or the name of its file) and, of a file, ``generator_sha256``.

    Raises
    ------
    DataError
        When they are missing, damaged, of another size, or of another generator, even one whose latents have the same
        size: a direction means nothing in another network.
    """
    boundaries = _read_folder(Path(path)) if Path(path).is_dir() else _read_own(path)
    here, size = origin["generator"], boundaries.normals.shape[1]
    makers = [str(name) for name in boundaries.facts["generators"]]
    if size != latent_dim:
        fault = f"they divide {size} latents of {', '.join(makers)}, those of {here} are {latent_dim}"
        raise DataError(path, fault, _MEND)
    known = {here, origin.get("generator_sha256", here)}
    if known.isdisjoint(makers):
        if makers != [CELEBAHQ] or "generator_sha256" not in origin:
            fault = f"the size of the latent fits, but they were learned for {', '.join(makers)}, not for {here}"
            raise DataError(path, fault, _MEND)
        # a user's own file may hold these weights in any of several formats
        _log.warning("%s: these boundaries are right if %s holds PGGAN's CelebA-HQ weights, else void", path, here)
    return boundaries


def _read_own(path: str | Path) -> Boundaries:
    mend = "Make them again with `hyper boundaries`"
    if not Path(path).is_file():
        raise DataError(path, "there is no such file or folder", _MEND)
    try:
        with safe_open(str(path), framework="numpy") as file:
            description = json.loads((file.metadata() or {})["boundaries"])
            normals, intercepts = file.get_tensor("normals"), file.get_tensor("intercepts")
        names, facts = tuple(map(str, description["names"])), dict(description["facts"])
        whole = description["version"] == VERSION and list(facts["generators"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RecursionError) as fault:
        raise DataError(path, f"it holds no boundaries ({fault})", mend) from fault
    if not whole or normals.ndim != 2 or len(normals) != len(names) or intercepts.shape != (len(names),):
        raise DataError(path, "its parts do not fit together", mend)
    return _checked(path, Boundaries(names, normals, intercepts, facts))


def _read_folder(folder: Path) -> Boundaries:
    """InterFaceGAN's normals, published without intercepts."""
    found = {name.name.split("_")[-2]: name for name in sorted(folder.glob(f"{CELEBAHQ}_*_boundary.npy"))}
    names = tuple(name for name in _ORDER if name in found)
    if not names:
        fault = f"the folder holds no {CELEBAHQ}_*_boundary.npy"
        raise DataError(folder, fault, "Give the folder of InterFaceGAN's boundaries, or a file of `hyper boundaries`")
    rows = [_read_normal(found[name]) for name in names]
    if len({len(row) for row in rows}) > 1:
        raise DataError(folder, "its boundaries have different sizes", "Fetch them again")
    facts = {"generators": [CELEBAHQ], "labels": "InterFaceGAN (Shen et al., 2020), attribute predictors on CelebA-HQ"}
    return _checked(folder, Boundaries(names, np.array(rows), np.zeros(len(names)), facts))


def _read_normal(path: Path) -> np.ndarray:
    try:
        normal = np.load(path, allow_pickle=False)
    except NPY_FAULTS as fault:
        raise DataError(path, f"it is no array of numbers ({fault})", "Fetch it again") from fault
    if not isinstance(normal, np.ndarray) or normal.dtype.kind != "f" or normal.ndim != 2 or len(normal) != 1:
        raise DataError(path, "it is no normal of shape (1, latent)", "Fetch it again")
    return normal[0].astype(float)


def _checked(path: str | Path, boundaries: Boundaries) -> Boundaries:
    lengths = np.linalg.norm(boundaries.normals, axis=1)
    if not (np.isfinite(boundaries.intercepts).all() and np.allclose(lengths, 1, atol=1e-3)):
        raise DataError(path, "its normals are not of length 1", "Make or fetch them again")
    return boundaries
