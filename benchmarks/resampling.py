"""Error, time and memory of the one interpolation, on volumes of the published study's size with known transforms.

    python benchmarks/resampling.py [--volumes 30] [--threads 2] [--seed 0]

A warped head moves through 104 x 104 x 66 voxels of 2 mm. Every volume is brought to MNI 2 mm by the true motion and
the true warp, so that what is left is the error of the interpolation: root mean square over the brain (the outermost
4 mm left out) and the volumes, in percent of the mean. `blur` compares the spread of a volume of white noise with that
before: 1 keeps all of it, less means smoothing.
"""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import ndimage

from hyper.io.seeds import generator_of
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import iterate_volumes, write_series
from hyper.preprocess.interpolation import INTERPOLATIONS, interpolate
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.resampling import TemplateGrid, resample_run, template_grid
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import draw_anatomy

SHAPE, VOXEL_MM, WHOLE = (104, 104, 66), 2.0, 1475
_ANATOMY = {"translation": 0.0, "rotation": 3.0, "scaling": 0.04, "shear": 0.02, "warp": 2.0, "warp_smoothness": 30.0}


def simulate(path: Path, volumes: int, seed: int) -> tuple[TemplateGrid, np.ndarray, np.ndarray]:
    """Write a run without noise; return the true grid of points, the true motion, the true values at the points."""
    fine, random = load_template(1.0), generator_of(seed, "resampling")
    anatomy = draw_anatomy(_ANATOMY, fine.brain, fine.affine, seed, "resampling")
    # what a scanner sees has the resolution of its voxels
    at_rest = ndimage.gaussian_filter(900 * fine.bold, VOXEL_MM / 2.355)
    affine = np.diag([-VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = [103.0, -121.0, -66.0]
    shape = tuple(int(size * VOXEL_MM) + 20 for size in SHAPE)
    own = np.diag([1.0, 1.0, 1.0, 1.0])
    own[:3, 3] = [-114.0, -131.0, -76.0]
    places = apply_affine(np.linalg.inv(fine.affine), anatomy.to_template_on_grid(shape, own))
    still = ndimage.map_coordinates(at_rest, places, order=1, output=np.float32).reshape(shape)
    spline = ndimage.spline_filter(still, 3, output=np.float32)

    def seen(world: np.ndarray) -> np.ndarray:
        voxels = apply_affine(np.linalg.inv(own), world)
        return ndimage.map_coordinates(spline, voxels, order=3, prefilter=False, output=np.float32)

    template = load_template(2.0)
    points = grid_points(template.brain.shape, template.affine)
    coordinates = anatomy.to_subject(points).T.reshape(*template.brain.shape, 3)
    grid = template_grid(coordinates, template.affine, margin_mm=4.0)
    walk = np.cumsum(random.normal(size=(volumes, 6)), axis=0)
    motion = matrix_of((walk - walk[0]) * np.repeat([1.0, np.deg2rad(1.0)], 3) / np.maximum(np.abs(walk).max(0), 1))
    world = grid_points(SHAPE, affine)
    taken = (np.maximum(seen(apply_affine(np.linalg.inv(pose), world)), 0).reshape(*SHAPE, 1) for pose in motion)
    write_series(path, taken, (*SHAPE, volumes), affine, 1.5, np.int16, 0.05)
    return grid, motion, seen(grid.points)


def blur_of(method: str, grid: TemplateGrid, motion: np.ndarray, seed: int) -> float:
    """Spread of interpolated white noise as a share of its own."""
    noise = generator_of(seed, "noise").normal(size=SHAPE).astype(np.float32)
    affine = np.diag([-VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = [103.0, -121.0, -66.0]
    values, inside = interpolate(noise, np.linalg.inv(affine) @ motion, grid.points, method)
    return float(values[inside].std())


def main() -> None:
    """Resample the run with every interpolation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--volumes", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=INTERPOLATIONS, help="one interpolation alone, for its memory")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "bold.nii.gz", Path(folder) / "out.nii.gz"
        grid, motion, true = simulate(path, options.volumes, options.seed)
        inner = ndimage.binary_erosion(load_template(2.0).brain, iterations=2)
        kept = inner[grid.mask]
        simulated = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"{options.volumes} volumes of {SHAPE}, {len(true)} points, {options.threads} threads")
        print(f"{'':<10}{'error %':>9}{'blur':>7}{'wall s/vol':>12}{'CPU s/vol':>11}{f'{WHOLE} volumes, min CPU':>25}")
        for method in [options.only] if options.only else INTERPOLATIONS:
            start = np.array([time.perf_counter(), time.process_time()])
            resample_run(path, out, grid, motion, 1.5, interpolation=method, threads=options.threads)
            each = (np.array([time.perf_counter(), time.process_time()]) - start) / options.volumes
            squares, count = 0.0, 0
            for block in iterate_volumes(out):
                found = block[grid.mask][kept]
                seen = (found != 0).all(1)
                squares += float(((found - true[kept][:, None])[seen] ** 2).sum())
                count += int(seen.sum()) * block.shape[3]
            error = 100 * np.sqrt(squares / count) / true[kept].mean()
            blur = blur_of(method, grid, motion[-1], options.seed)
            print(f"{method:<10}{error:>9.3f}{blur:>7.3f}{each[0]:>12.3f}{each[1]:>11.3f}{each[1] * WHOLE / 60:>25.1f}")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(f"peak memory {peak:.2f} GiB (simulation alone {simulated:.2f} GiB)")


if __name__ == "__main__":
    main()
