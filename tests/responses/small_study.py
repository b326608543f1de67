"""A small study as the GLM leaves it: z-maps of runs, their tables, trials, brain mask and latents."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.io.tables import write_table
from hyper.io.volumes import write_image
from hyper.responses.audit import audit
from hyper.responses.evidence import Evidence
from hyper.responses.maps import RunMaps
from hyper.responses.matrices import Responses, assemble
from hyper.responses.selection import Selection, select_voxels
from hyper.settings.responses import Selection as Options

SHAPE = (6, 6, 6)
AFFINE = np.diag([4.0, 4.0, 4.0, 1.0])
COUNT = 30
SEED = 5
TEST_RUNS = {"run-1": ["0001", "0002", "0003"], "run-2": ["0004", "0005", "0006"]}


@dataclass
class SmallStudy:
    """Files of one subject, and what becomes of them.

    Attributes
    ----------
    planted : ndarray of bool, shape (x, y, z)
        Voxels that respond to faces and are tuned to latents.
    """

    folder: Path
    latents: np.ndarray
    brain: np.ndarray
    planted: np.ndarray
    runs: list[RunMaps] = field(default_factory=list)
    region: np.ndarray | None = None

    def options(self, method: str = "mean_z") -> dict:
        return Options(method=method).model_dump()

    def select(self, method: str = "mean_z", count: int = COUNT) -> Selection:
        return select_voxels(self.runs, self.brain, self.region, self.latents, count, self.options(method), SEED)

    def write(self, selection: Selection, responses: Responses | None = None) -> Responses:
        """Write what the rules write; `responses` replaces what is assembled."""
        names = ("mask.nii.gz", "score.nii.gz", "facts.json", "selection.tsv")
        selection.save(AFFINE, *(self.folder / name for name in names))
        if responses is None:
            responses = self.assemble(selection)
        responses.save(self.folder / "responses.h5", subject="01")
        return responses

    def assemble(self, selection: Selection) -> Responses:
        return assemble(self.runs, selection.mask, AFFINE, self.latents, selection.trials, splits=5)

    def evidence(self, selection: Selection) -> Evidence:
        at = self.folder
        return Evidence(
            responses=at / "responses.h5", mask=at / "mask.nii.gz", score=at / "score.nii.gz",
            selection=at / "selection.tsv", maps=[run.maps for run in self.runs],
            tables=[run.trials for run in self.runs], trials=at / "trials.tsv", brain=self.brain, region=self.region,
            latents=self.latents, active=selection.mask, scored=selection.score,
        )  # fmt: skip

    def faults(self, selection: Selection, method: str = "mean_z") -> dict[str, list[str]]:
        """Faults that the audit of the written files finds, by the name of the check."""
        checks = audit(self.evidence(selection), int(selection.mask.sum()), self.options(method), SEED)
        return {check.name: check.faults for check in checks if check.faults}


def draw_maps(study: SmallStudy, stimuli: list[str], rng: np.random.Generator) -> np.ndarray:
    """z-maps of trials: noise everywhere, a mean and a linear function of the latent at the planted voxels."""
    z = study.latents[[int(name) - 1 for name in stimuli]]
    weights = np.random.default_rng(77).normal(size=(int(study.planted.sum()), z.shape[1]))
    maps = rng.normal(size=(*SHAPE, len(stimuli)))
    maps[study.planted] += 1.5 + weights @ z.T
    return (maps * study.brain[..., None]).astype(np.float32)


def make_study(folder: Path, corrupt_test: bool = False, training: dict[str, list[str]] | None = None) -> SmallStudy:
    """Write a study; `corrupt_test` gives every test run other values in the same layout."""
    folder.mkdir(exist_ok=True)
    brain, planted = np.zeros(SHAPE, bool), np.zeros(SHAPE, bool)
    brain[1:, :, :5] = True
    planted[2:5, 1:3, 1:4] = True
    study = SmallStudy(folder, np.random.default_rng(1).normal(size=(54, 4)), brain, planted)
    if training is None:
        training = {f"run-{k + 3}": [f"{7 + 16 * k + i:04d}" for i in range(16)] for k in range(3)}
    tables = []
    for label, stimuli in (TEST_RUNS | training).items():
        rng = np.random.default_rng(int(label[4:]))
        test = label in TEST_RUNS
        shown = list(rng.permutation(stimuli * 5)) if test else stimuli
        maps = draw_maps(study, shown, rng)
        if test and corrupt_test:
            maps = (1e3 * np.random.default_rng(99).standard_cauchy(maps.shape)).astype(np.float32)
        write_image(folder / f"{label}.nii.gz", maps, AFFINE)
        table = pd.DataFrame({"series": label, "trial": np.arange(1, len(shown) + 1), "stimulus": shown})
        table["split"] = "test" if test else "train"
        table["latent_row"] = [int(name) - 1 for name in shown]
        write_table(folder / f"{label}.tsv", table)
        tables.append(table)
        study.runs.append(RunMaps(folder / f"{label}.nii.gz", folder / f"{label}.tsv"))
    write_table(folder / "trials.tsv", pd.concat(tables))
    return study
