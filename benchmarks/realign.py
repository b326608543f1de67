"""Accuracy and time of realignment on simulated runs of known motion, side by side with what is installed.

    python benchmarks/realign.py [--scans A B C] [--peers-python PATH] [--threads 2] [--repeats 2] [--volumes 60]

Three runs of 64 x 64 x 40 x 60 voxels of 3 mm: A, drift and jumps to 1.9 mm and 1.7 degrees; B, to 0.5 mm and
0.5 degrees; C, to 1 mm and 1 degree in much noise (see `moving_head.py`). Methods run one after the other, `repeats`
times around, each in a process of its own with the same number of threads; time is from the file to the poses, without
start-up and imports, the median of the repeats.

- FD error: absolute error of framewise displacement (Power), over the volumes but the first.
- pose error: Power's sum (translations, and rotations times 50 mm) of what is left between true and found pose of a
  volume, about the brain's centre; what all volumes share is not motion and is taken out.
- pose error to the first volume: the same between each volume and the first, whose own error then counts in all.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from moving_head import SCANS, simulate

from hyper.preprocess.motion import framewise_displacement, parameters_of

ROOT = Path(__file__).resolve().parents[1]
WORKER = Path(__file__).with_name("realign_worker.py")
CENTRE = np.array([0.0, -18.0, 8.0])
BARS = {"A": 0.036, "B": 0.014}
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


def installed(peers_python: str, threads: int) -> dict[str, str]:
    """The Python of each method that can run here; says of the others why not."""
    found = {"hyper": sys.executable}
    for name in ("nipy", "antspyx", "spm", "fsl", "afni"):
        python = peers_python if name in ("nipy", "antspyx") else sys.executable
        reason = json.loads(call(python, threads, "check", name).splitlines()[-1])
        if reason:
            print(f"{name}: {reason}")
        else:
            found[name] = python
    return found


def call(python: str, threads: int, *arguments: str) -> str:
    """Run the worker; return what it prints."""
    limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
    environment = {**os.environ, **limits, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([python, str(WORKER), *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{done.stderr}")
    return done.stdout


def errors(found: np.ndarray, true: np.ndarray) -> dict[str, np.ndarray]:
    """Errors in mm, one a volume, of poses (volume, 4, 4)."""
    displacement = np.abs(framewise_displacement(parameters_of(found)) - framewise_displacement(parameters_of(true)))
    centre = np.eye(4)
    centre[:3, 3] = CENTRE
    # found and true differ by a common offset on the side of the volume at rest
    left = np.linalg.inv(found @ np.linalg.inv(found[0])) @ true @ np.linalg.inv(true[0])
    rest = parameters_of(np.linalg.inv(centre) @ left @ centre) * [1, 1, 1, 50, 50, 50]
    return {
        "FD": displacement[1:],
        "pose": np.abs(rest - rest.mean(0)).sum(1),
        "pose to first": np.abs(rest[1:]).sum(1),
    }


def measure(methods: dict[str, str], bold: Path, folder: Path, threads: int, repeats: int) -> dict[str, dict]:
    """Poses of each method, and its times (wall and processor, s), interleaved."""
    results: dict[str, dict] = {name: {"wall": [], "processor": []} for name in methods}
    for _ in range(repeats):
        for name, python in methods.items():
            out = folder / f"{name}.npy"
            times = json.loads(call(python, threads, name, str(bold), str(out), str(threads)).splitlines()[-1])
            for clock in ("wall", "processor"):
                results[name][clock].append(times[clock])
            results[name]["poses"] = np.load(out, allow_pickle=False)
    return results


def show(title: str, results: dict[str, dict], true: np.ndarray, bar: float | None) -> None:
    """Print one table."""
    print(
        f"\n{title}\n{'':<14}{'FD error':>16}{'pose error':>16}{'pose to first':>16}{'s':>9}{'CPU s':>9}{'x hyper':>9}"
    )
    print(f"{'':<14}" + f"{'mean/max mm':>16}" * 3)
    own = results["hyper"]["wall"]
    for name, result in {"no correction": None, **results}.items():
        poses = np.repeat(np.eye(4)[None], len(true), 0) if result is None else result["poses"]
        cells = "".join(f"{f'{e.mean():.4f}/{e.max():.3f}':>16}" for e in errors(poses, true).values())
        if result is not None:
            ratio = statistics.median(one / other for one, other in zip(result["wall"], own, strict=True))
            clocks = [statistics.median(result[clock]) for clock in ("wall", "processor")]
            cells += f"{clocks[0]:>9.1f}{clocks[1]:>9.1f}{ratio:>9.2f}"
        print(f"{name:<14}{cells}")
    if bar is not None:
        means = {kind: error.mean() for kind, error in errors(results["hyper"]["poses"], true).items()}
        verdicts = ", ".join(f"{kind} {'met' if mean <= bar else 'MISSED'}" for kind, mean in means.items())
        print(f"bar of the mean error, {bar} mm: {verdicts}")


def main() -> None:
    """Run every method that is installed on each simulated run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", nargs="+", choices=list(SCANS), default=list(SCANS))
    parser.add_argument("--peers-python", default=sys.executable, help="a Python with nipy and antspyx")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--volumes", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    methods = installed(options.peers_python, options.threads)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for label in options.scans:
            scan = replace(SCANS[label], shape=(*SCANS[label].shape[:3], options.volumes))
            true = simulate(scan, label, folder / "bold.nii.gz", options.seed)
            results = measure(methods, folder / "bold.nii.gz", folder, options.threads, options.repeats)
            title = f"{label}: {scan.title}, to {scan.mm} mm and {scan.degrees} degrees, signal-to-noise {scan.snr:g}"
            show(title, results, true, BARS.get(label))


if __name__ == "__main__":
    main()
