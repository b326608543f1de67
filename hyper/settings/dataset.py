"""Where the data are and how their events are to be read."""

import re
from typing import Literal

from pydantic import Field, field_validator

from hyper.settings.section import Section


class Events(Section):
    """How events.tsv becomes trials. `auto` recognises the form, does what is due and says so."""

    collapse: Literal["auto", "first", "sum", "longest", "none"] = Field(
        "auto",
        description="Rows with the same onset and stimulus: `auto` merges them to one trial of the longest duration "
        "when every trial is repeated alike; `first`, `sum`, `longest` merge always; `none` keeps each row.",
    )
    duration_unit: Literal["auto", "s", "ms"] = Field(
        "auto", description="Unit of durations: `auto` takes milliseconds where trials would otherwise overrun the run."
    )
    duration: float | None = Field(None, gt=0, description="One duration (s) for every trial instead of the file's.")


class Dataset(Section):
    """The BIDS dataset (left alone when the study is simulated)."""

    path: str | None = Field(None, description="Folder of the BIDS dataset; the simulated study fills it in by itself.")
    responses: dict[str, str] | None = Field(
        None,
        description="Response matrices that are at hand, by subject (written by `hyper convert released`): the study "
        "then starts at decoding and reads no BIDS dataset.",
        min_length=1,
    )
    task: str | None = Field(None, description="Task label; needed when the dataset has several tasks.")
    subjects: list[str] | None = Field(None, description="Labels of the subjects to use (without sub-); all if null.")
    repetition_time: float | None = Field(
        None, gt=0, le=20, description="Overrides the repetition time (s) of the sidecars."
    )
    stimuli: str | None = Field(
        "stimuli", description="Folder in the dataset that stim_file is relative to; null when images are not at hand."
    )
    latents: str | None = Field(
        "stimuli/latents.npy", description="Latents (stimulus, latent) in the dataset; or null."
    )
    null_stimuli: list[str] | None = Field(
        None, description="Stimuli that are no stimulus, such as ['0000']; null finds the images without a latent row."
    )
    test_stimuli: list[str] | None = Field(
        None,
        description="Stimuli of the test set, single ('0001') or as ranges ('0001-0036'); null takes those shown "
        "more than once to a subject.",
    )
    events: Events = Events()

    @field_validator("responses")
    @classmethod
    def _labels_are_usable(cls, responses: dict[str, str] | None) -> dict[str, str] | None:
        for label in responses or {}:
            if not re.fullmatch(r"[A-Za-z0-9]+", label):
                raise ValueError(f"{label!r} cannot label a subject: letters and digits only")
        return responses
