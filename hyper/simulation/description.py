"""The files at the root of the dataset."""

from pathlib import Path

import pandas as pd

from hyper.io.atomic import write_text
from hyper.io.tables import write_json, write_table

_README = """\
This dataset is simulated: nobody was scanned. It has the form of OpenNeuro ds004280.

Every trial stands in several rows of events.tsv with the same onset and stim_file, and durations are in milliseconds,
as they are there. Image k of stimuli/images was generated from row k - 1 of stimuli/latents.npy; image 0 is no face but
what null trials show. truth.h5 holds what was planted: anatomy, motion, responses, noise.
"""


def write_description(
    description: str | Path, readme: str | Path, ignore: str | Path, sidecar: str | Path, tr: float, name: str
) -> None:
    """Write dataset_description.json, README, .bidsignore and task-hyper_bold.json.

    Parameters
    ----------
    description, readme, ignore, sidecar : path
        The four files.
    tr : float
        Repetition time, seconds.
    name : str
        Name of the dataset.
    """
    write_json(description, {"Name": name, "BIDSVersion": "1.8.0", "DatasetType": "raw", "License": "CC0"})
    write_text(readme, _README)
    write_text(ignore, "truth.h5\n")
    write_json(sidecar, {"RepetitionTime": tr, "TaskName": "hyper task"})


def write_participants(path: str | Path, subjects: list[str]) -> None:
    """Write participants.tsv for these labels (without ``sub-``)."""
    write_table(path, pd.DataFrame({"participant_id": [f"sub-{subject}" for subject in subjects]}))
