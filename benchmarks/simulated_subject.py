"""A subject whose map to the template is known: T1-weighted head and mean EPI volume, for benchmarks/normalise.py.

The anatomy is the template's under a random affine and a smooth warp, of the size that leaves the best possible affine
with a mean error of 1.8 mm. The intensities are not the template's: each tissue has a brightness of its own that varies
over the brain, under a receive field and Rician noise, with skull and scalp around it, and dropout in the EPI.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import Anatomy, draw_anatomy
from hyper.simulation.head import Head, draw_head
from hyper.simulation.smooth import polynomial_field
from hyper.simulation.t1w import grid_around

_ANATOMY = {"translation": 4.0, "rotation": 4.0, "scaling": 0.05, "shear": 0.02, "warp": 2.05}
_T1 = {"gm": 0.60, "wm": 0.94, "csf": 0.17, "base": 0.3, "skull": 0.10, "scalp": 0.85}
_EPI = {"gm": 1.0, "wm": 0.66, "csf": 1.5, "base": 0.15, "skull": 0.06, "scalp": 0.3}
_DROPOUTS = (((0.0, 34.0, -26.0), 14.0, 0.8), ((-52.0, -22.0, -36.0), 12.0, 0.6), ((52.0, -22.0, -36.0), 12.0, 0.6))
_UNEVEN, _UNEVEN_MM = 0.05, 18.0
TISSUES = ("gm", "wm", "brain")


@dataclass(frozen=True)
class Subject:
    """Images of the subject, and the truth.

    Attributes
    ----------
    t1w, epi : ndarray, shape (x, y, z), float32
        Head in T1 contrast; mean EPI volume.
    t1w_affine, epi_affine : ndarray, shape (4, 4)
    brain, epi_brain : ndarray of bool
        True masks, on the grids of `t1w` and `epi`.
    anatomy : Anatomy
        Template world to T1w world.
    pose : ndarray, shape (4, 4)
        T1w world to EPI world.
    """

    t1w: np.ndarray
    t1w_affine: np.ndarray
    brain: np.ndarray
    epi: np.ndarray
    epi_affine: np.ndarray
    epi_brain: np.ndarray
    anatomy: Anatomy
    pose: np.ndarray


def simulate(seed: int, epi_mm: float = 3.0, warp_smoothness: float = 30.0) -> Subject:
    """Draw a subject and take both images."""
    template = load_template(1.0)
    head = draw_head(template, generator_of(seed, "head"))
    anatomy = draw_anatomy(
        _ANATOMY | {"warp_smoothness": warp_smoothness}, template.brain, template.affine, seed, "benchmark"
    )
    shape, affine = grid_around(head, anatomy, 1.0)
    places = anatomy.to_template_on_grid(shape, affine)
    t1w = _image(head, places, _T1, shape, affine, 0.03, generator_of(seed, "T1w"))
    brain = ndimage.map_coordinates(
        template.brain.astype(np.float32), apply_affine(np.linalg.inv(template.affine), places), order=1
    ).reshape(shape)
    random = generator_of(seed, "EPI")
    pose = matrix_of(np.concatenate([random.normal(0, 4, 3), np.deg2rad(random.normal(0, 3, 3))]))
    centre = anatomy.to_subject(grid_points(template.brain.shape, template.affine, template.brain)).mean(1)
    x, y, z = (int(size / epi_mm) for size in (198, 216, 165))
    steps = np.diag([-epi_mm, epi_mm, epi_mm, 1.0])
    steps[:3, 3] = apply_affine(pose, centre[:, None])[:, 0] - steps[:3, :3] @ (np.array([x, y, z]) / 2)
    # each voxel averages eight points, since a scanner integrates over it
    fine = steps @ np.diag([0.5, 0.5, 0.5, 1.0])
    fine[:3, 3] -= steps[:3, :3] @ np.full(3, 0.25)
    at_rest = np.linalg.inv(pose) @ fine
    places = anatomy.to_template_on_grid((2 * x, 2 * y, 2 * z), at_rest)
    epi = _image(head, places, _EPI, (2 * x, 2 * y, 2 * z), fine, 0.01, random, _DROPOUTS)
    inside = ndimage.map_coordinates(
        template.brain.astype(np.float32), apply_affine(np.linalg.inv(template.affine), places), order=1
    )
    halves = [part.reshape(x, 2, y, 2, z, 2).mean((1, 3, 5)) for part in (epi, inside)]
    return Subject(t1w, affine, brain > 0.5, halves[0], steps, halves[1] > 0.5, anatomy, pose)


def _image(
    head: Head,
    places: np.ndarray,
    brightness: dict[str, float],
    shape: tuple[int, ...],
    affine: np.ndarray,
    noise: float,
    random: np.random.Generator,
    dropouts: tuple = (),
) -> np.ndarray:
    signal = np.zeros(places.shape[1], np.float32)
    step = max(1, places.shape[1] // 20)
    uneven = {name: _uneven_field(random) for name in ("gm", "wm", "csf")}
    for start in range(0, len(signal), step):
        points = places[:, start : start + step].astype(float)
        tissues, layers = head.tissues(points), head.layers(points)
        parts = {**{name: tissues[name] * field(points) for name, field in uneven.items()}}
        parts["csf"] = parts["csf"] + layers["csf"]
        parts |= {name: layers[name] for name in ("base", "skull", "scalp")}
        value = sum(brightness[name] * part for name, part in parts.items())
        for centre, width, share in dropouts:
            value = value * (1 - share * np.exp(-((points - np.reshape(centre, (3, 1))) ** 2).sum(0) / 2 / width**2))
        signal[start : start + step] = value
    centre = apply_affine(affine, np.array(shape)[:, None] / 2)[:, 0]
    signal *= polynomial_field(0.2, random)(shape, affine, centre).ravel()
    draws = random.standard_normal((2, len(signal)), dtype=np.float32) * noise
    return (900 * np.hypot(signal + draws[0], draws[1])).reshape(shape).astype(np.float32)


def _uneven_field(random: np.random.Generator):
    """Smooth brightness of a tissue, about 1, over template space."""
    shape, origin = (25, 28, 24), np.array([[-100.0], [-140.0], [-90.0]])
    values = ndimage.gaussian_filter(random.standard_normal(shape), _UNEVEN_MM / 2.355 / 8)
    values = ndimage.spline_filter(1 + _UNEVEN * values / values.std(), output=np.float32)
    return lambda points: ndimage.map_coordinates(values, (points - origin) / 8, prefilter=False, mode="nearest")


def best_affine(subject: Subject, resolution_mm: float = 2.0) -> np.ndarray:
    """Map of the affine nearest to the truth, least squares over the brain; shape (x, y, z, 3)."""
    template = load_template(resolution_mm)
    points = grid_points(template.brain.shape, template.affine, template.brain)
    design = np.vstack([points, np.ones(points.shape[1])]).T
    fit = np.linalg.lstsq(design, subject.anatomy.to_subject(points).T, rcond=None)[0]
    every = grid_points(template.brain.shape, template.affine)
    return (np.vstack([every, np.ones(every.shape[1])]).T @ fit).reshape(*template.brain.shape, 3)


def judge(subject: Subject, coordinates: np.ndarray, resolution_mm: float = 2.0) -> dict[str, float]:
    """Warp error (mm) in the template's brain and Dice of the tissues that the map brings together.

    Parameters
    ----------
    subject : Subject
    coordinates : ndarray, shape (x, y, z, 3)
        T1w world coordinates of the template grid, mm.
    resolution_mm : float
    """
    template, fine = load_template(resolution_mm), load_template(1.0)
    points = grid_points(template.brain.shape, template.affine, template.brain)
    found = np.asarray(coordinates, float)[template.brain].T
    error = np.linalg.norm(found - subject.anatomy.to_subject(points), axis=0)
    scores = {"mean": float(error.mean()), "p95": float(np.quantile(error, 0.95))}
    near = ndimage.binary_dilation(template.brain, iterations=4)
    at, there = grid_points(near.shape, template.affine, near), np.asarray(coordinates, float)[near].T
    truly = subject.anatomy.to_template(there)
    for name in TISSUES:
        volume = np.asarray(getattr(fine, name), np.float32)
        here, moved = (
            ndimage.map_coordinates(volume, apply_affine(np.linalg.inv(fine.affine), place), order=1) > 0.5
            for place in (at, truly)
        )
        scores[name] = float(2 * (here & moved).sum() / (here.sum() + moved.sum()))
    return scores
