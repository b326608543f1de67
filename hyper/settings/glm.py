"""The general linear model of each run."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hyper.preprocess.confound_names import COSINE, unknown_confound
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
    confounds: list[str] = Field(
        ["motion"],
        description="Regressors of no interest: columns of the run's confounds (trans_x, csf, dvars, ...) or groups: "
        "motion (six parameters), motion12 (and their differences), motion24 (and squares of all), tissues (csf and "
        "white_matter), cosine. [] for none.",
    )

    @model_validator(mode="after")
    def _confounds_exist(self) -> Self:
        for name in self.confounds:
            fault = unknown_confound(name)
            if fault:
                raise ValueError(f"confounds: {fault}")
            if COSINE.match(name) and self.high_pass > 0:
                raise ValueError(f"confounds: {name} is in the drift model already; leave it out or set high_pass: 0")
        return self
