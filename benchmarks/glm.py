"""Time and memory of the single-trial maps of one run of the published size, beside nilearn's route to the same maps.

    python benchmarks/glm.py [--voxels 230000] [--volumes 1475] [--trials 208] [--threads 2] [--folder DIR]

A run of noise is written as the preprocessing would (16-bit, compressed, the template's grid at 2 mm). Ours reads and
fits all of it. nilearn's FirstLevelModel and one contrast per trial (for one model per trial: the run read once, then
run_glm and compute_contrast per trial, a few trials timed) does not fit into memory beside the run at this size: it
gets two files with a share of the slices, and its time and memory are drawn on in a straight line, which keeps what
does not grow with voxels. Reading is included, writing maps is not. Each method has a process of its own; times are
wall and processor seconds.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.glm.design import design_matrix
from hyper.glm.single_trial import SingleTrialGLM
from hyper.io.seeds import generator_of
from hyper.io.volumes import MaskedSeries, write_series
from hyper.preprocess.confound_names import MOTION

GRID, TR, SHARES = (99, 117, 95), 1.5, (12, 6)
SINGLE_TRIALS = 4
METHODS = ("LSA, OLS", "LSA, AR(1)", "LSS, OLS", "LSS, AR(1)", "ridge, AR(1)")
BY_NILEARN = METHODS[:4]


def write_run(path: Path, inside: np.ndarray, volumes: int, rng: np.random.Generator) -> None:
    """Write noise about 1000 with an autocorrelation of 0 to 0.5, slowly changing from voxel to voxel."""
    rho = np.linspace(0, 0.5, int(inside.sum()), dtype=np.float32)

    def blocks() -> Iterator[np.ndarray]:
        state = np.zeros_like(rho)
        for _ in range(volumes):
            state = rho * state + rng.standard_normal(len(rho), dtype=np.float32)
            volume = np.zeros(inside.shape, np.float32)
            volume[inside] = 1000 + 16 * state
            yield volume[..., None]

    write_series(path, blocks(), (*inside.shape, volumes), np.diag([2.0, 2, 2, 1]), TR, np.int16, 0.05)


def brain(voxels: int) -> np.ndarray:
    """An ellipsoid of so many voxels in the grid."""
    axes = [np.linspace(-1, 1, n) for n in GRID]
    radius = sum(axis**2 for axis in np.meshgrid(*axes, indexing="ij"))
    return radius <= np.sort(radius, axis=None)[voxels - 1]


def study_design(trials: int, volumes: int, rng: np.random.Generator) -> pd.DataFrame:
    """A design with the timing of a training run, motion and drift."""
    step = (volumes * TR - 40) / trials
    onsets = TR * np.round((12 + step * np.arange(trials)) / TR)
    table = pd.DataFrame({"series": "run", "onset": onsets, "duration": 2.167})
    names = pd.Series([f"trial_{number:04d}" for number in range(trials)])
    motion = pd.DataFrame(np.cumsum(rng.normal(size=(volumes, 6)), axis=0), columns=list(MOTION))
    return design_matrix(table, names, volumes, TR, confounds=motion)


def by_hyper(method: str, folder: Path, share: int, trials: int, threads: int) -> dict[str, float]:
    """Fit the whole run."""
    design = pd.read_csv(folder / "design.tsv", sep="\t").to_numpy()
    inside = np.load(folder / f"mask_{share}.npy")
    noise = "ar1" if "AR" in method else "ols"
    glm = SingleTrialGLM(design, range(trials), noise, threads)
    glm.fit(MaskedSeries(folder / f"run_{share}.nii.gz", inside))
    if method.startswith("LSA"):
        z = glm.z(np.eye(design.shape[1])[:trials])
    else:
        z = glm.lss() if method.startswith("LSS") else glm.ridge()[0]
    assert z.shape == (trials, inside.sum()) and np.isfinite(z).all()
    return {"repeat": 1}


def by_nilearn(method: str, folder: Path, share: int, trials: int, threads: int) -> dict[str, float]:
    """Fit a share of the run; for one model per trial, `repeat` trials stand for all."""
    import nibabel as nib
    from nilearn.glm.contrasts import compute_contrast
    from nilearn.glm.first_level import FirstLevelModel, run_glm
    from nilearn.maskers import NiftiMasker

    design = pd.read_csv(folder / "design.tsv", sep="\t")
    image = nib.load(folder / f"run_{share}.nii.gz")
    mask = nib.Nifti1Image(np.load(folder / f"mask_{share}.npy").astype(np.uint8), image.affine)
    noise = "ar1" if "AR" in method else "ols"
    if method.startswith("LSA"):
        model = FirstLevelModel(t_r=TR, mask_img=mask, noise_model=noise, n_jobs=threads)
        model.fit(image, design_matrices=[design])
        for trial in range(trials):
            model.compute_contrast(np.eye(design.shape[1])[trial], output_type="z_score")
        return {"repeat": 1}
    data = NiftiMasker(mask).fit().transform(image)
    start = clock()
    for trial in range(SINGLE_TRIALS):
        matrix = design.to_numpy()
        others = matrix[:, :trials].sum(axis=1) - matrix[:, trial]
        own = np.column_stack([matrix[:, trial], others, matrix[:, trials:]])
        labels, results = run_glm(data, own, noise_model=noise, n_jobs=threads)
        compute_contrast(labels, results, np.eye(own.shape[1])[0], "t").z_score()
    spent = [now - then for now, then in zip(clock(), start, strict=True)]
    return {"repeat": trials / SINGLE_TRIALS, "wall": spent[0], "cpu": spent[1]}


def clock() -> tuple[float, float]:
    """Wall and processor seconds."""
    return time.perf_counter(), time.process_time()


def measure(who: str, method: str, folder: Path, share: int, trials: int, threads: int) -> dict[str, float]:
    """Run one method in a process of its own; return voxels, wall and processor seconds, peak memory in GiB."""
    command = [sys.executable, __file__, "--measure", who, method, str(share)]
    command += ["--folder", str(folder), "--trials", str(trials), "--threads", str(threads)]
    limits = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run(command, env=os.environ | limits, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(who: str, method: str, share: int, options: argparse.Namespace) -> None:
    """Do it, in this process."""
    start = clock()
    method_of = by_hyper if who == "hyper" else by_nilearn
    found = method_of(method, options.folder, share, options.trials, options.threads)
    wall, cpu = (now - then for now, then in zip(clock(), start, strict=True))
    extra = found["repeat"] - 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    wall, cpu = wall + extra * found.get("wall", 0), cpu + extra * found.get("cpu", 0)
    voxels = int(np.load(options.folder / f"mask_{share}.npy").sum())
    print(json.dumps({"voxels": voxels, "wall": wall, "cpu": cpu, "peak": peak}))


def main() -> None:
    """Write the run, measure every method, print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voxels", type=int, default=230_000)
    parser.add_argument("--volumes", type=int, default=1475)
    parser.add_argument("--trials", type=int, default=208)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where to keep the run, for another time")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        who, method, share = options.measure
        measured(who, method, int(share), options)
        return
    with tempfile.TemporaryDirectory() as temporary:
        options.folder = options.folder or Path(temporary)
        prepare(options)
        compare(options)


