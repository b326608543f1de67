"""One coarse person and two short runs, simulated once."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hyper.settings.simulation import Simulation
from hyper.simulation.phantom import Phantom, build_phantom, draw_person
from hyper.simulation.run import simulate_run
from hyper.simulation.truth import gather_truth

SEED, LATENT = 3, 12
TINY = {
    "subjects": 1,
    "design": {
        "test_faces": 4, "train_faces": 7, "test_runs": 1, "train_runs": 1, "test_trials": 12, "repeats": [2, 4],
        "test_nulls": 2, "train_nulls": 2, "test_steps": [6.0, 7.5], "train_steps": [6.0, 9.0],
    },
    "anatomy": {"t1w_voxel": 4.0},
    "scanner": {"shape": [24, 28, 20], "voxel": 8.0, "phantom_grid": 5.0},
}  # fmt: skip
RUNS = ["task-hyper_run-01", "task-hyper_run-02"]


@dataclass
class Study:
    settings: dict
    folder: Path
    truth: Path
    latents: np.ndarray

    def path(self, series: str, suffix: str) -> Path:
        return self.folder / f"{series}_{suffix}"


@pytest.fixture(scope="session")
def settings() -> dict:
    return Simulation.model_validate(TINY).model_dump(mode="json")


@pytest.fixture(scope="session")
def person(settings):
    """Head and anatomy."""
    return draw_person(settings["anatomy"], SEED, "01")


@pytest.fixture(scope="session")
def phantom(settings, person) -> Phantom:
    return build_phantom(*person, 5.0, 8.0, settings["response"], LATENT, SEED, "01")


@pytest.fixture(scope="session")
def latents() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((11, LATENT))


@pytest.fixture(scope="session")
def study(settings, phantom, latents, tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("simulated")
    phantom.save(folder / "phantom.h5")
    loaded = Phantom.load(folder / "phantom.h5")
    for series in RUNS:
        outputs = [folder / f"{series}_{name}" for name in ("bold.nii.gz", "events.tsv", "truth.h5")]
        simulate_run(loaded, latents, settings, SEED, "01", series, *outputs)
    parts = {("01", series): folder / f"{series}_truth.h5" for series in RUNS}
    gather_truth({"01": folder / "phantom.h5"}, parts, folder / "truth.h5")
    return Study(settings, folder, folder / "truth.h5", latents)
