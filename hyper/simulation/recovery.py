"""What the pipeline recovered of what was planted."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.arrays import read_arrays
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import load_image, read_volume
from hyper.preprocess.motion import framewise_displacement, parameters_of
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import Anatomy

COLUMNS = ["subject", "series", "quantity", "value", "unit"]


def compare_motion(planted: np.ndarray, estimated: np.ndarray) -> list[tuple[str, float, str]]:
    """Compare framewise displacement.

    Parameters
    ----------
    planted, estimated : ndarray, shape (volume, 4, 4)
        Any fixed world to the world of each volume; both are taken relative to their first volume.

    Returns
    -------
    list of (quantity, value, unit)
    """
    if len(planted) != len(estimated):
        raise DataError("motion", f"{len(estimated)} matrices for {len(planted)} volumes", "Run realign again")
    true, found = (
        framewise_displacement(parameters_of(matrices @ np.linalg.inv(matrices[0])))[1:]
        for matrices in (planted, estimated)
    )
    error = np.abs(found - true)
    return [
        ("framewise_displacement_planted_mean", float(true.mean()), "mm"),
        ("framewise_displacement_mean_absolute_error", float(error.mean()), "mm"),
        ("framewise_displacement_max_absolute_error", float(error.max()), "mm"),
    ]


def compare_points(quantity: str, planted: np.ndarray, estimated: np.ndarray) -> list[tuple[str, float, str]]:
    """Mean and 95th percentile of the distance (mm) between points, shape (3, n)."""
    if not np.isfinite(estimated).all():
        raise DataError("transforms", "a point of the brain is mapped to no finite place", "Run the registration again")
    distance = np.linalg.norm(planted - estimated, axis=0)
    return [
        (f"{quantity}_mean_error", float(distance.mean()), "mm"),
        (f"{quantity}_p95_error", float(np.percentile(distance, 95)), "mm"),
    ]


def share_in_regions(active: np.ndarray, affine: np.ndarray, points: np.ndarray) -> list[tuple[str, float, str]]:
    """Share of active voxels that hold, or touch one that holds, a planted voxel.

    Parameters
    ----------
    active : ndarray, shape (x, y, z), bool
    affine : ndarray, shape (4, 4)
    points : ndarray, shape (voxel, 3)
        Template points of the planted voxels, mm.
    """
    planted = np.zeros(active.shape, bool)
    index = _nearest_voxel(points, affine)
    inside = ((index >= 0) & (index < np.array(active.shape))).all(axis=1)
    planted[tuple(index[inside].T)] = True
    touched = ndimage.binary_dilation(planted)
    return [("active_voxels_in_planted_regions", float(touched[active].mean()), "share")]


def correlate_responses(
    quantity: str, estimated: np.ndarray, planted: np.ndarray, ijk: np.ndarray, affine: np.ndarray, points: np.ndarray
) -> list[tuple[str, float, str]]:
    """Mean over voxels of the correlation, over trials or stimuli, of estimated with planted responses.

    Parameters
    ----------
    quantity : str
        Name.
    estimated : ndarray, shape (trial, voxel)
        At the voxels `ijk`.
    planted : ndarray, shape (trial, planted voxel)
        Of the same trials; planted voxels that fall into one voxel are averaged.
    ijk : ndarray of int, shape (voxel, 3)
    affine : ndarray, shape (4, 4)
    points : ndarray, shape (planted voxel, 3)
        Template points of the planted voxels, mm.

    Returns
    -------
    list of (quantity, value, unit)
        The number of voxels compared beside it; NaN when there is none.
    """
    columns = {tuple(index): column for column, index in enumerate(ijk.tolist())}
    members: dict[int, list[int]] = {}
    for voxel, index in enumerate(_nearest_voxel(points, affine).tolist()):
        if (column := columns.get(tuple(index))) is not None:
            members.setdefault(column, []).append(voxel)
    scores = [_correlation(estimated[:, column], planted[:, own].mean(axis=1)) for column, own in members.items()]
    return [
        (quantity, float(np.mean(scores)) if scores else float("nan"), "correlation"),
        (f"{quantity}_voxels", float(len(scores)), "voxels"),
    ]


def compare_run(
    truth: str | Path, subject: str, series: str, volumes: str | Path, to_boldref: str | Path, chain: "Chain"
) -> list[tuple[str, float, str]]:
    """Compare one run's motion, and the place of the template's brain in its first volume.

    Parameters
    ----------
    truth : path
        truth.h5.
    subject, series : str
    volumes : path
        ``from-boldref_to-volume_xfm.h5``.
    to_boldref : path
        ``from-reference_to-boldref_xfm.h5``.
    chain : Chain
        Of the subject.
    """
    motion = read_arrays(truth, [f"sub-{subject}/{series}/motion"])[0][f"sub-{subject}/{series}/motion"]
    estimated = read_arrays(volumes, ["matrices"])[0]["matrices"]
    to_run = read_arrays(to_boldref, ["matrix"])[0]["matrix"]
    return compare_motion(motion, estimated) + compare_points(
        "template_to_first_volume",
        apply_affine(motion[0], chain.planted),
        apply_affine(estimated[0] @ to_run @ chain.to_reference, chain.estimated),
    )


class Chain:
    """Where the template's brain lies in a person: as planted, and as registered.

    Parameters
    ----------
    truth : path
        truth.h5.
    subject : str
        Label.
    warp : path
        ``from-MNI152NLin2009aSym_to-T1w_xfm.nii.gz``: world coordinates (mm) in the T1w image, shape (x, y, z, 3).
        Without a T1w image, those in the reference run.
    to_reference : path, optional
        ``from-T1w_to-reference_xfm.h5``; not given when `warp` ends in the reference run.

    Attributes
    ----------
    planted, estimated : ndarray, shape (3, n)
        T1w world coordinates of every point of the template's brain, mm; the estimated ones in the reference
        run where there is no `to_reference`.
    to_reference : ndarray, shape (4, 4)
        T1w world to the world of the reference run.
    """

    def __init__(
        self, truth: str | Path, subject: str, warp: str | Path, to_reference: str | Path | None = None
    ) -> None:
        names = [f"sub-{subject}/{name}" for name in ("affine", "warp", "warp_affine")]
        anatomy = Anatomy(*(read_arrays(truth, names)[0][name] for name in names))
        image = load_image(warp)
        mapped = np.asarray(image.dataobj, np.float64)
        if mapped.ndim != 4 or mapped.shape[3] != 3:
            raise DataError(
                warp, f"its shape is {mapped.shape} where (x, y, z, 3) is due", "Run the registration again"
            )
        points = grid_points(mapped.shape[:3], image.affine)
        brain = _in_brain(points)
        self.planted = anatomy.to_subject(points[:, brain])
        self.estimated = mapped.reshape(-1, 3)[brain].T
        self.to_reference = read_arrays(to_reference, ["matrix"])[0]["matrix"] if to_reference else np.eye(4)


def compare_responses(
    truth: str | Path, subject: str, series: list[str], active: str | Path, responses: str | Path
) -> list[tuple[str, float, str]]:
    """Compare the voxels found active and their responses with the planted ones.

    Parameters
    ----------
    truth : path
        truth.h5.
    subject : str
    series : list of str
        Labels of the subject's runs.
    active : path
        ``desc-active_mask.nii.gz``.
    responses : path
        ``responses.h5``.
    """
    root = f"sub-{subject}/voxels/template_point"
    points = read_arrays(truth, [root])[0][root]
    evoked = _evoked(truth, subject, series)
    mask, affine = read_volume(active)
    rows = share_in_regions(mask > 0, affine, points)
    names = ["train", "test", "train_stimuli", "test_stimuli", "ijk", "affine"]
    found = read_arrays(responses, names)[0]
    for split in ("train", "test"):
        planted = np.stack([evoked[stimulus] for stimulus in found[f"{split}_stimuli"]])
        rows += correlate_responses(
            f"response_correlation_{split}", found[split], planted, found["ijk"], found["affine"], points
        )
    return rows


def truth_table(rows: Mapping[tuple[str, str | None], list[tuple[str, float, str]]]) -> pd.DataFrame:
    """Put what was compared, by subject and series (None: of the subject as a whole), into one tidy table."""
    tidy = [(subject, series, *row) for (subject, series), part in rows.items() for row in part]
    return pd.DataFrame(tidy, columns=COLUMNS)


def _evoked(truth: str | Path, subject: str, series: list[str]) -> dict[str, np.ndarray]:
    """Planted response of every stimulus the subject saw, shape (planted voxel,)."""
    evoked: dict[str, np.ndarray] = {}
    for label in series:
        names = [f"sub-{subject}/{label}/{name}" for name in ("stimuli", "responses")]
        found = read_arrays(truth, names)[0]
        evoked.update(zip(found[names[0]], found[names[1]], strict=True))
    return evoked


def _in_brain(points: np.ndarray) -> np.ndarray:
    template = load_template(1.0)
    voxels = apply_affine(np.linalg.inv(template.affine), points)
    return ndimage.map_coordinates(template.brain.astype(np.uint8), voxels, order=0, mode="constant") > 0


def _nearest_voxel(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return np.rint(apply_affine(np.linalg.inv(affine), points.T)).astype(int).T


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    norm = np.linalg.norm(a) * np.linalg.norm(b)
    return float(a @ b / norm) if norm else 0.0
