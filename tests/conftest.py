"""A small BIDS dataset in the form of OpenNeuro ds004280, generated for each test that asks for it."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

TR = 1.5
SHAPE = (4, 5, 3)
N_TEST, N_TRAIN, LATENT = 3, 8, 128


def write_events(path: Path, stimuli: list[int]) -> None:
    """Three rows per trial with the same onset, durations in milliseconds, no trial_type."""
    rows = []
    for trial, stimulus in enumerate(stimuli):
        for duration in (2167.1, 2166.9, 1500.2):
            rows.append((12.0 + 10.5 * trial, duration, f"images/{stimulus:04d}.jpg"))
    pd.DataFrame(rows, columns=["onset", "duration", "stim_file"]).to_csv(path, sep="\t", index=False)


def write_bold(path: Path, volumes: int, tr: float = TR) -> None:
    rng = np.random.default_rng(0)
    image = nib.Nifti1Image(rng.normal(1000, 10, (*SHAPE, volumes)).astype(np.int16), np.diag([2, 2, 2, 1]))
    image.header.set_zooms((2, 2, 2, tr))
    image.header.set_xyzt_units("mm", "sec")
    nib.save(image, path)


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """The small dataset in a folder of the test's own."""
    return make_dataset(tmp_path, "ds")


def make_dataset(folder: Path, name: str) -> Path:
    """One subject, a test run (3 faces x 2 or 3, 1 null) and two training runs (4 faces, 1 null), uncompressed."""
    root = folder / name
    func = root / "sub-01/func"
    func.mkdir(parents=True)
    (root / "sub-01/anat").mkdir()
    (root / "stimuli/images").mkdir(parents=True)
    for number in range(N_TEST + N_TRAIN + 1):
        (root / f"stimuli/images/{number:04d}.jpg").write_bytes(b"jpeg")
    np.save(root / "stimuli/latents.npy", np.random.default_rng(1).normal(size=(N_TEST + N_TRAIN, LATENT)))
    (root / "dataset_description.json").write_text(json.dumps({"Name": "small", "BIDSVersion": "1.8.0"}))
    (root / "task-hyper_bold.json").write_text(json.dumps({"RepetitionTime": TR, "TaskName": "hyper task"}))
    nib.save(
        nib.Nifti1Image(np.arange(64, dtype=np.int16).reshape(4, 4, 4), np.eye(4)), root / "sub-01/anat/sub-01_T1w.nii"
    )
    runs = {"01": [1, 2, 3, 0, 1, 2, 3, 1], "02": [4, 5, 0, 6, 7], "03": [8, 9, 10, 0, 11]}
    for label, stimuli in runs.items():
        stem = func / f"sub-01_task-hyper_run-{label}"
        write_events(Path(f"{stem}_events.tsv"), stimuli)
        write_bold(Path(f"{stem}_bold.nii"), volumes=20 + 7 * len(stimuli))
    return root
