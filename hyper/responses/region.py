"""The region that voxels are chosen within."""

import logging
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from hyper.errors import DataError, HyperError
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import load_image

log = logging.getLogger(__name__)


def read_region(path: str | Path, brain: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Read a region mask and bring it to the grid of the z-maps by nearest neighbour.

    Parameters
    ----------
    path : path
        NIfTI in the space of the z-maps, on any grid; 1 inside, 0 (or NaN) outside.
    brain : ndarray of bool, shape (x, y, z)
        Brain mask on the grid of the z-maps.
    affine : ndarray, shape (4, 4)
        Of that grid, voxel to world, mm.

    Returns
    -------
    ndarray of bool, shape (x, y, z)
        Voxels of the brain whose centre lies in a voxel of the region.

    Raises
    ------
    DataError
        When it is no volume, no mask, empty, without a usable affine, or does not meet the brain.
    """
    values, source = _read_mask(path)
    region = _sample(values, source, brain.shape, affine)
    inside = region & brain
    if not inside.any():
        raise DataError(
            path, "it does not meet the brain", "Give the region in the space of the z-maps (MNI152NLin2009aSym, mm)"
        )
    share = inside.sum() / region.sum()
    said = log.warning if share < 0.5 else log.info
    said("%s: %d voxels of the grid, %.0f %% of them in the brain mask", path, region.sum(), 100 * share)
    return inside


def find_region_faults(paths: Iterable[Sequence[Path]]) -> list[HyperError]:
    """What is wrong with the regions that the settings name, before anything is computed."""
    faults: list[HyperError] = []
    for path in sorted({path for group in paths for path in group}):
        try:
            _read_mask(path)
        except HyperError as found:
            faults.append(found)
    return faults


def _read_mask(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a mask on its own grid: where it is set, shape (x, y, z), and its affine."""
    image = load_image(path)
    try:
        values = np.asarray(image.dataobj)
    except (OSError, EOFError, ValueError, zlib.error) as broken:
        raise DataError(path, f"its data cannot be read ({broken})", "Fetch or write the file again") from None
    if values.dtype.kind not in "biuf":
        raise DataError(path, f"its values are of type {values.dtype}", "Give a mask of 0 and 1")
    if values.ndim == 4 and values.shape[3] == 1:
        values = values[..., 0]
    if values.ndim != 3:
        raise DataError(path, f"it has {values.ndim} dimensions where a volume is due", "Give one 3-D mask")
    values = np.nan_to_num(np.asarray(values, np.float64), nan=0.0)
    levels = np.unique(values[values != 0])
    if not len(levels):
        raise DataError(path, "it is empty", "Give a mask with voxels other than 0")
    if len(levels) > 1 or levels[0] < 0:
        shown = ", ".join(f"{level:g}" for level in levels[:3])
        said = f"it holds {len(levels)} values beside 0 ({shown}{', ...' if len(levels) > 3 else ''}): no mask"
        raise DataError(path, said, "Write the wanted labels, or what lies above a threshold, as 1 and the rest as 0")
    if not np.isfinite(image.affine).all() or abs(np.linalg.det(image.affine[:3, :3])) < 1e-9:
        raise DataError(path, "its affine cannot be inverted", "Correct its sform or qform")
    return values > 0, image.affine


def _sample(region: np.ndarray, source: np.ndarray, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Whether the centre of each voxel of a grid lies in a voxel of the region."""
    index = np.rint(apply_affine(np.linalg.inv(source), grid_points(shape, affine))).astype(int)
    valid = ((index >= 0) & (index < np.array(region.shape)[:, None])).all(axis=0)
    found = np.zeros(index.shape[1], bool)
    found[valid] = region[tuple(index[:, valid])]
    return found.reshape(shape)
