"""Normalisation of a brain to the template: affine by mutual information, then a diffeomorphic warp.

The brain is that of the T1-weighted volume or, where a subject has none, that of the mean BOLD volume, which is
registered to the template in EPI contrast. Three engines find the warp: ``hyper`` (dipy's affine and
`hyper.preprocess.warp`), ``dipy`` (its affine and SyN) and ``antspyx`` (both by ANTs, in a process of its own).
"""

import logging
from collections.abc import Sequence

import numpy as np
from dipy.align import affine_registration
from dipy.align.imwarp import DiffeomorphicMap, SymmetricDiffeomorphicRegistration
from dipy.align.metrics import CCMetric

from hyper.errors import DataError
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.antspyx import register_by_ants
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.template import Template, TemplateFiles, load_template, with_fluid
from hyper.preprocess.warp import Flow, Image, register_warp

_log = logging.getLogger(__name__)
_BOX_MM = 512.0
_AFFINE_RESOLUTION_MM = 4.0
_MARGIN_MM = 12.0
_QUICK_MM = 3.0
_QUICK_SHARE = 0.5
CONTRASTS = ("T1w", "bold")


def register_to_template(
    volume: np.ndarray,
    affine: np.ndarray,
    mask: np.ndarray,
    *,
    contrast: str = "T1w",
    engine: str = "hyper",
    quick: bool = False,
    resolution_mm: float = 2.0,
    files: TemplateFiles | None = None,
    warp_resolution_mm: float = 2.0,
    affine_iterations: Sequence[int] = (200, 100),
    warp_iterations: Sequence[int] = (30, 40, 40),
    radius: int = 2,
    seed: int = 0,
    threads: int = 1,
) -> tuple[np.ndarray, np.ndarray]:
    """Register a brain to the template.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
        Brain, zero outside the mask.
    affine : ndarray, shape (4, 4)
    mask : ndarray of bool, shape (x, y, z)
    contrast : {"T1w", "bold"}
        Which contrast of the template the brain is compared with.
    engine : {"hyper", "dipy", "antspyx"}
    quick : bool
        Half the iterations of the warp, on a grid of at least 3 mm.
    resolution_mm : float
        Grid of the map that is returned: the template grid of the study.
    files : TemplateFiles, optional
        The user's own template.
    warp_resolution_mm : float
        Grid the registration ends on; each level before it has voxels of twice the size.
    affine_iterations, warp_iterations : sequence of int
        Iterations, coarse to fine; no warp when the latter is empty.
    radius : int
        Radius of the window of the cross-correlation, voxels.
    seed : int
        Of antspyx, which samples at random; the other engines do not.
    threads : int
        Of the engine ``hyper``, whose result does not depend on it.

    Returns
    -------
    map : ndarray, shape (x, y, z, 3), float32
        For each point of the template grid the world coordinates (mm) of the same anatomy in the volume.
    template_affine : ndarray, shape (4, 4)

    Raises
    ------
    DataError
        When the brain is empty, the template lacks the contrast, or antspyx is not installed or fails.
    """
    if not mask.any() or np.ptp(volume[mask]) == 0:
        raise DataError("normalisation", f"the {contrast} brain is empty or constant", "Look at the brain mask")
    template = load_template(resolution_mm, files)
    fixed = brain_of_template(files, contrast)
    if quick:
        warp_resolution_mm = max(warp_resolution_mm, _QUICK_MM)
        warp_iterations = [max(1, round(_QUICK_SHARE * number)) for number in warp_iterations]
    moving = Image(volume, affine, mask)
    if engine == "antspyx":
        pair = _pair(fixed, moving, warp_resolution_mm)
        points = grid_points(template.brain.shape, template.affine)
        found = register_by_ants(*pair, points, iterations=warp_iterations, radius=radius, seed=seed)
        return found.T.reshape(*template.brain.shape, 3).astype(np.float32), template.affine
    prealign = register_affine(fixed, moving, max(_AFFINE_RESOLUTION_MM, warp_resolution_mm), affine_iterations)
    _log.info("affine of determinant %.3f found", np.linalg.det(prealign[:3, :3]))
    if not warp_iterations:
        return _mapped(template, prealign), template.affine
    if engine == "dipy":
        static, grid, values, own = _pair(fixed, moving, warp_resolution_mm)
        registration = SymmetricDiffeomorphicRegistration(CCMetric(3, radius=radius), level_iters=list(warp_iterations))
        warp = registration.optimize(static, values, static_grid2world=grid, moving_grid2world=own, prealign=prealign)
        return coordinates_of(warp, template.brain.shape, template.affine), template.affine
    sizes = [warp_resolution_mm * 2**level for level in reversed(range(len(warp_iterations)))]
    levels = list(zip(sizes, warp_iterations, strict=True))
    displacement = register_warp(fixed, moving, prealign, levels, Flow(radius=radius), threads)
    points = grid_points(template.brain.shape, template.affine)
    return _mapped(template, prealign, displacement.at(points)), template.affine


