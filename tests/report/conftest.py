"""A small results tree as the stages before the report leave it, made of generated numbers."""

from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hyper.io.arrays import write_arrays
from hyper.io.tables import write_json, write_table
from hyper.io.volumes import write_image
from hyper.report.provenance import collect_versions
from hyper.report.sources import FigureFile, Sources

SUBJECTS = ("01", "02")
QUALITY_CONTROL = {
    "motion": "motion",
    "quality": "quality",
    "registration": "registration",
    "bold-to-T1w_flicker": "flicker",
    "T1w-to-template_flicker": "flicker",
    "brain": "brain",
    "task-hyper_run-01_carpet": "carpet",
    "task-hyper_run-02_carpet": "carpet",
}
DECODERS = ("published", "ridge")
TRIVIAL = ("trivial-zero", "trivial-mean", "trivial-random", "trivial-nearest", "trivial-shuffled")
METRICS = {
    "latent_similarity": (0.47, np.nan),
    "latent_cosine": (0.0, np.nan),
    "identification_2way_latent": (0.5, np.nan),
    "ssim_rgb224_gauss3": (0.31, 0.83),
}
READINGS = [
    "Each trial stood in three rows with the same onset and stimulus: they were merged to one of the longest duration.",
    "Durations were in milliseconds (2167): they were divided by 1000.",
]
OWN_READING = "The header says 2 s, the sidecar 1.5 s: the sidecar wins."
COLUMNS = ["study", "subject", "decoder", "metric", "region", "value", "sem", "n", "chance", "ceiling", "p"]
COLUMNS += ["ci_low", "ci_high", "p_corrected"]


@dataclass
class Tree:
    """A results folder and the settings it was made with."""

    folder: Path
    settings: dict

    def sources(self, **changes) -> Sources:
        """The page's sources; `changes` replace fields."""
        fields = {
            "study": "fake",
            "folder": self.folder,
            "subjects": SUBJECTS,
            "decoders": DECODERS,
            "trials": {s: self.folder / f"trials/sub-{s}_trials.json" for s in SUBJECTS},
            "settings": self.settings,
            "defaults": {"study": {"name": "study", "seed": 0}, "responses": {"voxels": 4096}},
            "versions": collect_versions(),
            "figures": self.figures(),
            "images": {s: [self.folder / f"decoding/sub-{s}/{d}/images.h5" for d in DECODERS] for s in SUBJECTS},
            "latents": {s: [self.folder / f"decoding/sub-{s}/{d}/latents.h5" for d in DECODERS] for s in SUBJECTS},
            "metrics": self.folder / "evaluation/metrics.tsv",
            "truth": self.folder / "evaluation/truth.tsv",
            "files": [path for path in sorted(self.folder.rglob("*")) if path.is_file()],
        }
        return Sources(**(fields | changes))

    def figures(self) -> list[FigureFile]:
        found = []
        for subject in SUBJECTS:
            for name, kind in QUALITY_CONTROL.items():
                found.append(FigureFile(kind, self.folder / f"preprocess/sub-{subject}/figures/{name}.png", subject))
        return found


@pytest.fixture
def tree(tmp_path) -> Tree:
    folder = tmp_path / "results/fake"
    rng = np.random.default_rng(0)
    for subject in SUBJECTS:
        _write_subject(folder, subject, rng)
    write_table(folder / "evaluation/metrics.tsv", metrics_table(rng))
    error = "framewise_displacement_mean_absolute_error"
    planted = [
        *((subject, f"task-hyper_run-0{run}", error, 0.01 * run, "mm") for subject in SUBJECTS for run in (1, 2)),
        *((subject, None, "template_to_t1w_mean_error", 0.4567, "mm") for subject in SUBJECTS),
    ]
    truth = pd.DataFrame(planted, columns=["subject", "series", "quantity", "value", "unit"])
    write_table(folder / "evaluation/truth.tsv", truth)
    published = {"kind": "dense", "learning_rate": 1e-5, "batch_size": 30, "weight_decay": 0.01, "epochs": 1500}
    settings = {
        "study": {"name": "fake", "seed": 7, "simulated": True, "last_stage": "report"},
        "glm": {"regressors": "trial", "hrf": "spm", "high_pass": 1 / 128, "confounds": ["motion"]},
        "responses": {"voxels": 200},
        "generators": {"generator": "dcgan-face"},
        "decoding": {"decoders": {"published": published, "ridge": {"kind": "ridge"}}},
        "evaluation": {"permutations": 2000, "metrics": list(METRICS), "resamples": 500, "correction": "holm"},
        "report": {"title": None, "share": False, "faces": {"most": 36}},
    }
    return Tree(folder, settings)


