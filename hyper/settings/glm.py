"""The general linear model of each run."""

from typing import Literal

from pydantic import Field

from hyper.settings.section import Section


class Glm(Section):
    """One z-map per trial (or per contrast of conditions) and run."""

    regressors: Literal["trial", "condition"] = Field(
        "trial", description="One regressor per trial, as published, or one per trial_type."
    )
    contrasts: dict[str, str] = Field(
        default_factory=dict,
        description="Contrasts of conditions, name: expression, such as `faces: face - house` (regressors: condition).",
    )
    null_trials: Literal["baseline", "modelled"] = Field(
        "baseline", description="Null trials belong to the baseline, or get one regressor of their own."
    )
    hrf: Literal["spm", "glover"] = Field("spm", description="Canonical haemodynamic response function.")
    high_pass: float = Field(1 / 128, ge=0, description="Cut-off of the cosine drift model in Hz.")
    motion: bool = Field(True, description="Take the six motion parameters as regressors of no interest.")