def brain_of_template(files: TemplateFiles | None, contrast: str) -> Image:
    """Return the template's brain at 1 mm in a contrast, T1w or bold; the packaged one in BOLD with fluid around it.

    Raises
    ------
    DataError
        When the user's template lacks it.
    """
    finest = load_template(1.0, files)
    values = finest.t1 if contrast == "T1w" else finest.bold
    if values is None:
        fault = "the template has no volume in the contrast of BOLD, which subjects without a T1w volume need"
        raise DataError("normalisation", fault, "Give one as preprocess.template.bold")
    mask = with_fluid(finest.brain, 1.0) if files is None and contrast == "bold" else finest.brain
    return Image(values, finest.affine, mask)


def _mapped(template: Template, prealign: np.ndarray, displacement: np.ndarray | float = 0.0) -> np.ndarray:
    points = grid_points(template.brain.shape, template.affine)
    world = apply_affine(prealign, points + displacement)
    return world.T.reshape(*template.brain.shape, 3).astype(np.float32)


def coordinates_of(warp: DiffeomorphicMap, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Return where a map of dipy's takes the points of a grid.

    Volumes that hold their own coordinates are warped: two voxels along each axis, since linear interpolation of
    coordinates is exact.

    Parameters
    ----------
    warp : DiffeomorphicMap
    shape : tuple of int
        Grid, in the space of the static volume.
    affine : ndarray, shape (4, 4)

    Returns
    -------
    ndarray, shape (*shape, 3), float32
        World coordinates in the space of the moving volume, mm.
    """
    box = np.diag([2 * _BOX_MM, 2 * _BOX_MM, 2 * _BOX_MM, 1.0])
    box[:3, 3] = -_BOX_MM
    corners = 2 * _BOX_MM * np.indices((2, 2, 2)).astype(np.float32) - _BOX_MM
    parts = [
        warp.transform(corner, image_world2grid=np.linalg.inv(box), out_shape=shape, out_grid2world=affine)
        for corner in corners
    ]
    return np.stack(parts, axis=-1).astype(np.float32)


def register_affine(fixed: Image, moving: Image, resolution_mm: float, iterations: Sequence[int]) -> np.ndarray:
    """Register two brains by mutual information (dipy), the more finely the later the iterations.

    Where the moving brain is cut by the field of view, only what lies in that is compared.

    Parameters
    ----------
    fixed, moving : Image
    resolution_mm : float
    iterations : sequence of int
        Coarse to fine.

    Returns
    -------
    ndarray, shape (4, 4)
        World of the fixed to world of the moving brain.
    """
    static, grid, values, own = _pair(fixed, moving, resolution_mm)
    seen = moving.seen(values.shape, own).astype(np.int32) if moving.is_cut() else None
    _, found = affine_registration(
        values,
        static,
        moving_affine=own,
        static_affine=grid,
        moving_mask=seen,
        pipeline=["center_of_mass", "translation", "rigid", "affine"],
        level_iters=list(iterations),
        sigmas=[float(level) for level in reversed(range(len(iterations)))],
        factors=[2**level for level in reversed(range(len(iterations)))],
        nbins=32,
    )
    return np.asarray(found, float)


def _pair(fixed: Image, moving: Image, resolution_mm: float) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Template and brain, smoothed to one resolution, each on a grid around it and with the affine of that."""
    parts = []
    for image in (fixed, moving):
        shape, grid = working_grid(image.mask, image.affine, resolution_mm, _MARGIN_MM)
        parts += [resample_to(image.values, image.affine, shape, grid), grid]
    return parts[0], parts[1], parts[2], parts[3]
