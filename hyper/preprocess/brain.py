"""Brain extraction and intensity correction of the T1-weighted and of the mean BOLD volume."""

import logging
from itertools import product

import nibabel as nib
import numpy as np
from dipy.segment.mask import median_otsu
from scipy import ndimage

from hyper.errors import DatasetError
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.antspyx import correct_by_n4
from hyper.preprocess.normalisation import brain_of_template, register_affine
from hyper.preprocess.template import TemplateFiles
from hyper.preprocess.warp import Image

_log = logging.getLogger(__name__)
_STRIPPED_SHARE = 0.6
_HUMAN_BRAIN_CM3 = (800, 2200)
_COARSE_MM = 6.0
_AROUND_MM = 3.0


def brain_mask(t1w: np.ndarray, affine: np.ndarray, method: str, threads: int = 1, name: str = "T1w") -> np.ndarray:
    """Return the mask of the brain.

    Parameters
    ----------
    t1w : ndarray, shape (x, y, z)
        T1-weighted volume.
    affine : ndarray, shape (4, 4)
    method : {"deepbet", "none"}
        ``deepbet`` is the network of Fisch et al. (2024), Computers in Biology and Medicine 179, 108845; ``none``
        takes the voxels above zero of a volume that is already stripped.
    threads : int
    name : str
        Name of the volume, for messages.

    Returns
    -------
    ndarray of bool, shape (x, y, z)

    Raises
    ------
    DatasetError
        When no brain is found, or the volume is not stripped although `method` says so.
    """
    finite = np.nan_to_num(np.asarray(t1w, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if np.ptp(finite) == 0:
        raise DatasetError(name, "the T1w volume is constant", "Fetch or convert it again")
    mask = _by_deepbet(finite, affine, threads, name) if method == "deepbet" else _above_zero(finite, name)
    volume = mask.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000
    _log.info("%s: brain of %.0f cm3 by %s", name, volume, "deepbet" if method == "deepbet" else "its voxels above 0")
    if not _HUMAN_BRAIN_CM3[0] < volume < _HUMAN_BRAIN_CM3[1]:
        _log.warning("%s: %.0f cm3 is no usual volume of a human brain; look at the mask", name, volume)
    return mask


def _by_deepbet(volume: np.ndarray, affine: np.ndarray, threads: int, name: str) -> np.ndarray:
    import torch
    from deepbet.bet import BrainExtraction

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        _, mask, _ = BrainExtraction(no_gpu=True).run(nib.Nifti1Image(volume, affine))
    except (AssertionError, ValueError, RuntimeError) as fault:
        mend = "Look at the volume; if it is already stripped, set preprocess.brain.method: none"
        raise DatasetError(name, f"deepbet finds no brain ({fault})", mend) from fault
    finally:
        torch.set_num_threads(before)
    return np.asarray(mask.dataobj) > 0


def _above_zero(volume: np.ndarray, name: str) -> np.ndarray:
    mask = volume > 0
    if mask.mean() > _STRIPPED_SHARE:
        fault = f"{mask.mean():.0%} of its voxels are above 0, so it is not stripped of the skull"
        raise DatasetError(name, fault, "Set preprocess.brain.method: deepbet")
    return _largest(mask)


def bold_brain_mask(
    boldref: np.ndarray, affine: np.ndarray, files: TemplateFiles | None = None, name: str = "boldref"
) -> np.ndarray:
    """Return the mask of the brain in a mean BOLD volume.

    dipy's ``median_otsu`` finds bright tissue, and of it is kept what lies in the template's brain or within 3 mm of
    it, brought there by a coarse affine: eyes and scalp go, fluid around the brain stays, as it does in the template.

    Parameters
    ----------
    boldref : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    files : TemplateFiles, optional
        The user's own template.
    name : str
        Name of the volume, for messages.

    Returns
    -------
    ndarray of bool, shape (x, y, z)

    Raises
    ------
    DatasetError
        When no brain is found.
    """
    volume = np.nan_to_num(np.asarray(boldref, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    if np.ptp(volume) == 0:
        raise DatasetError(name, "the mean BOLD volume is constant", "Leave the run out or fetch it again")
    bright = _largest(median_otsu(volume, median_radius=2, numpass=2)[1] > 0)
    if not bright.any():
        raise DatasetError(name, "no brain is found in the mean BOLD volume", "Look at the volume")
    fixed = brain_of_template(files, "bold")
    pose = register_affine(fixed, Image(np.where(bright, volume, 0), affine, bright), _COARSE_MM, (100, 50))
    voxels = apply_affine(np.linalg.inv(pose @ fixed.affine), grid_points(volume.shape, affine))
    outside = ndimage.distance_transform_edt(~fixed.mask).astype(np.float32)
    away = ndimage.map_coordinates(outside, voxels, order=1, mode="nearest").reshape(volume.shape)
    mask = bright & (away <= _AROUND_MM)
    if not mask.any():
        raise DatasetError(name, "no brain is found in the mean BOLD volume", "Look at the volume")
    _log.info("%s: brain of %.0f cm3", name, mask.sum() * abs(np.linalg.det(affine[:3, :3])) / 1000)
    return mask


def _largest(mask: np.ndarray) -> np.ndarray:
    parts, number = ndimage.label(mask)
    return ndimage.binary_fill_holes(parts == np.bincount(parts.ravel())[1:].argmax() + 1) if number else mask


def correct_bias(
    t1w: np.ndarray,
    affine: np.ndarray,
    mask: np.ndarray,
    order: int = 3,
    rounds: int = 6,
    method: str = "polynomial",
    seed: int = 0,
) -> np.ndarray:
    """Divide out a smooth receive field.

    The field of the method ``polynomial`` is the exponential of a polynomial. It is fitted to the logarithm of the
    brightest tissue, white matter, which is chosen anew from the corrected volume in each round.

    Parameters
    ----------
    t1w : ndarray, shape (x, y, z)
    affine : ndarray, shape (4, 4)
    mask : ndarray of bool, shape (x, y, z)
    order : int
        Degree of the polynomial; 0 only masks.
    rounds : int
    method : {"polynomial", "n4", "none"}
        ``n4`` is that of antspyx.
    seed : int
        Of N4.

    Returns
    -------
    ndarray, shape (x, y, z), float32
        Masked volume; its mean brightness is kept.
    """
    masked = np.where(mask, np.nan_to_num(np.asarray(t1w, np.float32), nan=0.0, posinf=0.0, neginf=0.0), 0)
    if method == "none" or (method == "polynomial" and order == 0):
        return masked
    if method == "n4":
        return np.where(mask, correct_by_n4(masked, affine, mask, seed), 0).astype(np.float32)
    inside = masked > 0
    points = grid_points(mask.shape, affine, inside)
    centre, half = points.mean(1, keepdims=True), np.ptp(points, axis=1).max() / 2
    basis = _polynomials((points - centre) / half, order)
    logs = np.log(masked[inside])
    field = np.zeros_like(logs)
    thin = max(1, len(logs) // 50_000)
    for _ in range(rounds):
        low, high = np.quantile((logs - field)[::thin], [0.6, 0.98])
        white = ((logs - field)[::thin] > low) & ((logs - field)[::thin] < high)
        weights = np.linalg.lstsq(basis[::thin][white], logs[::thin][white], rcond=None)[0]
        field = basis @ weights
        field -= field.mean()
    _log.info("receive field between %.2f and %.2f divided out", *np.exp(np.quantile(field, [0.01, 0.99])))
    corrected = np.zeros_like(masked)
    corrected[inside] = masked[inside] * np.exp(-field)
    return corrected


def _polynomials(points: np.ndarray, order: int) -> np.ndarray:
    powers = [power for power in product(range(order + 1), repeat=3) if sum(power) <= order]
    return np.stack([(points.T**power).prod(1) for power in powers], axis=1).astype(np.float32)
