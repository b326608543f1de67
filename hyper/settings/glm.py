"""The general linear model of each run."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hyper.preprocess.confound_names import COSINE, unknown_confound
from hyper.settings.section import Section

Response = Literal[
    "spm",
    "glover",
    "spm + derivative",
    "spm + derivative + dispersion",
    "glover + derivative",
    "glover + derivative + dispersion",
    "fir",
    "library",
]


class Glm(Section):
    """One z-map per trial (or per contrast of conditions) and run."""

    regressors: Literal["trial", "condition"] = Field(
        "trial", description="One regressor per trial, as published, or one per trial_type."
    )
    contrasts: dict[str, str] = Field(
        default_factory=dict,
        description="Contrasts of conditions, name: expression, such as `faces: face - house` (regressors: condition).",
    )
    estimator: Literal["published", "lsa", "lss", "ridge"] = Field(
        "lss",
        description="Single trials: `lsa` all in one model; `lss` each in a model of its own, the best in our "
        "simulations (docs/methods.md); `ridge` all in one, drawn to the mean by a penalty of each voxel's own. "
        "`published` is lsa with SPM's response and ordinary least squares. What is null below is the estimator's own "
        "choice.",
    )
    noise_model: Literal["ols", "ar1"] | None = Field(
        None, description="White noise, or first-order autoregressive as in nilearn; null: ols if published, else ar1."
    )
    hrf: Response | None = Field(
        None,
        description="Haemodynamic response: canonical, with derivatives, `fir`, or each voxel's own of a `library` of "
        "twenty; null: library for lss and ridge, else spm.",
    )
    fir_delays: list[int] = Field(
        [2, 3, 4, 5], min_length=1, description="Of fir: volumes after the onset; a trial's response is their mean."
    )
    noise_components: int | Literal["auto"] | None = Field(
        None,
        description="Principal components of voxels without task, regressed out; `auto`: as many as cross-validation "
        "over time asks for, ten at most; null: auto for lss and ridge, else 0.",
    )
    penalty: Literal["likelihood", "repeats"] = Field(
        "likelihood",
        description="What chooses each voxel's ridge penalty: restricted likelihood, or cross-validation over repeats "
        "in runs that have them.",
    )
    null_trials: Literal["baseline", "modelled", "dropped"] = Field(
        "baseline",
        description="Null trials belong to the baseline, or share one regressor, or have one each, so that what they "
        "evoke has no say in anything.",
    )
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

    @model_validator(mode="after")
    def _estimator_agrees(self) -> Self:
        if self.estimator == "published":
            given = {"noise_model": self.noise_model, "hrf": self.hrf, "noise_components": self.noise_components}
            for (name, value), own in zip(given.items(), ("ols", "spm", 0), strict=True):
                if value not in (None, own):
                    raise ValueError(f"estimator: published has {name}: {own}; use estimator: lsa with {name}: {value}")
        if isinstance(self.noise_components, int) and not 0 <= self.noise_components <= 10:
            raise ValueError(f"noise_components: {self.noise_components} is not between 0 and 10")
        if any(delay < 0 for delay in self.fir_delays):
            raise ValueError("fir_delays: a delay is negative")
        by_trial = self.regressors == "trial"
        several = self.hrf is not None and (self.hrf == "fir" or "+" in self.hrf)
        if by_trial and several and self.estimator != "lsa":
            raise ValueError(f"hrf: {self.hrf} has several regressors a trial, which only estimator: lsa can take")
        if (not by_trial or several) and self.noise_components:
            raise ValueError("noise_components need regressors: trial and a response of one regressor")
        if not by_trial and self.hrf == "library":
            raise ValueError("hrf: library needs regressors: trial")
        return self
