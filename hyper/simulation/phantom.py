"""A simulated person: anatomy, the head as the scanner sees it at rest, planted voxels and their tuning."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.seeds import generator_of
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import Anatomy, draw_anatomy
from hyper.simulation.head import Head, draw_head
from hyper.simulation.planting import Tuning, draw_tuning, spline_blur
from hyper.simulation.regions import region_names
from hyper.simulation.t1w import grid_around

_TEMPLATE_MM = 1.0
_FWHM_PER_SIGMA = 2 * np.sqrt(2 * np.log(2))


@dataclass(frozen=True)
class Phantom:
    """A person, at rest.

    Attributes
    ----------
    anatomy : Anatomy
    epi : ndarray, shape (x, y, z), float32
        Cubic B-spline coefficients of the mean EPI signal (grey matter about 1) on the grid of the head.
    brain : ndarray, shape (x, y, z), bool
        Brain on that grid: where noise and drift arise.
    affine : ndarray, shape (4, 4)
        Of that grid, to the world of the head at rest.
    voxels : ndarray of int, shape (voxel,)
        Flat indices of the planted voxels in the grid.
    template_points : ndarray, shape (voxel, 3)
        Where they lie in the template, mm.
    regions : ndarray of str, shape (voxel,)
    nodes, planted : Tuning
        From `hyper.simulation.planting.draw_tuning`.
    """

    anatomy: Anatomy
    epi: np.ndarray
    brain: np.ndarray
    affine: np.ndarray
    voxels: np.ndarray
    template_points: np.ndarray
    regions: np.ndarray
    nodes: Tuning
    planted: Tuning

    def save(self, path: str | Path) -> None:
        """Write HDF5."""
        write_arrays(path, self.arrays(), {"content": "what was planted in one simulated person"})

    def arrays(self) -> dict[str, tuple[np.ndarray, tuple[str, ...]]]:
        """Everything, with the names of the dimensions."""
        space, matrix = ("x", "y", "z"), ("row", "column")
        return {
            "affine": (self.anatomy.affine, matrix),
            "warp": (self.anatomy.warp, (*space, "axis")),
            "warp_affine": (self.anatomy.warp_affine, matrix),
            "head/epi": (self.epi, space),
            "head/brain": (self.brain, space),
            "head/affine": (self.affine, matrix),
            "voxels/index": (self.voxels, ("voxel",)),
            "voxels/template_point": (self.template_points, ("voxel", "axis")),
            "voxels/region": (self.regions, ("voxel",)),
            "voxels/mean": (self.planted.mean, ("voxel",)),
            "voxels/weights": (self.planted.weights, ("voxel", "latent")),
            "voxels/node_mean": (self.nodes.mean, ("voxel",)),
            "voxels/node_weights": (self.nodes.weights, ("voxel", "latent")),
        }

    @classmethod
    def load(cls, path: str | Path) -> "Phantom":
        """Read what `save` wrote."""
        found = read_arrays(path)[0]
        return cls(
            Anatomy(found["affine"], found["warp"], found["warp_affine"]),
            found["head/epi"],
            found["head/brain"],
            found["head/affine"],
            found["voxels/index"],
            found["voxels/template_point"],
            found["voxels/region"],
            Tuning(found["voxels/node_mean"], found["voxels/node_weights"]),
            Tuning(found["voxels/mean"], found["voxels/weights"]),
        )


def draw_person(settings: Mapping[str, Any], seed: int, subject: str) -> tuple[Head, Anatomy]:
    """Draw head and anatomy of a subject from the settings simulation.anatomy."""
    template = load_template(_TEMPLATE_MM)
    head = draw_head(template, generator_of(seed, "simulation", "head", subject))
    coarse = load_template(4.0)
    return head, draw_anatomy(settings, coarse.brain, coarse.affine, seed, subject)


def build_phantom(
    head: Head,
    anatomy: Anatomy,
    grid: float,
    voxel: float,
    response: Mapping[str, Any],
    latent_dim: int,
    seed: int,
    subject: str,
) -> Phantom:
    """Put a person together.

    Parameters
    ----------
    head, anatomy
        From `draw_person`.
    grid : float
        Spacing of the grid of the head, mm.
    voxel : float
        Voxel size of the functional images, mm: the signal is blurred by a voxel's width.
    response : mapping
        Settings simulation.response.
    latent_dim : int
    seed : int
        The study's seed.
    subject : str
        Label.
    """
    shape, affine = grid_around(head, anatomy, grid)
    points = anatomy.to_template_on_grid(shape, affine)
    signal = head.epi(points).reshape(shape)
    sigma = voxel / _FWHM_PER_SIGMA / grid
    signal = ndimage.gaussian_filter(signal, sigma, mode="constant")
    epi = ndimage.spline_filter(signal, order=3, output=np.float32, mode="mirror")
    brain = (head.layers(points)["brain"] > 0.01).reshape(shape)
    grey = head.tissues(points)["gm"]
    names = region_names(points)
    voxels = np.flatnonzero((names != "") & (grey > response["grey_matter"]))
    ijk = np.stack(np.unravel_index(voxels, shape), axis=1)
    nodes, planted = draw_tuning(
        ijk, grid, grey[voxels], spline_blur(voxels, shape, epi), latent_dim, response, seed, subject
    )
    return Phantom(
        anatomy, epi, brain, affine, voxels, points[:, voxels].T.astype(float), names[voxels], nodes, planted
    )
