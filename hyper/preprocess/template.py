"""The template: nilearn's packaged, skull-stripped ICBM 152 (2009a, symmetric)."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from nibabel import Nifti1Image
from nilearn import datasets
from nilearn.image import resample_img
from scipy import ndimage

SPACE = "MNI152NLin2009aSym"
_INTERPOLATIONS = ("continuous", "nearest", "continuous", "continuous")


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
        Probabilities of grey and white matter.
    affine : ndarray, shape (4, 4)
        Voxel to world, mm.
    """

    t1: np.ndarray
    brain: np.ndarray
    gm: np.ndarray
    wm: np.ndarray
    affine: np.ndarray


@cache
def load_template(resolution_mm: float) -> Template:
    """Return the template at a resolution, on the grid that nilearn gives it.

    Parameters
    ----------
    resolution_mm : float
        Edge of a voxel, mm. The files have 1 mm.

    Returns
    -------
    Template
        Its arrays are shared between callers and cannot be written to.
    """
    images = (
        datasets.load_mni152_template(1),
        datasets.load_mni152_brain_mask(1),
        datasets.load_mni152_gm_template(1),
        datasets.load_mni152_wm_template(1),
    )
    pairs = zip(images, _INTERPOLATIONS, strict=True)
    t1, mask, gm, wm = (_resampled(image, resolution_mm, interpolation) for image, interpolation in pairs)
    return Template(
        t1=_frozen(np.clip(t1.get_fdata(dtype=np.float32), 0, None)),
        brain=_frozen(ndimage.binary_fill_holes(mask.get_fdata(dtype=np.float32) > 0.5)),
        gm=_frozen(np.clip(gm.get_fdata(dtype=np.float32), 0, 1)),
        wm=_frozen(np.clip(wm.get_fdata(dtype=np.float32), 0, 1)),
        affine=_frozen(np.array(t1.affine, float)),
    )


def _resampled(image: Nifti1Image, resolution_mm: float, interpolation: str) -> Nifti1Image:
    # nilearn's loaders take whole millimetres only; this is what they do with them
    if resolution_mm == 1:
        return image
    return resample_img(image, np.eye(3) * resolution_mm, interpolation=interpolation)


def _frozen(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values
