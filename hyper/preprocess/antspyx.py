"""Programs of antspyx in a process of their own, which makes them repeatable: SyN and N4.

Only environment variables that are set before ITK starts fix its random numbers and its threads.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hyper.errors import DataError

_ROOT = Path(__file__).resolve().parents[2]
_TAIL = 600


def register_by_ants(
    static: np.ndarray,
    static_affine: np.ndarray,
    moving: np.ndarray,
    moving_affine: np.ndarray,
    points: np.ndarray,
    *,
    iterations: Sequence[int] = (40, 20, 10),
    radius: int = 2,
    seed: int = 0,
    recipe: str | None = None,
) -> np.ndarray:
    """Register two brains by ANTs' affine (mutual information) and SyN (cross-correlation).

    Avants et al. (2011), NeuroImage 54, 2033.

    Parameters
    ----------
    static, moving : ndarray, shape (x, y, z)
    static_affine, moving_affine : ndarray, shape (4, 4)
    points : ndarray, shape (3, n)
        World points of the static volume, mm.
    iterations : sequence of int
        Of SyN, coarse to fine; the affine alone when empty.
    radius : int
        Of the window of the cross-correlation, voxels.
    seed : int
    recipe : str, optional
        antspyx's name of a whole recipe, which then decides instead of `iterations` and `radius`.

    Returns
    -------
    ndarray, shape (3, n)
        World points of the moving volume.

    Raises
    ------
    DataError
        When antspyx is not installed or fails.
    """
    arrays = {"static": static, "static_affine": static_affine, "moving": moving, "moving_affine": moving_affine}
    options = {"iterations": np.array(iterations, int), "radius": np.array(radius), "recipe": np.array(recipe or "")}
    return _run("register", {**arrays, "points": points, **options}, seed)


def correct_by_n4(volume: np.ndarray, affine: np.ndarray, mask: np.ndarray, seed: int = 0) -> np.ndarray:
    """Divide out the receive field that N4 finds in a mask (Tustison et al., 2010, IEEE Trans. Med. Imaging 29, 1310).

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    mask : ndarray of bool, shape (x, y, z)
    seed : int

    Raises
    ------
    DataError
        When antspyx is not installed or fails.
    """
    return _run("correct", {"volume": volume, "affine": affine, "mask": mask.astype(np.float32)}, seed)


def _run(task: str, arrays: Mapping[str, Any], seed: int) -> np.ndarray:
    if importlib.util.find_spec("ants") is None:
        mend = "Run: pip install antspyx==0.6.3, or choose the engine hyper or dipy (and a bias other than n4)"
        raise DataError("antspyx", "it is not installed", mend)
    environment = os.environ | {
        "ANTS_RANDOM_SEED": str(seed % (2**31 - 1) + 1),
        "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1",
        "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder) / "given.npz", Path(folder) / "made.npy"
        np.savez(given, **arrays)
        command = [sys.executable, "-m", "hyper.preprocess.antspyx_process", task, str(given), str(made)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode != 0 or not made.exists():
            fault = f"the program ended with {done.returncode}: {(done.stderr or done.stdout).strip()[-_TAIL:]}"
            raise DataError("antspyx", fault, "Look at both volumes, or choose another engine")
        return np.load(made, allow_pickle=False)
