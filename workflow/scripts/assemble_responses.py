"""Gather training trials and averaged test stimuli of the active voxels (rule assemble_responses)."""

from _rule import run  # isort: skip

import logging

from hyper.dataset.stimuli import read_latents
from hyper.io.volumes import read_volume
from hyper.responses.matrices import RunMaps, assemble


def main(job):
    mask, affine = read_volume(job.input.mask)
    runs = [RunMaps(*paths) for paths in zip(job.input.maps, job.input.trials, strict=True)]
    responses = assemble(runs, mask > 0, affine, read_latents(job.input.latents[0]))
    logging.info(
        "%d training trials, %d test stimuli of %d to %d repeats, %d voxels",
        len(responses.train), len(responses.test), responses.test_repeats.min(), responses.test_repeats.max(),
        responses.train.shape[1],
    )  # fmt: skip
    responses.save(job.output.responses, subject=job.wildcards.subject)


if __name__ == "__main__":
    run(main)
