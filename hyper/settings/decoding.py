"""From responses to latents."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from hyper.settings.section import Section

Scaling = Literal["zscore", "none"]
Device = Literal["auto", "cpu", "cuda"]

_SCALING = "Voxels are z-scored by mean and standard deviation of the training trials, or taken as they are."
_DEVICE = "`auto` takes the GPU if there is one."


class Dense(Section):
    """The published decoders: a dense layer trained by Adam on the squared error of latents, of a layer, or both."""

    kind: Literal["dense"] = Field("dense", description="A dense layer, as published.")
    epochs: int = Field(1500, ge=1, description="Passes over the training trials; 1500 in the authors' notebook.")
    learning_rate: float = Field(1e-5, gt=0, description="Adam's learning rate.")
    batch_size: int = Field(30, ge=1, description="Trials per step.")
    weight_decay: float = Field(0.01, ge=0, description="Decay of weight and bias.")
    decoupled: bool = Field(
        False, description="Decay the parameters themselves (AdamW) instead of adding to the gradient, as published."
    )
    layer: str | None = Field(
        None, description="Layer of the generator whose activation counts in the loss, such as L1; null for none."
    )
    latents: bool = Field(True, description="Whether the latents count in the loss.")
    centre: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of height and width of the layer's map, about its middle, that counts; null is 0.5 beside "
        "the latents (the sources say `the centres`, and no number), 1 where the layer counts alone.",
    )
    precision: Literal["single", "mixed"] = Field(
        "single", description="Of the generator's products in training; `mixed` multiplies in bfloat16."
    )
    scaling: Scaling = Field("zscore", description=_SCALING)
    device: Device = Field("auto", description=_DEVICE)

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if self.layer is None and not self.latents:
            raise ValueError("nothing is left of the loss: name a layer, or let the latents count")
        return self


class Chainer(Section):
    """A decoder that the authors trained and released (Chainer)."""

    kind: Literal["chainer"] = Field("chainer", description="A trained linear decoder, a Chainer `.model`.")
    files: dict[str, str] = Field(
        min_length=1, description="The `.model` of each subject, by label; the others do without this decoder."
    )


class Ridge(Section):
    """Ridge regression; cross-validation on the training trials chooses the penalty."""

    kind: Literal["ridge"] = Field("ridge", description="Ridge regression by himalaya.")
    penalty: Literal["shared", "per latent"] = Field(
        "shared", description="One penalty for all latents, or each latent its own."
    )
    lowest: float = Field(1e-1, gt=0, description="Lowest penalty tried.")
    highest: float = Field(1e7, gt=0, description="Highest penalty tried.")
    number: int = Field(33, ge=1, description="Penalties tried, evenly spaced on a logarithmic scale.")
    folds: int = Field(
        5, ge=2, description="Folds of neighbouring trials when all are of one run; else one run is left out at a time."
    )
    scaling: Scaling = Field("zscore", description=_SCALING)
    device: Device = Field("auto", description=_DEVICE)


AnyDecoder = Annotated[Dense | Ridge | Chainer, Field(discriminator="kind")]


def _default_decoders() -> dict[str, AnyDecoder]:
    return {"published": Dense(), "ridge": Ridge()}


class Interpolation(Section):
    """Images on the way from the decoded to the true latents."""

    stimuli: int = Field(6, ge=1, description="Test stimuli; the first ones when there are more.")
    steps: int = Field(7, ge=2, description="Images of each, both ends included.")


class Decoding(Section):
    """From responses to latents."""

    decoders: dict[str, AnyDecoder] = Field(
        default_factory=_default_decoders,
        min_length=1,
        description="Decoders by a name of your choice; `kind` says which: dense, ridge or chainer. A study that "
        "sets this names all it wants: the defaults are replaced, not added to.",
    )
    rescale: Literal["none", "unit", "prior"] = Field(
        "prior",
        description="Length given to decoded latents before images are made of them (the metrics of latents see them "
        "as decoded): `prior` is the root of the number of latents, the length of the latents a generator was trained "
        "with. Regression shrinks latents towards zero, and images of shrunken latents resemble one and the same "
        "image, whatever was seen. `unit` is 1, `none` keeps the length.",
    )
    interpolation: Interpolation = Field(
        Interpolation(), description="Images on the way from the decoded to the true latents."
    )

    @field_validator("decoders")
    @classmethod
    def _names_are_usable(cls, decoders: dict[str, AnyDecoder]) -> dict[str, AnyDecoder]:
        for name in decoders:
            if not re.fullmatch(r"(?!trivial-)[A-Za-z0-9][A-Za-z0-9_-]*", name):
                raise ValueError(
                    f"{name!r} cannot name a decoder: letters, digits, _ and - only, and trivial-... is taken"
                )
        return decoders
