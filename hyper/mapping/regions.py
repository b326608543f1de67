"""Layers by region of the brain."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency

from hyper.errors import DataError, DatasetError
from hyper.io.spaces import apply_affine
from hyper.io.tables import read_table
from hyper.io.volumes import load_image

OUTSIDE = "elsewhere"
# Groups of areas in the supplement of Glasser et al. (2016), Nature 536, 171
GLASSER = {
    "V1": ("V1",),
    "early visual": ("V2", "V3", "V4"),
    "dorsal": ("V3A", "V3B", "V6", "V6A", "V7", "IPS1"),
    "ventral": ("V8", "VVC", "PIT", "FFC", "VMV1", "VMV2", "VMV3"),
    "MT+": ("V3CD", "LO1", "LO2", "LO3", "V4T", "FST", "MT", "MST", "PH"),
}


@dataclass(frozen=True)
class Atlas:
    """Regions as numbers in a volume.

    Attributes
    ----------
    numbers : ndarray of int, shape (x, y, z)
    affine : ndarray, shape (4, 4)
        Voxel to MNI mm.
    names : dict of int to str
        Of the regions to be named; others count as no region.
    """

    numbers: np.ndarray
    affine: np.ndarray
    names: dict[int, str]

    def names_at(self, points: np.ndarray) -> np.ndarray:
        """Name the region of points, shape (3, n), MNI mm: that of the nearest voxel; empty outside."""
        voxels = np.rint(apply_affine(np.linalg.inv(self.affine), points)).astype(int)
        inside = np.all((voxels >= 0) & (voxels < np.array(self.numbers.shape)[:, None]), axis=0)
        found = np.full(points.shape[1], "", dtype=object)
        found[inside] = [self.names.get(int(number), "") for number in self.numbers[tuple(voxels[:, inside])]]
        return found


def read_atlas(volume: str | Path, labels: str | Path, grouping: str = "none") -> Atlas:
    """Read a volume of region numbers and the table of their names.

    Parameters
    ----------
    volume : path
        NIfTI in MNI space.
    labels : path
        TSV with columns ``index`` and ``name``, as BIDS has it.
    grouping : {'none', 'glasser'}

    Raises
    ------
    DatasetError, DataError
        When a file is missing or is none of these, or no area belongs to a group.
    """
    image = load_image(volume)
    numbers = np.asarray(image.dataobj)
    if numbers.ndim == 4 and numbers.shape[3] == 1:
        numbers = numbers[..., 0]
    if numbers.ndim != 3 or not np.allclose(numbers, np.rint(numbers)):
        raise DatasetError(volume, "it is no volume of whole numbers", "Give a 3-D volume of region numbers")
    table = read_table(labels)
    if not {"index", "name"} <= set(table.columns):
        raise DataError(labels, "it has no columns index and name", "Write a TSV with these columns")
    names = {int(number): str(name) for number, name in zip(table["index"], table["name"], strict=True)}
    if grouping == "glasser":
        names = {number: group for number, name in names.items() if (group := glasser_group(name))}
    if not names:
        raise DataError(labels, "no area belongs to a group", "Give the labels of the HCP's parcellation")
    return Atlas(np.rint(numbers).astype(int), image.affine, names)


def glasser_group(name: str) -> str:
    """Group of an area of the HCP's multimodal parcellation, such as ``L_V1_ROI`` or ``Right_LO2``; or nothing."""
    parts = [
        part for part in re.split(r"[^A-Za-z0-9]+", name.upper()) if part not in ("L", "R", "LEFT", "RIGHT", "ROI")
    ]
    groups = [group for group, areas in GLASSER.items() for part in parts if part in areas]
    return groups[0] if len(parts) == 1 and groups else ""


