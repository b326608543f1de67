"""Where the data are and how their events are to be read."""

import re
from typing import Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

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


class ImplantFiles(Section):
    """Files of one animal."""

    responses: str = Field(
        description="HDF5 file (MATLAB 7.3 or other) with one response per trial and channel, training and test."
    )
    latents: str = Field(
        description="Latents in the order of the trials: a pickled mapping with `train` and `test`, of which nothing "
        "is executed, or an .npy file of the training latents, (n, latent) or (n, layer, latent)."
    )
    test_latents: str | None = Field(None, description="Latents of the test stimuli (.npy) beside those of training.")
    timeseries: str | None = Field(
        None, description="HDF5 file with responses over time, (trial, channel, time) or reversed as MATLAB writes it."
    )


class Implants(Section):
    """Responses of implanted electrodes; the defaults are those of the published study (Dado et al., 2024)."""

    subjects: dict[str, ImplantFiles] = Field(
        {}, description="Files by animal; left empty where the study is simulated, which fills them in by itself."
    )
    names: tuple[str, str] = Field(
        ("train_MUA", "test_MUA"), description="Datasets of training and test responses, in both kinds of file."
    )
    regions: dict[str, PositiveInt] = Field(
        {"V1": 448, "V4": 256, "IT": 256},
        min_length=1,
        description="Regions and their channels, in the order of the columns without the broken ones.",
    )
    array: PositiveInt = Field(64, description="Channels of an array.")
    broken: tuple[int, int] | None = Field(
        (320, 384),
        description="Columns to leave out where a file still has them, counted from 0: the first, one past the last.",
    )
    exclude: list[int] = Field([], description="Further channels to leave out, counted from 0 without the broken ones.")
    repeats: PositiveInt = Field(1, description="Trials averaged in each test response, which the files do not say.")
    onset: float = Field(100.0, ge=0, description="Time from the start of a trial to the onset of the stimulus, ms.")
    sampling: float = Field(
        1.0, gt=0, description="Time between two samples, ms; a dataset `time_ms` in the file goes before both."
    )

    @field_validator("regions")
    @classmethod
    def _regions_are_usable(cls, regions: dict[str, int]) -> dict[str, int]:
        for name in regions:
            if not re.fullmatch(r"[A-Za-z0-9]+", name) or name == "all":
                raise ValueError(f"{name!r} cannot name a region: letters and digits only, and `all` is taken")
        return regions

    @field_validator("subjects")
    @classmethod
    def _labels_are_usable(cls, subjects: dict[str, ImplantFiles]) -> dict[str, ImplantFiles]:
        for label in subjects:
            if not re.fullmatch(r"[A-Za-z0-9]+", label):
                raise ValueError(f"{label!r} cannot label a subject: letters and digits only")
        return subjects

    @model_validator(mode="after")
    def _exist(self) -> Self:
        if self.broken is not None and not 0 <= self.broken[0] < self.broken[1]:
            raise ValueError(f"broken {list(self.broken)} is no range of columns: give the first, one past the last")
        if self.broken is not None and self.broken[0] > sum(self.regions.values()):
            raise ValueError(f"broken {list(self.broken)} lies beyond {sum(self.regions.values())} channels")
        outside = [channel for channel in self.exclude if not 0 <= channel < sum(self.regions.values())]
        if outside:
            raise ValueError(f"exclude: there is no channel {outside[0]} among {sum(self.regions.values())}")
        return self


class Dataset(Section):
    """The BIDS dataset (left alone when the study is simulated)."""

    path: str | None = Field(None, description="Folder of the BIDS dataset; the simulated study fills it in by itself.")
    responses: dict[str, str] | None = Field(
        None,
        description="Response matrices that are at hand, by subject (written by `hyper convert released`): the study "
        "then starts at decoding and reads no BIDS dataset.",
        min_length=1,
    )
    implants: Implants | None = Field(
        None,
        description="Responses of implanted electrodes instead of a BIDS dataset, read from the published formats: the "
        "study starts at decoding, for all channels and for each region. `{}` takes the published layout, every "
        "setting of which is in schema.json.",
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
