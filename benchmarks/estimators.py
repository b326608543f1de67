"""Estimators of single-trial responses: how near to what was planted, and the identification they lead to.

    python benchmarks/estimators.py [--voxels 120] [--subjects 2] [--latent 64] [--seed 0] [--only NAME ...]

Runs with the timing of the published study (three test runs of 12 faces 13 to 16 times each, six training runs of 175
faces once each, null trials, TR 1.5 s) are made as arrays: a third of the voxels responds to faces by a mean and a
linear function of their latents; noise is autocorrelated, drifts, and is in part shared among voxels. Two worlds:
SPM's response everywhere, and responses whose peak and undershoot differ from voxel to voxel (gamma densities of
random shape and width, which are not in the library). Printed: the mean over responding voxels of the correlation of
estimated with planted responses, over training trials and over means of test faces; and the 2-way identification of
test latents by ridge regression on the training trials (penalty by the likelihood of the training set), with its
standard error over subjects. Nothing of the test runs enters the estimates of training runs.
"""

import argparse
import time
from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh
from scipy.signal import lfilter
from scipy.stats import gamma

from hyper.glm.estimate import Recipe, estimate_trials
from hyper.glm.hrf import CANONICAL, library_regressors
from hyper.io.seeds import generator_of

TR, DURATION = 1.5, 2.167
RECIPES = {
    "LSA, OLS (published)": Recipe("lsa", "ols"),
    "LSA, AR(1)": Recipe("lsa", "ar1"),
    "LSS, OLS": Recipe("lss", "ols"),
    "LSS, AR(1)": Recipe("lss", "ar1"),
    "ridge, AR(1)": Recipe("ridge", "ar1"),
    "LSA, AR(1), library": Recipe("lsa", "ar1", "library"),
    "LSA, AR(1), components": Recipe("lsa", "ar1", "spm", "auto"),
    "LSA, AR(1), library, components": Recipe("lsa", "ar1", "library", "auto"),
    "LSS, AR(1), components": Recipe("lss", "ar1", "spm", "auto"),
    "LSS, AR(1), library, components": Recipe("lss", "ar1", "library", "auto"),
    "ridge, AR(1), components": Recipe("ridge", "ar1", "spm", "auto"),
    "ridge, AR(1), library, components": Recipe("ridge", "ar1", "library", "auto"),
}


@dataclass
class Run:
    """A simulated run."""

    data: list[np.ndarray]
    trials: np.ndarray
    library: np.ndarray
    nuisance: np.ndarray
    stimuli: np.ndarray


@dataclass
class World:
    """A simulated subject."""

    train: list[Run]
    test: list[Run]
    latents: np.ndarray
    planted: np.ndarray
    responding: np.ndarray