def region_table(names: np.ndarray, chosen: np.ndarray, significant: np.ndarray, layers: Sequence[str]) -> pd.DataFrame:
    """Count the layers of each region's voxels.

    Parameters
    ----------
    names : ndarray of str, shape (voxel,)
        Region of each voxel; empty outside.
    chosen : ndarray of str, shape (voxel,)
        Layer of each voxel.
    significant : ndarray of bool, shape (voxel,)
    layers : sequence of str

    Returns
    -------
    DataFrame
        region, voxels, significant; per layer ``L1``, ``L1_share`` and ``L1_significant``. The largest region comes
        first, what lies in none comes last.
    """
    named = np.where(names == "", OUTSIDE, names)
    rows = []
    for region in sorted(set(named), key=lambda name: (name == OUTSIDE, -(named == name).sum(), name)):
        own = named == region
        row: dict[str, object] = {
            "region": region,
            "voxels": int(own.sum()),
            "significant": int(significant[own].sum()),
        }
        for layer in layers:
            count = int((chosen[own] == layer).sum())
            row |= {layer: count, f"{layer}_share": count / own.sum()}
            row[f"{layer}_significant"] = int(((chosen == layer) & own & significant).sum())
        rows.append(row)
    return pd.DataFrame(rows)


def independence(
    names: np.ndarray, chosen: np.ndarray, ijk: np.ndarray, edges: np.ndarray
) -> dict[str, float | int | None]:
    """Chi-square test of layer against region, over the voxels of regions.

    Neighbouring voxels share most of their cubes, so that a test on all of them takes the same voxels for new evidence
    many times over. A second test is on a lattice of voxels whose cubes do not overlap.

    Parameters
    ----------
    names, chosen : ndarray of str, shape (voxel,)
    ijk : ndarray of int, shape (voxel, 3)
    edges : ndarray of int, shape (3,)

    Returns
    -------
    dict
        chi2, dof, p, cramers_v, voxels of the test on all voxels; the same with ``apart_`` before them on the fullest
        lattice. None where there are not two regions and two layers.
    """
    inside = names != ""
    phase = np.ravel_multi_index(tuple((ijk % edges).T), tuple(edges))
    fullest = np.bincount(phase[inside]).argmax() if inside.any() else 0
    apart = _test(names, chosen, inside & (phase == fullest))
    return _test(names, chosen, inside) | {f"apart_{key}": value for key, value in apart.items()}


def _test(names: np.ndarray, chosen: np.ndarray, used: np.ndarray) -> dict[str, float | int | None]:
    counts = pd.crosstab(pd.Series(names[used], dtype=str), pd.Series(chosen[used], dtype=str)).to_numpy()
    if counts.ndim != 2 or min(counts.shape, default=0) < 2:
        return {"chi2": None, "dof": None, "p": None, "cramers_v": None, "voxels": int(used.sum())}
    chi2, p, dof, _ = chi2_contingency(counts, correction=False)
    strength = np.sqrt(chi2 / counts.sum() / (min(counts.shape) - 1))
    return {
        "chi2": float(chi2),
        "dof": int(dof),
        "p": float(p),
        "cramers_v": float(strength),
        "voxels": int(used.sum()),
    }


def regions_of_channels(
    count: int,
    known: np.ndarray | None,
    ijk: np.ndarray | None,
    affine: np.ndarray | None,
    atlas: Mapping[str, Any],
    otherwise: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Region of every voxel, or of every channel of electrodes.

    Parameters
    ----------
    count : int
        Of channels.
    known : ndarray of str, shape (channel,), optional
        Regions that came with the responses; they are taken as they are.
    ijk : ndarray, shape (channel, 3), optional
    affine : ndarray, shape (4, 4), optional
        Voxel to MNI mm; not finite where the places are not known.
    atlas : mapping
        ``volume`` (or None), ``labels`` and ``grouping``, as for `read_atlas`.
    otherwise : callable
        Region of points (3, n) without an atlas.

    Returns
    -------
    ndarray of str, shape (channel,)
        `OUTSIDE` for voxels of no region; ``all`` where nothing is known.
    """
    if known is not None:
        return np.asarray(known, str)
    if ijk is None or affine is None or not np.isfinite(affine).all():
        return np.full(count, "all")
    points = apply_affine(affine, np.asarray(ijk, float).T)
    if atlas["volume"] is None:
        names = otherwise(points)
    else:
        names = read_atlas(atlas["volume"], atlas["labels"], atlas["grouping"]).names_at(points)
    return np.array([str(name) or OUTSIDE for name in names])
