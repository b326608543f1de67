"""The study as a whole."""

from typing import Literal

from pydantic import Field

from hyper.settings.section import Section


class Study(Section):
    """What the study is called and how far it goes."""

    name: str = Field(
        "study", pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", description="Name; results live in results/<name>/."
    )
    seed: int = Field(0, ge=0, description="The study's one seed: every random step derives its own from it.")
    simulated: bool = Field(False, description="Simulate the dataset (section simulation) instead of reading one.")
    last_stage: Literal["glm", "report"] = Field(
        "report", description="Where the workflow ends: `glm` for data without latents, `report` for the whole road."
    )
