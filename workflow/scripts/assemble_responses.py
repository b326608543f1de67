"""Gather training trials and averaged test stimuli of the active voxels (rule assemble_responses)."""

from _rule import run  # isort: skip

import logging

from hyper.dataset.stimuli import read_latents
from hyper.io.seeds import derive_seed
from hyper.io.tables import read_table
from hyper.io.volumes import read_volume
from hyper.responses.maps import RunMaps
from hyper.responses.matrices import assemble


def main(job):
    mask, affine = read_volume(job.input.mask)
    responses = assemble(
        runs=[RunMaps(*paths) for paths in zip(job.input.maps, job.input.tables, strict=True)],
        mask=mask > 0,
        affine=affine,
        latents=read_latents(job.input.latents[0]),
        selection=read_table(job.input.selection, dtype={"series": str, "stimulus": str}),
        splits=job.params.cfg["splits"],
        seed=derive_seed(job.params.seed, "noise ceiling", job.wildcards.subject),
    )
    logging.info(
        "%d training trials, %d test stimuli of %d to %d repeats, %d voxels",
        len(responses.train), len(responses.test), responses.test_repeats.min(), responses.test_repeats.max(),
        responses.train.shape[1],
    )  # fmt: skip
    responses.save(job.output.responses, subject=job.wildcards.subject)


if __name__ == "__main__":
    run(main)
