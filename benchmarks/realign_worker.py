"""One realignment in a process of its own, for `realign.py`. Needs numpy, and `hyper` for its own engines only.

python realign_worker.py check METHOD           # prints a reason why it cannot run here, or ""
python realign_worker.py METHOD BOLD OUT N      # writes the poses, prints the times
"""

import importlib.util
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

MODULES = {"nipy": "nipy", "antspyx": "ants"}
PROGRAMS = {
    "spm": os.environ.get("SPMMCRCMD") or os.environ.get("MATLABCMD") or "matlab",
    "fsl": "mcflirt",
    "afni": "3dvolreg",
}


def by_hyper(bold: str, threads: int) -> Callable[[], np.ndarray]:
    """Poses by this package."""
    from hyper.preprocess.realign import realign_run

    return lambda: realign_run(bold, threads=threads).matrices


def by_nipy(bold: str, threads: int) -> Callable[[], np.ndarray]:
    """Poses by nipy's SpaceRealign, what SpaceTimeRealigner is for volumes without slice times; it has one thread."""
    from nipy.algorithms.registration.groupwise_registration import SpaceRealign
    from nipy.io.api import load_image

    def run() -> np.ndarray:
        realigner = SpaceRealign(load_image(bold))
        realigner.estimate(refscan=0)
        return np.array([transform.as_affine() for transform in realigner._transforms[0]])

    return run


def by_antspyx(bold: str, threads: int) -> Callable[[], np.ndarray]:
    """Poses by antspyx's rigid motion correction to the first volume."""
    import ants

    def run() -> np.ndarray:
        series = ants.image_read(bold)
        first = ants.slice_image(series, axis=3, idx=0)
        found = ants.motion_correction(series, fixed=first, type_of_transform="BOLDRigid")["motion_parameters"]
        return np.array([_matrix_of_ants(ants.read_transform(files[0])) for files in found])

    return run


def _matrix_of_ants(transform: object) -> np.ndarray:
    """World (RAS) matrix of an ITK transform, which is in LPS."""
    points = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.apply_to_point(tuple(point)) for point in points])  # type: ignore[attr-defined]
    lps = np.eye(4)
    lps[:3, 3], lps[:3, :3] = moved[0], (moved[1:] - moved[0]).T
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    return flip @ lps @ flip


def by_engine(name: str) -> Callable[[str, int], Callable[[], np.ndarray]]:
    """Poses by a program, through the engine of the workflow."""

    def prepare(bold: str, threads: int) -> Callable[[], np.ndarray]:
        from hyper.io.arrays import read_arrays
        from hyper.preprocess.engines.registry import REALIGN
        from hyper.preprocess.node import run_node

        def run() -> np.ndarray:
            with tempfile.TemporaryDirectory() as folder:
                files = {"motion": "motion.tsv", "boldref": "boldref.nii.gz", "matrices": "matrices.h5"}
                outputs = {output: Path(folder, file) for output, file in files.items()}
                run_node(REALIGN[name], outputs, bold=Path(bold), threads=threads)
                return read_arrays(outputs["matrices"])[0]["matrices"]

        return run

    return prepare


METHODS = {
    "hyper": by_hyper,
    "nipy": by_nipy,
    "antspyx": by_antspyx,
    **{name: by_engine(name) for name in PROGRAMS},
}


def reason_against(method: str) -> str:
    """Why a method cannot run here; empty when it can."""
    if method in MODULES:
        return "" if importlib.util.find_spec(MODULES[method]) else f"not installed in {sys.executable}"
    if method == "hyper":
        return ""
    command = PROGRAMS[method].split()[0]
    return "" if shutil.which(command) else f"not installed: {command} is not on the PATH"


def main(method: str, bold: str, out: str, threads: str) -> None:
    """Realign, write the poses, print the times."""
    run = METHODS[method](bold, int(threads))
    wall, processor = time.perf_counter(), time.process_time()
    poses = run()
    spent = {"wall": time.perf_counter() - wall, "processor": time.process_time() - processor}
    np.save(out, poses)
    print(json.dumps(spent))


if __name__ == "__main__":
    if sys.argv[1] == "check":
        print(json.dumps(reason_against(sys.argv[2])))
    else:
        main(*sys.argv[1:])