def shown_in_runs(rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Numbers of faces in each test and training run, 0 for null trials, in random order; test faces are 1 to 36."""
    test = []
    for run in range(3):
        repeats = np.repeat([13, 14, 15], [3, 7, 2])
        rng.shuffle(repeats)
        test.append(rng.permutation(np.append(np.repeat(np.arange(1, 13) + 12 * run, repeats), np.zeros(13, int))))
    faces = rng.permutation(np.arange(37, 1087)).reshape(6, 175)
    return test, [rng.permutation(np.append(row, np.zeros(33, int))) for row in faces]


def drawn_responses(voxels: int, varied: bool, rng: np.random.Generator) -> np.ndarray:
    """Integrals of each voxel's response at steps of 0.02 s."""
    time_ = np.arange(0, 60, 0.02)
    shape = 6 + (1.3 * rng.standard_normal(voxels) if varied else np.zeros(voxels))
    width = np.exp(0.12 * rng.standard_normal(voxels)) if varied else np.ones(voxels)
    ratio = 0.167 * np.exp(0.5 * rng.standard_normal(voxels)) if varied else np.full(voxels, 0.167)
    under = 16 + (1.5 * rng.standard_normal(voxels) if varied else np.zeros(voxels))
    rows = [
        gamma.pdf(time_, max(s, 3), scale=w) - r * gamma.pdf(time_, u)
        for s, w, r, u in zip(shape, width, ratio, under, strict=True)
    ]
    rows = [row / row.max() for row in rows]
    return np.cumsum(rows, axis=1) * 0.02


def noise_of(volumes: int, voxels: int, rng: np.random.Generator) -> np.ndarray:
    """Unit noise: half white, 30 % autocorrelated (0.6), 20 % five shared time courses; and drift of 1."""
    own = lfilter([np.sqrt(1 - 0.36)], [1, -0.6], rng.standard_normal((volumes + 50, voxels)), axis=0)[50:]
    courses = lfilter([np.sqrt(1 - 0.5**2)], [1, -0.5], rng.standard_normal((volumes + 50, 5)), axis=0)[50:]
    shared = courses @ rng.standard_normal((5, voxels)) / np.sqrt(5)
    noise = np.sqrt(0.5) * rng.standard_normal((volumes, voxels)) + np.sqrt(0.3) * own + np.sqrt(0.2) * shared
    return noise + cosines(volumes)[:, :6] @ rng.standard_normal((6, voxels)) * np.sqrt(2 / 6)


def cosines(volumes: int) -> np.ndarray:
    """Drift above 128 s."""
    terms = int(2 * volumes * TR / 128)
    return np.cos(np.pi * np.outer(np.arange(volumes) + 0.5, np.arange(1, terms + 1)) / volumes)


def simulate(varied: bool, voxels: int, latent: int, seed: int, subject: int) -> World:
    """Make one subject."""
    rng = generator_of(seed, "estimators", str(subject), str(varied))
    latents = rng.standard_normal((1087, latent))
    responding = np.arange(voxels) < voxels // 3
    weights = rng.standard_normal((latent, voxels)) / np.sqrt(latent)
    size = np.exp(0.3 * rng.standard_normal(voxels)) * responding
    planted = size * (1.5 + 0.5 * latents @ weights)
    planted[0] = 0
    kernels = drawn_responses(voxels, varied, rng)
    test, train = shown_in_runs(rng)
    made = [make_run(shown, steps, planted, kernels, rng) for shown, steps in
            [(s, (10.5, 12, 13.5)) for s in test] + [(s, (9, 10.5, 12)) for s in train]]  # fmt: skip
    return World(made[3:], made[:3], latents, planted, responding)


def make_run(
    shown: np.ndarray, steps: tuple[float, ...], planted: np.ndarray, kernels: np.ndarray, rng: np.random.Generator
) -> Run:
    """Make one run; null trials belong to the baseline."""
    onsets = 12 + np.cumsum(rng.permutation(np.resize(steps, len(shown)))) - steps[0]
    volumes = int((onsets[-1] + 25.5) / TR)
    faces = shown > 0
    after = np.arange(30) * TR
    grid = np.arange(kernels.shape[1]) * 0.02
    shapes = [np.interp(after, grid, row) - np.interp(after - DURATION, grid, row, left=0) for row in kernels]
    at = np.rint(onsets[faces] / TR).astype(int)
    signal = np.zeros((volumes + len(after), planted.shape[1]))
    for later, shape in enumerate(np.transpose(shapes) / DURATION):
        signal[at + later] += planted[shown[faces]] * shape
    signal = signal[:volumes]
    data = (1000 + 10 * (signal + 3 * noise_of(volumes, planted.shape[1], rng))).astype(np.float32)
    library = library_regressors(onsets[faces], np.full(faces.sum(), DURATION), volumes, TR)
    nuisance = np.column_stack([cosines(volumes), np.ones(volumes)])
    blocks = [data[start : start + 128] for start in range(0, volumes, 128)]
    return Run(blocks, library[CANONICAL], library, nuisance, shown[faces])


def responses_of(world: World, recipe: Recipe) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Training trials and test means with their stimuli."""

    def of(run: Run) -> np.ndarray:
        return estimate_trials(run.data, run.trials, run.nuisance, recipe, run.library).z

    train = np.concatenate([of(run) for run in world.train])
    train_stimuli = np.concatenate([run.stimuli for run in world.train])
    test, test_stimuli = [], []
    for run in world.test:
        z = of(run)
        for stimulus in np.unique(run.stimuli):
            test.append(z[run.stimuli == stimulus].mean(axis=0))
            test_stimuli.append(stimulus)
    return train, train_stimuli, np.array(test), np.array(test_stimuli)


def correlation(estimated: np.ndarray, planted: np.ndarray) -> float:
    """Mean over voxels of the correlation over rows."""
    a, b = estimated - estimated.mean(axis=0), planted - planted.mean(axis=0)
    return float(np.mean((a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))))


def identification(train: np.ndarray, z: np.ndarray, test: np.ndarray, truth: np.ndarray) -> float:
    """2-way identification of test latents decoded by ridge regression."""
    mean, scale = train.mean(axis=0), train.std(axis=0)
    x, new = (train - mean) / scale, (test - mean) / scale
    strength, modes = eigh(x @ x.T)
    strength = np.maximum(strength, 0)
    scores = modes.T @ z
    costs = []
    penalties = np.geomspace(1, 1e6, 40)
    for penalty in penalties:  # responses as a Gaussian process of which the noise is `penalty`
        variance = strength + penalty
        costs.append(z.shape[1] * np.log(variance).sum() + z.size * np.log((scores**2 / variance[:, None]).sum()))
    penalty = penalties[int(np.argmin(costs))]
    decoded = new @ (x.T @ (modes @ (scores / (strength + penalty)[:, None])))
    alike = np.corrcoef(decoded, truth)[: len(decoded), len(decoded) :]
    own = np.diag(alike)[:, None]
    return float(((alike < own).sum() + 0.5 * ((alike == own).sum() - len(alike))) / (len(alike) * (len(alike) - 1)))


def main() -> None:
    """Print both worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voxels", type=int, default=120)
    parser.add_argument("--subjects", type=int, default=2)
    parser.add_argument("--latent", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", default=list(RECIPES), help="names of estimators")
    parser.add_argument("--world", choices=["same", "varied", "both"], default="both")
    options = parser.parse_args()
    for varied in [name == "varied" for name in ("same", "varied") if options.world in (name, "both")]:
        print("responses that differ from voxel to voxel" if varied else "SPM's response in every voxel")
        print(f"{'':<36}{'r train':>9}{'r test':>9}{'identification':>17}{'cpu s':>8}", flush=True)
        worlds = [simulate(varied, options.voxels, options.latent, options.seed, n) for n in range(options.subjects)]
        for name in options.only:
            recipe = RECIPES[name]
            rows, start = [], time.process_time()
            for world in worlds:
                train, train_stimuli, test, test_stimuli = responses_of(world, recipe)
                on = world.responding
                score = identification(
                    train[:, on], world.latents[train_stimuli], test[:, on], world.latents[test_stimuli]
                )
                rows.append(
                    (
                        correlation(train[:, on], world.planted[train_stimuli][:, on]),
                        correlation(test[:, on], world.planted[test_stimuli][:, on]),
                        score,
                    )
                )
            mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(len(rows))
            spent = time.process_time() - start
            print(f"{name:<36}{mean[0]:>9.4f}{mean[1]:>9.4f}{mean[2]:>10.4f} ±{spread[2]:.4f}{spent:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
