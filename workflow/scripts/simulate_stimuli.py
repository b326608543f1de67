"""Draw latents, generate the faces, describe the dataset (rule simulate_stimuli)."""

from _rule import run  # isort: skip

import numpy as np

from hyper.generators.base import check_normal_latents, rounded_uint8
from hyper.generators.batches import generate
from hyper.generators.load import chosen_generator
from hyper.generators.presented import write_images
from hyper.io.atomic import atomic_path
from hyper.simulation.description import write_description
from hyper.simulation.stimuli import draw_latents


def main(job):
    section = job.params.cfg
    generator = chosen_generator(job.params.generator)
    check_normal_latents(generator)
    latents = draw_latents(sum(job.params.faces.values()), generator.latent_dim, job.params.seed)
    batches = (rounded_uint8(block) for block in generate(generator, latents))
    diameter = section["fixation"] / section["span"] * section["size"]
    write_images(job.output.images, batches, section["size"], diameter, section["quality"])
    with atomic_path(job.output.latents) as temporary:
        np.save(temporary, latents)
    write_description(
        job.output.description,
        job.output.readme,
        job.output.ignore,
        job.output.sidecar,
        job.params.tr,
        f"{job.params.study} (simulated)",
    )


if __name__ == "__main__":
    run(main)
