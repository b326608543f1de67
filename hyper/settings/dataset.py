"""Where the data are and how their events are to be read."""

from typing import Literal

from pydantic import Field

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
    task: str | None = Field(None, description="Task label; needed when the dataset has several tasks.")
    subjects: list[str] | None = Field(None, description="Labels of the subjects to use (without sub-); all if null.")
    repetition_time: float | None = Field(None, gt=0, description="Overrides the repetition time (s) of the sidecars.")
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
