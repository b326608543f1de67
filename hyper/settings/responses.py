"""From z-maps to response matrices."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hyper.settings.section import Section


class Reliability(Section):
    """Options of selection by reliability."""

    splits: int = Field(100, ge=1, description="Random halves of the repeats.")


class Encoding(Section):
    """Options of selection by encoding: ridge regression from latents to each voxel, one training run left out."""

    lowest: float = Field(1e-1, gt=0, description="Smallest penalty, in units of the latents' mean squared length.")
    highest: float = Field(1e6, gt=0, description="Largest penalty.")
    number: int = Field(15, ge=1, description="Penalties tried, evenly spaced on a logarithmic scale.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.lowest > self.highest:
            raise ValueError("lowest is above highest")
        return self


class Selection(Section):
    """What makes a voxel worth keeping, judged from training trials alone."""

    method: Literal["mean_z", "reliability", "encoding"] = Field(
        "mean_z",
        description="`mean_z`: highest mean z, as published; `reliability`: of the responses to training stimuli that "
        "were shown more than once (an error where there are none); `encoding`: how well the latents predict left-out "
        "training runs.",
    )
    reliability: Reliability = Field(Reliability(), description="Selection by reliability.")
    encoding: Encoding = Field(Encoding(), description="Selection by encoding.")


class Ceiling(Section):
    """Noise ceilings from the repeats of the test stimuli."""

    splits: int = Field(100, ge=1, description="Random halves of the repeats for the split-half reliability.")


class Responses(Section):
    """Which voxels are kept, and how reliable their responses are."""

    voxels: int = Field(4096, gt=0, description="Number of voxels: those that responses.selection ranks highest.")
    region: str | None = Field(
        None,
        description="NIfTI mask (1 inside, 0 outside) in the space of the z-maps to choose voxels within, on any grid; "
        "{subject} in the name stands for the label; the whole brain if null.",
    )
    selection: Selection = Field(Selection(), description="How voxels are ranked.")
    ceiling: Ceiling = Field(Ceiling(), description="Noise ceilings.")
