"""truth.h5: everything planted, in one file."""

from collections.abc import Mapping
from pathlib import Path

import h5py

from hyper.io.atomic import atomic_path

_CONTENT = (
    "What was planted in a simulated dataset. World coordinates are RAS, mm. sub-*/: a template point p is found at "
    "affine @ (p + d(p)) of the head at rest, where the T1w image is too; d is a cubic B-spline with coefficients "
    "`warp` on the grid `warp_affine`. voxels/: response to latent z in percent of the signal, mean + weights @ z; "
    "node_* are the same before interpolation. head/: mean EPI at rest, spline coefficients. task-*/motion: world of "
    "the head at rest to the world of each volume; task-*/responses: of each trial and voxel."
)


def gather_truth(
    phantoms: Mapping[str, str | Path], runs: Mapping[tuple[str, str], str | Path], path: str | Path
) -> None:
    """Put what was planted in every subject and run into one file.

    Parameters
    ----------
    phantoms : mapping of subject to path
        Written by `hyper.simulation.phantom.Phantom.save`.
    runs : mapping of (subject, series) to path
        Written by `hyper.simulation.run.simulate_run`.
    path : path
        Output: groups ``sub-<label>`` and ``sub-<label>/<series>``.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w", track_order=True) as file:
        file.attrs["content"] = _CONTENT
        for subject, part in phantoms.items():
            _copy(part, file.create_group(f"sub-{subject}", track_order=True))
        for (subject, series), part in runs.items():
            _copy(part, file.create_group(f"sub-{subject}/{series}", track_order=True))


def _copy(part: str | Path, group: h5py.Group) -> None:
    with h5py.File(part, "r") as source:
        for name in source:
            source.copy(name, group)
        group.attrs.update(source.attrs)