def metrics_table(rng: np.random.Generator) -> pd.DataFrame:
    """Scores in the form of metrics.tsv."""
    rows = []
    for subject in SUBJECTS:
        for name in (*DECODERS, *TRIVIAL):
            for metric, (chance, ceiling) in METRICS.items():
                skill = 0.0 if name in TRIVIAL else 0.3 + 0.1 * rng.random()
                value = 0.5 if (name, metric) == ("trivial-zero", "latent_similarity") else chance + skill
                p = 0.0004998 if skill else 0.61
                rows.append(["fake", subject, name, metric, "all", value, 0.02, 12, chance, ceiling, p])
                rows[-1] += [value - 0.05, value + 0.03, min(1, 4 * p)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _write_subject(folder: Path, subject: str, rng: np.random.Generator) -> None:
    series = ["task-hyper_run-01", "task-hyper_run-02"]
    write_json(
        folder / f"trials/sub-{subject}_trials.json",
        {
            "subject": subject,
            "readings": [*READINGS, *([OWN_READING] if subject == "02" else [])],
            "repetition_time": dict.fromkeys(series, 1.5),
            "counts": {"train": 216, "test": 84, "null": 40},
        },
    )
    ids = np.array([f"{number:04d}" for number in range(1, 13)])
    true = rng.normal(size=(12, 20))
    stimulus = faces(rng, 12)
    for decoder in DECODERS:
        place = folder / f"decoding/sub-{subject}/{decoder}"
        decoded = true + rng.normal(size=true.shape)
        names = ("stimulus", "latent")
        write_arrays(
            place / "latents.h5",
            {"true": (true, names), "decoded": (decoded, names), "stimuli": (ids, ("stimulus",))},
        )
        blurred = np.clip(stimulus + rng.normal(0, 12, stimulus.shape), 0, 255).astype(np.uint8)
        dims = ("stimulus", "height", "width", "channel")
        write_arrays(
            place / "images.h5",
            {"stimulus": (stimulus, dims), "reconstruction": (blurred, dims), "stimuli": (ids, ("stimulus",))},
        )
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = [-98, -134, -72]
    mask = np.zeros((50, 59, 48), np.uint8)
    mask[32:38, 15:25, 13:18] = 1
    mask[12:17, 15:24, 13:18] = 1
    write_image(folder / f"responses/sub-{subject}/sub-{subject}_desc-active_mask.nii.gz", mask, affine)
    for kind in QUALITY_CONTROL:
        path = folder / f"preprocess/sub-{subject}/figures/{kind}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        figure, axes = plt.subplots(figsize=(7.2, 2.4))
        axes.plot(np.cumsum(rng.normal(size=(200, 3)), axis=0))
        axes.set_title(f"{kind} stand-in")
        figure.savefig(path, dpi=110)
        plt.close(figure)


def faces(rng: np.random.Generator, count: int, side: int = 64) -> np.ndarray:
    """Ovals with eyes and a mouth, of various colours; uint8, shape (count, side, side, 3)."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    pictures = []
    for _ in range(count):
        skin, ground = rng.uniform(120, 230, 3), rng.uniform(30, 200, 3)
        picture = np.where((x**2 / 0.4 + y**2 / 0.7 < 1)[..., None], skin, ground)
        features = ((np.abs(x) - 0.25) ** 2 + (y + 0.15) ** 2 < 0.006) | ((np.abs(x) < 0.25) & (np.abs(y - 0.4) < 0.04))
        pictures.append(np.where(features[..., None], 40, picture))
    return np.asarray(pictures).astype(np.uint8)


def design_table(volumes: int = 220, trials: int = 36) -> pd.DataFrame:
    """A design in the form of design.tsv."""
    time = np.arange(volumes) * 1.5
    columns = {}
    for trial in range(trials):
        after = time - (12 + 8.5 * trial)
        columns[f"trial_{trial + 1:04d}"] = np.where(after > 0, after**5 * np.exp(-after) / 20, 0)
    for name in ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"):
        columns[name] = np.cumsum(np.random.default_rng(len(name)).normal(size=volumes)) / 10
    for order in range(1, 5):
        columns[f"drift_{order}"] = np.cos(np.pi * order * (np.arange(volumes) + 0.5) / volumes)
    return pd.DataFrame(columns | {"constant": 1.0})