def prepare(options: argparse.Namespace) -> None:
    """Write the whole run and the two shares of it."""
    options.folder.mkdir(parents=True, exist_ok=True)
    inside = brain(options.voxels)
    rng = generator_of(0, "benchmark")
    study_design(options.trials, options.volumes, rng).to_csv(options.folder / "design.tsv", sep="\t", index=False)
    for share in (1, *SHARES):
        part = inside[:, :, share // 2 :: share]
        np.save(options.folder / f"mask_{share}.npy", part)
        if not (options.folder / f"run_{share}.nii.gz").exists():
            write_run(options.folder / f"run_{share}.nii.gz", part, options.volumes, rng)


def compare(options: argparse.Namespace) -> None:
    """Measure and print."""
    print(f"{options.voxels} voxels, {options.volumes} volumes, {options.trials} trials, {options.threads} threads")
    print(f"{'':<14}{'hyper':>27}{'nilearn (drawn on)':>30}{'times faster':>16}")
    print(
        f"{'':<14}{'wall s':>9}{'cpu s':>9}{'GiB':>9}{'wall s':>12}{'cpu s':>9}{'GiB':>9}{'wall':>8}{'cpu':>8}",
        flush=True,
    )
    for method in METHODS:
        ours = measure("hyper", method, options.folder, 1, options.trials, options.threads)
        line = f"{method:<14}{ours['wall']:>9.1f}{ours['cpu']:>9.1f}{ours['peak']:>9.2f}"
        if method in BY_NILEARN:
            some, more = (
                measure("nilearn", method, options.folder, share, options.trials, options.threads) for share in SHARES
            )
            theirs = {}
            for name in ("wall", "cpu", "peak"):
                slope = (more[name] - some[name]) / (more["voxels"] - some["voxels"])
                theirs[name] = some[name] + slope * (options.voxels - some["voxels"])
            line += f"{theirs['wall']:>12.0f}{theirs['cpu']:>9.0f}{theirs['peak']:>9.1f}"
            line += f"{theirs['wall'] / ours['wall']:>8.1f}{theirs['cpu'] / ours['cpu']:>8.1f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
