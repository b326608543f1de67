"""Accuracy and time of normalisation on a simulated subject whose affine and warp are known, beside what is installed.

    python benchmarks/normalise.py [--seed 0] [--only hyper ...] [--warp-smoothness 30] [--threads 2]

The subject is described in benchmarks/simulated_subject.py: a head with skull, its T1w volume (1 mm) and its mean EPI
volume (3 mm), with intensities, receive field and noise of their own. Brain extraction is part of the road and its time
is stated by itself. Reported are the error of the map (mm, mean and 95th percentile over the template's brain at 2 mm),
the Dice of grey matter, white matter and brain that it brings together, wall time, and CPU time of all processes: on a
machine that does other work the latter is the one to compare.
"""

import argparse
import importlib.util
import logging
import os
import time
from collections.abc import Callable

import numpy as np
from simulated_subject import Subject, best_affine, judge, simulate

from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.antspyx import register_by_ants
from hyper.preprocess.brain import bold_brain_mask, brain_mask, correct_bias
from hyper.preprocess.coregistration import register_bold
from hyper.preprocess.grids import resample_to, working_grid
from hyper.preprocess.normalisation import register_to_template
from hyper.preprocess.template import load_template

Brain = tuple[np.ndarray, np.ndarray, np.ndarray]


def by_engine(engine: str, quick: bool = False, **options: object) -> Callable[[Subject, Brain, int], np.ndarray]:
    """One of the engines of the rule register_anatomical."""

    def found(_: Subject, brain: Brain, threads: int) -> np.ndarray:
        return register_to_template(*brain, engine=engine, quick=quick, threads=threads, **options)[0]

    return found


def by_ants(kind: str) -> Callable[[Subject, Brain, int], np.ndarray]:
    """A recipe of antspyx, as its users call it, at 1 mm."""

    def found(_: Subject, brain: Brain, __: int) -> np.ndarray:
        template, fine = load_template(2.0), load_template(1.0)
        volume, affine, mask = brain
        shape, grid = working_grid(mask, affine, 1.0, 12.0)
        points = grid_points(template.brain.shape, template.affine)
        moving = resample_to(volume, affine, shape, grid)
        moved = register_by_ants(fine.t1, fine.affine, moving, grid, points, recipe=kind)
        return moved.T.reshape(*template.brain.shape, 3)

    return found


def bold_alone(subject: Subject, _: Brain, threads: int) -> np.ndarray:
    """Mean EPI straight to the template; the map is taken on to the T1w volume by the true pose, to be judged."""
    mask = bold_brain_mask(subject.epi, subject.epi_affine)
    corrected = correct_bias(subject.epi, subject.epi_affine, mask, 2)
    found, _ = register_to_template(corrected, subject.epi_affine, mask, contrast="bold", threads=threads)
    moved = apply_affine(np.linalg.inv(subject.pose), found.reshape(-1, 3).T.astype(float))
    return moved.T.reshape(found.shape)


METHODS: dict[str, tuple[str | None, Callable[[Subject, Brain, int], np.ndarray]]] = {
    "best possible affine": (None, lambda subject, *_: best_affine(subject)),
    "hyper": (None, by_engine("hyper")),
    "hyper, quick": (None, by_engine("hyper", quick=True)),
    "dipy": (None, by_engine("dipy", warp_iterations=(40, 25, 10), radius=3)),
    "antspyx engine": ("ants", by_engine("antspyx", warp_iterations=(40, 20, 10))),
    "antspyx SyN default": ("ants", by_ants("SyN")),
    "antspyx SyNQuick": ("ants", by_ants("antsRegistrationSyNQuick[s]")),
    "BOLD alone, hyper": (None, bold_alone),
}


def main() -> None:
    """Run every method that is installed on one subject."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--warp-smoothness", type=float, default=30.0, help="full width at half maximum, mm")
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    options = parser.parse_args()
    logging.getLogger("dipy").setLevel(logging.WARNING)
    subject = simulate(options.seed, warp_smoothness=options.warp_smoothness)
    start = _clock()
    mask = brain_mask(subject.t1w, subject.t1w_affine, "deepbet", options.threads)
    volume = correct_bias(subject.t1w, subject.t1w_affine, mask, 2)
    both = 2 * (mask & subject.brain).sum() / (mask.sum() + subject.brain.sum())
    print(f"brain extraction and receive field: {_since(start)}, Dice {both:.3f}")
    brain = (volume, subject.t1w_affine, mask)
    start = _clock()
    pose = register_bold(subject.epi, subject.epi_affine, *brain, seed=options.seed)
    template = load_template(2.0)
    points = subject.anatomy.to_subject(grid_points(template.brain.shape, template.affine, template.brain))
    error = np.linalg.norm(apply_affine(pose, points) - apply_affine(subject.pose, points), axis=0)
    print(f"BOLD to T1w: {_since(start)}, error {error.mean():.3f} mm")
    print(f"{'method':<26}{'mean mm':>9}{'p95 mm':>8}{'GM':>8}{'WM':>8}{'brain':>8}{'':>4}time")
    for name in options.only:
        module, method = METHODS[name]
        if module is not None and importlib.util.find_spec(module) is None:
            print(f"{name:<26}{'not installed':>9}")
            continue
        start = _clock()
        coordinates = method(subject, brain, options.threads)
        spent = _since(start)
        scores = judge(subject, coordinates)
        tissues = "".join(f"{scores[tissue]:>8.4f}" for tissue in ("gm", "wm", "brain"))
        print(f"{name:<26}{scores['mean']:>9.3f}{scores['p95']:>8.3f}{tissues}{'':>4}{spent}", flush=True)


def _clock() -> tuple[float, float]:
    times = os.times()
    return time.perf_counter(), times.user + times.system + times.children_user + times.children_system


def _since(start: tuple[float, float]) -> str:
    wall, cpu = (after - before for after, before in zip(_clock(), start, strict=True))
    return f"{wall:.0f} s wall, {cpu:.0f} s CPU"


if __name__ == "__main__":
    main()
