"""The template: nilearn's packaged, skull-stripped ICBM 152 (2009a, symmetric), or the user's own files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel import Nifti1Image
from nilearn import datasets
from nilearn.image import resample_img, resample_to_img
from scipy import ndimage

from hyper.errors import DatasetError
from hyper.io.volumes import load_image, read_volume

SPACE = "MNI152NLin2009aSym"
_INTERPOLATIONS = ("continuous", "nearest", "continuous", "continuous")
_STRIPPED_SHARE = 0.6
# brightness of tissues in a mean EPI volume, and its smoothness (standard deviation, mm)
_EPI = {"wm": 0.75, "gm": 1.0, "csf": 1.3}
_EPI_SMOOTHNESS_MM = 1.0
# fluid around the brain: it is as bright as that inside, and where it ends the skull begins, dark
_RIM_MM = 2.0


@dataclass(frozen=True)
class TemplateFiles:
    """A template of the user's own.

    Attributes
    ----------
    t1w : str
        T1-weighted brain, skull-stripped unless `mask` says where the brain is.
    mask : str, optional
        Brain mask; the voxels of `t1w` above 0 when not given.
    bold : str, optional
        Brain in the contrast of a mean EPI volume; needed for subjects without a T1w volume.
    """

    t1w: str
    mask: str | None = None
    bold: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any] | None) -> "TemplateFiles | None":
        """Read the settings ``preprocess.template``; None stands for the packaged template."""
        if not settings or not settings.get("t1w"):
            return None
        names = {name: settings.get(name) for name in ("t1w", "mask", "bold")}
        return cls(**{name: str(Path(path).expanduser().absolute()) for name, path in names.items() if path})


@dataclass(frozen=True)
class Template:
    """The template on one grid.

    Attributes
    ----------
    t1 : ndarray, shape (x, y, z), float32
        T1-weighted brain, 0 to 1.
    brain : ndarray, shape (x, y, z), bool
        Brain mask without holes.
    gm, wm : ndarray, shape (x, y, z), float32
        Probabilities of grey and white matter. For a user's template guesses from its T1 contrast, good for contours.
    affine : ndarray, shape (4, 4)
        Voxel to world, mm.
    contrast : callable
        Makes what `bold` holds: at 1 mm that takes more time and memory than all the rest, and few ask for it.
    """

    t1: np.ndarray
    brain: np.ndarray
    gm: np.ndarray
    wm: np.ndarray
    affine: np.ndarray
    contrast: Callable[[], np.ndarray | None]

    @cached_property
    def bold(self) -> np.ndarray | None:
        """Brain in the contrast of a mean EPI volume, shape (x, y, z), float32; the packaged one in 2 mm of fluid."""
        values = self.contrast()
        return None if values is None else _frozen(values)


@cache
def load_template(resolution_mm: float, files: TemplateFiles | None = None) -> Template:
    """Return the template at a resolution, on the grid that nilearn gives it.

    Parameters
    ----------
    resolution_mm : float
        Edge of a voxel, mm. The packaged files have 1 mm.
    files : TemplateFiles, optional
        A template of the user's own; the packaged one when not given.

    Returns
    -------
    Template
        Its arrays are shared between callers and cannot be written to.

    Raises
    ------
    DatasetError
        When a file of the user's cannot be read or is not stripped.
    """
    return _packaged(resolution_mm) if files is None else _own(resolution_mm, files)


def _packaged(resolution_mm: float) -> Template:
    images = (
        datasets.load_mni152_template(1),
        datasets.load_mni152_brain_mask(1),
        datasets.load_mni152_gm_template(1),
        datasets.load_mni152_wm_template(1),
    )
    pairs = zip(images, _INTERPOLATIONS, strict=True)
    t1, mask, gm, wm = (_resampled(image, resolution_mm, interpolation) for image, interpolation in pairs)
    brain = ndimage.binary_fill_holes(mask.get_fdata(dtype=np.float32) > 0.5)
    grey, white = (np.clip(image.get_fdata(dtype=np.float32), 0, 1) for image in (gm, wm))
    return Template(
        t1=_frozen(np.clip(t1.get_fdata(dtype=np.float32), 0, None)),
        brain=_frozen(brain),
        gm=_frozen(grey),
        wm=_frozen(white),
        affine=_frozen(np.array(t1.affine, float)),
        contrast=partial(_epi_contrast, brain, grey, white, resolution_mm),
    )


def _epi_contrast(brain: np.ndarray, grey: np.ndarray, white: np.ndarray, resolution_mm: float) -> np.ndarray:
    """Tissues in the brightness they have in a mean EPI volume: fluid brightest, white matter darkest."""
    head = with_fluid(brain, resolution_mm)
    fluid = np.where(brain, np.clip(1 - grey - white, 0, 1), head)
    contrast = _EPI["wm"] * white + _EPI["gm"] * grey + _EPI["csf"] * fluid
    return (head * ndimage.gaussian_filter(contrast, _EPI_SMOOTHNESS_MM / resolution_mm)).astype(np.float32)


def with_fluid(brain: np.ndarray, resolution_mm: float) -> np.ndarray:
    """Mask of a brain and the fluid around it, shape (x, y, z), bool."""
    head: np.ndarray = ndimage.distance_transform_edt(~brain, sampling=resolution_mm) <= _RIM_MM
    return head


def _own(resolution_mm: float, files: TemplateFiles) -> Template:
    t1w = _resampled(_volume(files.t1w), resolution_mm, "continuous")
    values = np.clip(t1w.get_fdata(dtype=np.float32), 0, None)
    if files.mask is None:
        inside = np.asarray(read_volume(files.t1w)[0]) > 0
        if inside.mean() > _STRIPPED_SHARE:
            fault = f"{inside.mean():.0%} of its voxels are above 0, so it is not stripped of the skull"
            raise DatasetError(files.t1w, fault, "Give its brain mask as preprocess.template.mask")
        brain = values > 0.02 * values.max()
    else:
        mask = resample_to_img(_volume(files.mask), t1w, interpolation="nearest")
        brain = mask.get_fdata(dtype=np.float32) > 0.5
    brain = ndimage.binary_fill_holes(brain)
    if not brain.any():
        raise DatasetError(files.mask or files.t1w, "the template has no brain", "Correct preprocess.template")
    values = np.where(brain, values / np.quantile(values[brain], 0.995), 0).astype(np.float32)
    middle, bright = np.quantile(values[brain], [0.55, 0.95])
    white = np.clip(values / (middle + bright), 0, 1)
    bold = None
    if files.bold is not None:
        image = resample_to_img(_volume(files.bold), t1w)
        bold = np.where(brain, np.clip(image.get_fdata(dtype=np.float32), 0, None), 0).astype(np.float32)
    return Template(
        t1=_frozen(values),
        brain=_frozen(brain),
        gm=_frozen(np.where(brain, 1 - white, 0).astype(np.float32)),
        wm=_frozen(white),
        affine=_frozen(np.array(t1w.affine, float)),
        contrast=lambda: bold,
    )


def _volume(path: str) -> Nifti1Image:
    shape = load_image(path).shape
    values, affine = read_volume(path)
    if np.squeeze(values).ndim != 3:
        raise DatasetError(path, f"its shape is {shape} where one volume is due", "Give a 3-D file")
    return nib.Nifti1Image(np.nan_to_num(np.squeeze(values)), affine)


def _resampled(image: Nifti1Image, resolution_mm: float, interpolation: str) -> Nifti1Image:
    # nilearn's loaders take whole millimetres only; this is what they do with them
    if resolution_mm == 1 and np.allclose(image.affine[:3, :3], np.eye(3)):
        return image
    return resample_img(image, np.eye(3) * resolution_mm, interpolation=interpolation)


def _frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values
