"""Confounds of a run, named and defined as fMRIPrep does; the run passes by once."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from nilearn.glm.first_level.design_matrix import create_cosine_drift
from scipy import ndimage

from hyper.errors import DataError
from hyper.io.volumes import iterate_volumes, load_image, read_volume
from hyper.preprocess.confound_names import EXPANSIONS, MOTION, TISSUES
from hyper.preprocess.grids import resample_to
from hyper.preprocess.moments import Moments, signal_to_noise
from hyper.preprocess.template import Template, TemplateFiles, load_template

_log = logging.getLogger(__name__)
_SAMPLES = 8_000_000
_FEWEST = 8
_EDGE_MM = 12.0
_MOST = 0.6
_ROWS = 480
GREY, WHITE, CSF = "grey matter", "white matter", "cerebrospinal fluid"
CLASSES = (GREY, WHITE, CSF)


@dataclass(frozen=True)
class RunQuality:
    """Result of `measure_run`.

    Attributes
    ----------
    signals : dict of ndarray, shape (volume,)
        Mean of each of `TISSUES`; ``dvars`` and ``std_dvars``, missing in the first volume.
    mean, signal_to_noise : ndarray, shape (x, y, z), float32
        0 outside the mask.
    carpet : ndarray, shape (row, volume), float32
        Standardised signals of voxels evenly spread over each tissue, tissue by tissue.
    tissues : ndarray of str, shape (row,)
        Which of `CLASSES`.
    """

    signals: dict[str, np.ndarray]
    mean: np.ndarray
    signal_to_noise: np.ndarray
    carpet: np.ndarray
    tissues: np.ndarray


def tissue_masks(
    mask: np.ndarray, affine: np.ndarray, probability: float = 0.9, files: TemplateFiles | None = None
) -> dict[str, np.ndarray]:
    """Return white matter and cerebrospinal fluid on a grid of the template's space, by the template's tissue maps.

    The maps are cut at 1 mm; a voxel counts when most of it lies inside. The fluid is that of the ventricles and the
    cisterns: what lies within 12 mm of the brain's edge does not count, since it has the signal of vessels and of
    motion too. A grid so coarse that hardly a voxel is left gives the fullest ones.

    Parameters
    ----------
    mask : ndarray of bool, shape (x, y, z)
        Brain.
    affine : ndarray, shape (4, 4)
    probability : float
        Least probability of the tissue.
    files : TemplateFiles, optional
        A template of the user's own.

    Returns
    -------
    dict of ndarray of bool
        ``csf``, ``white_matter`` and ``global_signal`` (the brain).
    """
    template = load_template(1.0, files)
    maps = {"white_matter": template.wm, "csf": np.clip(template.brain - template.gm - template.wm, 0, 1)}
    inner = _inner(template.brain)
    masks = {"global_signal": mask}
    for name, values in maps.items():
        sure = (values >= probability) & (inner | (name != "csf"))
        share = np.where(mask, resample_to(sure, template.affine, mask.shape, affine), 0)
        chosen = share >= _MOST
        if chosen.sum() < _FEWEST:
            order = np.argsort(share.ravel(), kind="stable")[::-1][:_FEWEST]
            chosen = np.zeros(mask.size, bool)
            chosen[order] = share.ravel()[order] > 0
            chosen = chosen.reshape(mask.shape)
            _log.warning("%s: hardly a voxel is of this tissue alone; the %d fullest were taken", name, _FEWEST)
        masks[name] = chosen
    return {name: masks[name] for name in TISSUES}


def _inner(brain: np.ndarray) -> np.ndarray:
    """Voxels of 1 mm that lie at least `_EDGE_MM` from the edge of the brain; distances are sought in its box alone."""
    padded = np.pad(brain, 1)
    (box,) = ndimage.find_objects(padded.astype(np.int8))
    box = tuple(slice(side.start - 1, side.stop + 1) for side in box)
    inner = np.zeros(padded.shape, bool)
    inner[box] = ndimage.distance_transform_edt(padded[box]) >= _EDGE_MM
    return inner[1:-1, 1:-1, 1:-1]


def measure_run(
    bold: str | Path, mask: str | Path, probability: float = 0.9, files: TemplateFiles | None = None
) -> RunQuality:
    """Measure mean signals, DVARS and temporal signal-to-noise ratio of a run in template space.

    DVARS is that of Power et al. (2012), NeuroImage 59, 2142, after scaling to a median of 1000; ``std_dvars`` divides
    it by its expectation for noise of the run's own autocorrelation (Nichols, 2017, arXiv:1704.01469), both as nipype
    and fMRIPrep compute them. Medians and quartiles over time come from voxels evenly spread over the brain, all of
    them where the run is small, so that memory does not grow with the run.

    Parameters
    ----------
    bold : str or Path
        4-D.
    mask : str or Path
        Brain, on the same grid.
    probability : float
        Least probability of a tissue.
    files : TemplateFiles, optional
        A template of the user's own.

    Returns
    -------
    RunQuality

    Raises
    ------
    DataError
        When the grids differ or the mask is empty.
    """
    image = load_image(bold)
    brain, affine = read_volume(mask)
    brain = brain > 0
    if brain.shape != image.shape[:3] or not brain.any():
        fault = f"its grid {brain.shape} is not the run's {image.shape[:3]}, or it is empty"
        raise DataError(mask, fault, "Run mask_bold again")
    masks = {name: tissue[brain] for name, tissue in tissue_masks(brain, affine, probability, files).items()}
    volumes, voxels = image.shape[3], int(brain.sum())
    sampled = np.unique(np.linspace(0, voxels - 1, min(voxels, max(_SAMPLES // volumes, 256))).round().astype(int))
    rows, tissues = _carpet_rows(brain, affine, masks, load_template(1.0, files))
    kept, carpet = np.empty((volumes, len(sampled)), np.float32), np.empty((volumes, len(rows)), np.float32)
    means = {name: np.empty(volumes) for name in masks}
    moments, squares = Moments(volumes, voxels), np.full(volumes, np.nan)
    last, done = None, 0
    for block in iterate_volumes(bold):
        values = block[brain].T
        here = slice(done, done + len(values))
        for name, tissue in masks.items():
            means[name][here] = values[:, tissue].mean(1) if tissue.any() else np.nan
        kept[here], carpet[here] = values[:, sampled], values[:, rows]
        steps = np.diff(values, axis=0, prepend=values[:1] if last is None else last)
        squares[here] = np.einsum("tv,tv->t", steps, steps, dtype=float)
        moments.add(values)
        last, done = values[-1:], done + len(values)
    mean, deviation = moments.finish()
    varying = int((deviation > 0).sum())
    nstd, standardised = _dvars(squares, varying, kept)
    return RunQuality(
        {**means, "dvars": nstd, "std_dvars": standardised},
        _unmasked(mean, brain),
        _unmasked(signal_to_noise(mean, deviation), brain),
        _standardised(carpet).T,
        tissues,
    )


def _dvars(squares: np.ndarray, voxels: int, sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """DVARS from the summed squares of steps (volume,), and from a sample (volume, voxel) its scale and expectation."""
    scale = 1000 / np.median(sample)
    low, high = np.percentile(sample, [25, 75], axis=0, method="lower")
    deviation = scale * (high - low) / 1.349
    sample, deviation = sample[:, deviation > 1e-7], deviation[deviation > 1e-7]
    centred = sample - sample.mean(0)
    energy = np.einsum("tv,tv->v", centred, centred)
    autocorrelation = np.einsum("tv,tv->v", centred[1:], centred[:-1]) / energy
    expected = float((np.sqrt(2 * (1 - autocorrelation)) * deviation).mean()) if deviation.size else np.nan
    nstd = scale * np.sqrt(squares / max(voxels, 1))
    nstd[0] = np.nan
    return nstd, nstd / expected


def _carpet_rows(
    brain: np.ndarray, affine: np.ndarray, masks: Mapping[str, np.ndarray], template: Template
) -> tuple[np.ndarray, Any]:
    """Voxels of the carpet, tissue by tissue, as indices into the brain, and the class of each."""
    grey = resample_to(template.gm, template.affine, brain.shape, affine)[brain] > 0.6
    classes = {GREY: grey, WHITE: masks["white_matter"], CSF: masks["csf"]}
    shares = {GREY: 0.6, WHITE: 0.25, CSF: 0.15}
    rows, labels = [], []
    for name, inside in classes.items():
        found = np.flatnonzero(inside)
        most = int(_ROWS * shares[name])
        found = found[np.linspace(0, len(found) - 1, min(len(found), most)).round().astype(int)]
        rows.append(found)
        labels += [name] * len(found)
    return np.concatenate(rows).astype(int), np.array(labels, object)


def _standardised(signals: np.ndarray) -> np.ndarray:
    """Remove a linear trend from each column of (volume, row) and divide it by its standard deviation."""
    time = np.linspace(-1, 1, len(signals))
    basis = np.linalg.qr(np.vander(time, 2))[0]
    residual = signals - basis @ (basis.T @ signals)
    deviation = residual.std(0)
    return (residual / np.where(deviation > 0, deviation, 1)).astype(np.float32)


def _unmasked(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    volume = np.zeros(mask.shape, np.float32)
    volume[mask] = values
    return volume


def confounds_table(
    motion: pd.DataFrame, signals: Mapping[str, np.ndarray], tr: float, high_pass: float = 1 / 128
) -> pd.DataFrame:
    """Return every confound of a run.

    Parameters
    ----------
    motion : DataFrame
        The six parameters and framewise_displacement. They may be text: what a file says is then kept to the letter.
    signals : mapping of str to ndarray, shape (volume,)
        From `measure_run`.
    tr : float
        Repetition time, seconds.
    high_pass : float
        Cut-off of the cosine terms, Hz.

    Returns
    -------
    DataFrame
        fMRIPrep's names: tissues and motion with their backward differences and squares, ``cosine00`` and on.

    Raises
    ------
    DataError
        When the numbers of volumes differ.
    """
    volumes = len(motion)
    for name, values in signals.items():
        if len(values) != volumes:
            raise DataError(name, f"{len(values)} values for {volumes} volumes of motion", "Run realign again")
    columns: dict[str, Any] = {}
    for name in TISSUES:
        columns |= _expanded(name, signals[name])
    columns |= {name: signals[name] for name in ("dvars", "std_dvars")}
    columns["framewise_displacement"] = motion["framewise_displacement"].to_numpy()
    for name in MOTION:
        columns |= _expanded(name, motion[name].to_numpy(float))
        columns[name] = motion[name].to_numpy()
    if high_pass > 0:
        drift = create_cosine_drift(high_pass, np.arange(volumes) * tr)[:, :-1]
        columns |= {f"cosine{index:02d}": drift[:, index] for index in range(drift.shape[1])}
    return pd.DataFrame(columns)


def _expanded(name: str, values: np.ndarray) -> dict[str, np.ndarray]:
    step = np.diff(values, prepend=np.nan)
    return {name + end: part for end, part in zip(EXPANSIONS, (values, step, values**2, step**2), strict=True)}


def describe_confounds(table: pd.DataFrame, high_pass: float, radius_mm: float) -> dict[str, Any]:
    """Return the sidecar of the table: what each column is, and in which unit."""
    what = {
        "csf": "Mean signal of the ventricles",
        "white_matter": "Mean signal of white matter",
        "global_signal": "Mean signal of the brain",
        "dvars": "Root mean square of the change from volume to volume, the run's median scaled to 1000",
        "std_dvars": "DVARS divided by its expectation for the run's own noise",
        "framewise_displacement": f"Sum of the absolute changes of the motion parameters, {radius_mm:g} mm sphere",
    }
    what |= {name: f"Head motion, {'translation' if name[0] == 't' else 'rotation'}" for name in MOTION}
    ends = {"_derivative1": ", change from the volume before", "_power2": ", squared"}
    ends["_derivative1_power2"] = ", change from the volume before, squared"
    units = {"trans": "mm", "rot": "rad", "framewise": "mm"}
    described: dict[str, Any] = {}
    for column in table.columns:
        base = next((name for name in sorted(what, key=len, reverse=True) if column.startswith(name)), None)
        if base is None:
            described[column] = {"Description": f"Cosine drift, cut-off {high_pass:.5f} Hz"}
            continue
        described[column] = {"Description": what[base] + ends.get(column.removeprefix(base), "")}
        unit = units.get(base.partition("_")[0])
        if unit:
            described[column]["Units"] = unit + ("^2" if column.endswith("power2") else "")
    return described
