"""What the decoders must beat."""

from typing import Literal

from pydantic import Field, field_validator

from hyper.settings.section import Section

Trivial = Literal["trivial-zero", "trivial-mean", "trivial-random", "trivial-nearest", "trivial-shuffled"]


class Eigenface(Section):
    """Principal components of pixels, their weights decoded by ridge regression."""

    components: int = Field(512, ge=1, description="Principal components; with fewer images than that, fewer.")
    size: int = Field(64, ge=8, description="Height and width of the images they are found in, pixels.")
    images: int = Field(
        1050,
        ge=2,
        description="Images to find them in: those of the training stimuli, and of random latents until there are as "
        "many (a generator of styles makes the training stimuli alone).",
    )


class Baselines(Section):
    """Predictors that stand beside the decoders in every table."""

    trivial: list[Trivial] = Field(
        ["trivial-zero", "trivial-mean", "trivial-random", "trivial-nearest", "trivial-shuffled"],
        description="Trivial predictors: the zero latent, the mean training latent, a random latent, the latent of the "
        "training trial with the most similar response, and the first decoder's latents given to the wrong stimuli.",
    )

    eigenface: Eigenface | None = Field(
        Eigenface(),
        description="The baseline of eigenfaces, and `eigenface-model`, the stimuli passed through its components: the "
        "best it could do. `null` leaves both out.",
    )

    @field_validator("trivial")
    @classmethod
    def _once_each(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a predictor is named twice")
        return names
