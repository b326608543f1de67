"""Simulated runs of known motion for `realign.py`, made without anything that the estimator uses.

The head is nilearn's template at 1 mm in EPI contrast, refined to 0.5 mm by zero-padding its spectrum. It is posed by
linear interpolation there, multiplied by a receive field that stays with the scanner, averaged over the thickness of a
slice, and measured as a scanner does: in plane the central part of k-space is kept, complex noise is added and the
magnitude taken. Resolution, ringing and noise (Rician) are thus those of a measurement, not those of B-splines.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from scipy import fft, ndimage

from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import write_series
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.template import load_template


@dataclass(frozen=True)
class Scan:
    """A simulated run.

    Attributes
    ----------
    title : str
    mm, degrees : float
        Largest translation and rotation.
    snr : float
        Temporal signal-to-noise ratio: mean signal of the brain by the noise of each of the two channels.
    shape : tuple of int
        Voxels and volumes.
    voxel_mm : int
    """

    title: str
    mm: float
    degrees: float
    snr: float
    shape: tuple[int, int, int, int] = (64, 64, 40, 60)
    voxel_mm: int = 3


SCANS = {
    "A": Scan("drift and jumps", 1.9, 1.7, 60),
    "B": Scan("small motion", 0.5, 0.5, 60),
    "C": Scan("high noise", 1.0, 1.0, 15),
}


def simulate(scan: Scan, name: str, path: Path, seed: int = 0) -> np.ndarray:
    """Write a run as int16; return its poses (volume, 4, 4), world of the head at rest to world of each volume."""
    poses = motion(scan, name, seed)
    fine_shape = tuple(size * scan.voxel_mm for size in scan.shape[:3])
    affine, fine = _affines(scan)
    world = grid_points(fine_shape, fine)
    receive = 1.4 * np.exp(-((world - [[30], [40], [60]]) ** 2).sum(0) / (2 * 110**2))
    random = generator_of(seed, "benchmark", name, "noise")
    volumes = []
    for pose in poses:
        values = (_posed_head(pose, world) * receive).reshape(fine_shape)
        volumes.append(_measure(values, scan.voxel_mm))
    run = np.stack(volumes, axis=3)
    strength = np.abs(run[run.real > 500]).mean() / scan.snr
    noise = random.normal(size=run.shape) + 1j * random.normal(size=run.shape)
    write_series(path, [np.abs(run + strength * noise)], scan.shape, affine, 1.5, np.int16)
    return poses


def motion(scan: Scan, name: str, seed: int) -> np.ndarray:
    """Poses of a head that drifts and jumps three times; each parameter reaches the scan's largest value."""
    random, volumes = generator_of(seed, "benchmark", name, "motion"), scan.shape[3]
    walk = np.cumsum(random.normal(size=(volumes, 6)), axis=0)
    for jump in random.choice(np.arange(1, volumes), min(3, volumes - 1), replace=False):
        walk[jump:] += 8 * random.normal(size=6)
    walk -= walk[0]
    return matrix_of(walk * np.repeat([scan.mm, np.deg2rad(scan.degrees)], 3) / np.abs(walk).max(0))


def _affines(scan: Scan) -> tuple[np.ndarray, np.ndarray]:
    """Affines of the run and of the 1 mm grid that it is measured from: the centre of both is the template's."""
    middle = (np.array(scan.shape[:3]) * scan.voxel_mm - 1) / 2
    fine, coarse = np.eye(4), np.diag([scan.voxel_mm] * 3 + [1.0])
    fine[:3, 3] = [0, -18, 8] - middle
    # in plane the first sample of a cropped spectrum is that of the fine grid; across, a slice is centred on its own
    coarse[:3, 3] = fine[:3, 3] + [0, 0, (scan.voxel_mm - 1) / 2]
    return coarse, fine


@cache
def _head() -> tuple[np.ndarray, np.ndarray]:
    """EPI contrast at 0.5 mm and the matrix from world to its voxels."""
    template = load_template(1)
    csf = np.clip(template.brain - template.gm - template.wm, 0, 1)
    epi = ndimage.gaussian_filter(750 * template.wm + 1000 * template.gm + 1300 * csf, 0.7)
    half = [(size - 1) // 2 * 2 + 1 for size in epi.shape]  # odd sizes have no unpaired highest frequency
    epi = epi[: half[0], : half[1], : half[2]]
    spectrum = fft.fftshift(fft.fftn(epi))
    padded = np.pad(spectrum, [((size + 1) // 2, size // 2) for size in epi.shape])
    fine = fft.ifftn(fft.ifftshift(padded)).real.astype(np.float32) * 8
    affine = template.affine @ np.diag([0.5, 0.5, 0.5, 1])
    return fine, np.linalg.inv(affine)


def _posed_head(pose: np.ndarray, world: np.ndarray) -> np.ndarray:
    head, to_voxels = _head()
    voxels = apply_affine(to_voxels @ np.linalg.inv(pose), world)
    return ndimage.map_coordinates(head, voxels, order=1, mode="constant", output=np.float32)


def _measure(values: np.ndarray, factor: int) -> np.ndarray:
    """Complex volume, coarser by `factor`: means over slices, the central part of k-space in plane."""
    x, y, z = (size // factor for size in values.shape)
    slices = values.reshape(*values.shape[:2], z, factor).mean(3)
    spectrum = fft.fftshift(fft.fft2(slices, axes=(0, 1)), axes=(0, 1))
    left, top = (values.shape[0] - x) // 2, (values.shape[1] - y) // 2
    kept = spectrum[left : left + x, top : top + y]
    return fft.ifft2(fft.ifftshift(kept, axes=(0, 1)), axes=(0, 1)) / factor**2
