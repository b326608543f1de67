"""What the decoders must beat."""

from typing import Literal

from pydantic import Field, field_validator

from hyper.settings.section import Section

Trivial = Literal["trivial-zero", "trivial-mean", "trivial-random", "trivial-nearest", "trivial-shuffled"]


class Baselines(Section):
    """Predictors that stand beside the decoders in every table."""

    trivial: list[Trivial] = Field(
        ["trivial-zero", "trivial-mean", "trivial-random", "trivial-nearest", "trivial-shuffled"],
        description="Trivial predictors: the zero latent, the mean training latent, a random latent, the latent of the "
        "training trial with the most similar response, and the first decoder's latents given to the wrong stimuli.",
    )

    @field_validator("trivial")
    @classmethod
    def _once_each(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a predictor is named twice")
        return names
