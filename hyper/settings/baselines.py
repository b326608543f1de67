"""What the decoders must beat."""

from typing import Literal, Self

from pydantic import Field, PositiveInt, field_validator, model_validator

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


class Vaegan(Section):
    """A VAE-GAN (VanRullen & Reddy, 2019), its latents decoded by ridge regression; sizes as published."""

    checkpoint: str | None = Field(
        None,
        description="`vaegan-face`, which this project trained for the generator `pggan-face`, or the path of one that "
        "`hyper train-vaegan` wrote. `null` trains one on the study's generator, by the settings below, and keeps it "
        "until one of them changes; the published size needs a GPU.",
    )
    any_generator: bool = Field(
        False, description="Accept a checkpoint that was trained on the images of another generator."
    )
    channels: list[PositiveInt] = Field(
        [192, 256, 384, 512, 768],
        min_length=1,
        max_length=8,
        description="Channels of the convolutions of encoder and discriminator, in reverse of the decoder. Each halves "
        "the image, which ends at 4 x 4 pixels: five work with 128 x 128.",
    )
    latents: int = Field(1024, ge=1, description="Numbers that describe a face.")
    hidden: int = Field(1024, ge=1, description="Units between convolutions and latents, and before the score.")
    layer: int = Field(
        2, ge=1, description="Convolution of the discriminator whose features reconstructions are compared by."
    )
    content: float = Field(
        0.003,
        gt=0,
        description="Weight of that comparison against the discriminator's judgement in the decoder's loss (gamma). "
        "It multiplies a sum over features: the fewer of them, the larger it should be.",
    )
    images: int = Field(
        760_000,
        ge=2,
        description="Images of random latents to train on; with 4 showings each as many as 15 epochs of CelebA.",
    )
    repeats: int = Field(4, ge=1, description="Times that each image is shown.")
    pool: int = Field(4096, ge=2, description="Images held at a time, shown in random order and let go.")
    batch: int = Field(64, ge=2, description="Images in a step.")
    rate: float = Field(
        3e-4, gt=0, description="Learning rate of Adam, which falls linearly to zero over the second half."
    )
    precision: Literal["fp32", "bf16"] = Field("fp32", description="Of the activations while training.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where it is trained: `auto` takes the GPU if there is one."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.layer > len(self.channels):
            raise ValueError(f"layer {self.layer} is none of {len(self.channels)} convolutions")
        if self.batch > min(self.pool, self.images):
            raise ValueError(f"batch {self.batch} is more than the pool or the images hold")
        return self


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

    vaegan: Vaegan | None = Field(
        None,
        description="The baseline of a VAE-GAN, and `vaegan-model`, the stimuli passed through its encoder and "
        "decoder: the best it could do. `null` leaves both out; `{}` takes the published sizes, every setting of which "
        "is in schema.json.",
    )

    @field_validator("trivial")
    @classmethod
    def _once_each(cls, names: list[str]) -> list[str]:
        if len(set(names)) < len(names):
            raise ValueError("a predictor is named twice")
        return names
