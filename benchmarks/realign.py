"""Accuracy and time of realignment on a simulated run of known motion, side by side with what is installed.

    python benchmarks/realign.py [--volumes 60] [--voxel 4] [--motion 2] [--snr 60] [--seed 0]

The head is nilearn's template in EPI contrast; it moves by up to `motion` mm and degrees, with drift and jumps, through
a receive field that stays where it is. What is reported is the absolute error of framewise displacement.
"""

import argparse
import importlib.util
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import write_series
from hyper.preprocess.motion import framewise_displacement, matrix_of, parameters_of
from hyper.preprocess.realign import realign_run
from hyper.preprocess.template import load_template


def simulate(path: Path, volumes: int, voxel_mm: float, motion: float, snr: float, seed: int) -> np.ndarray:
    """Write a run; return its poses, shape (volume, 4, 4): world of the head at rest to world of each volume."""
    random, template = generator_of(seed, "benchmark"), load_template(2)
    csf = np.clip(template.brain - template.gm - template.wm, 0, 1)
    epi = ndimage.gaussian_filter(750 * template.wm + 1000 * template.gm + 1300 * csf, 0.85)
    coefficients = ndimage.spline_filter(epi, 3, output=np.float32)
    walk = np.cumsum(random.normal(size=(volumes, 6)), axis=0)
    for jump in random.choice(np.arange(1, volumes), min(3, volumes - 1), replace=False):
        walk[jump:] += 8 * random.normal(size=6)
    walk -= walk[0]
    poses = matrix_of(walk * np.repeat([motion, np.deg2rad(motion)], 3) / np.abs(walk).max(0))
    x, y, z = (int(np.ceil(extent / voxel_mm)) for extent in (192, 208, 160))
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = [-96, -122, -72]
    world = grid_points((x, y, z), affine)
    field = 1.4 * np.exp(-((world - [[30], [40], [60]]) ** 2).sum(0) / (2 * 110**2))
    run = np.empty((x, y, z, volumes), np.float32)
    for index, pose in enumerate(poses):
        places = apply_affine(np.linalg.inv(pose @ template.affine), world)
        values = ndimage.map_coordinates(coefficients, places, order=3, prefilter=False, mode="constant")
        run[..., index] = (values * field).reshape(x, y, z)
    run += (run[run > 500].mean() / snr * random.normal(size=run.shape)).astype(np.float32)
    write_series(path, [run], run.shape, affine, 1.5, np.int16)
    return poses


def by_hyper(path: Path) -> np.ndarray:
    """Poses by this package."""
    return realign_run(path).matrices


def by_nothing(path: Path) -> np.ndarray:
    """No correction."""
    return np.repeat(np.eye(4)[None], nib.load(path).shape[3], 0)


def by_nipy(path: Path) -> np.ndarray:
    """Poses by nipy's SpaceRealign."""
    from nipy.algorithms.registration.groupwise_registration import SpaceRealign
    from nipy.io.api import load_image

    realigner = SpaceRealign(load_image(str(path)))
    realigner.estimate(refscan=0)
    return np.array([transform.as_affine() for transform in realigner._transforms[0]])


def by_ants(path: Path) -> np.ndarray:
    """Poses by antspyx's rigid motion correction to the first volume."""
    import ants

    run = ants.image_read(str(path))
    first = ants.slice_image(run, axis=3, idx=0)
    found = ants.motion_correction(run, fixed=first, type_of_transform="BOLDRigid")["motion_parameters"]
    return np.array([_matrix_of_ants(ants.read_transform(files[0])) for files in found])


def _matrix_of_ants(transform: object) -> np.ndarray:
    """World (RAS) matrix of an ITK transform, which is in LPS."""
    points = np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.apply_to_point(tuple(point)) for point in points])  # type: ignore[attr-defined]
    lps = np.eye(4)
    lps[:3, 3], lps[:3, :3] = moved[0], (moved[1:] - moved[0]).T
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    return flip @ lps @ flip


METHODS: dict[str, tuple[str | None, Callable[[Path], np.ndarray]]] = {
    "no correction": (None, by_nothing),
    "hyper": (None, by_hyper),
    "nipy": ("nipy", by_nipy),
    "antspyx": ("ants", by_ants),
}


def main() -> None:
    """Run every method that is installed on one simulated run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--volumes", type=int, default=60)
    parser.add_argument("--voxel", type=float, default=4.0, help="mm")
    parser.add_argument("--motion", type=float, default=2.0, help="largest translation (mm) and rotation (degrees)")
    parser.add_argument("--snr", type=float, default=60.0, help="temporal signal-to-noise ratio")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bold.nii.gz"
        poses = simulate(path, options.volumes, options.voxel, options.motion, options.snr, options.seed)
        true = framewise_displacement(parameters_of(poses))[1:]
        print(
            f"{options.volumes} volumes of {nib.load(path).shape[:3]}, mean framewise displacement {true.mean():.3f} mm"
        )
        print(f"{'method':<16}{'mean error mm':>14}{'max error mm':>14}{'ms a volume':>14}")
        for name, (module, method) in METHODS.items():
            if module is not None and importlib.util.find_spec(module) is None:
                print(f"{name:<16}{'not installed':>14}")
                continue
            start = time.perf_counter()
            found = framewise_displacement(parameters_of(method(path)))[1:]
            spent = 1000 * (time.perf_counter() - start) / options.volumes
            errors = np.abs(found - true)
            print(f"{name:<16}{errors.mean():>14.4f}{errors.max():>14.4f}{spent:>14.1f}")


if __name__ == "__main__":
    main()
