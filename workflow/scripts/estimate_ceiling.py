"""Estimate signal and noise of every voxel, and what a perfect model would score (rule estimate_ceiling)."""

from _rule import run  # isort: skip

import logging

from hyper.io.seeds import derive_seed
from hyper.io.tables import write_table
from hyper.io.volumes import read_volume, write_image
from hyper.responses.maps import RunMaps
from hyper.responses.matrices import Responses
from hyper.responses.summary import brain_ceiling, summarise


def main(job):
    subject = job.wildcards.subject
    brain, affine = read_volume(job.input.brain)
    brain = brain > 0
    runs = [RunMaps(*paths) for paths in zip(job.input.maps, job.input.tables, strict=True)]
    responses = Responses.load(job.input.responses)
    seed = derive_seed(job.params.seed, "noise ceiling", subject)
    maps = brain_ceiling(runs, brain, job.params.cfg["splits"], seed)
    table = summarise(maps, brain, responses, seed)
    for row in table.itertuples():
        logging.info("%s, %s: %.4g %s %s", row.quantity, row.voxels, row.value, row.unit, row.note)
    write_table(job.output.table, table)
    for path, values in zip(
        (job.output.ncsnr, job.output.ceiling, job.output.reliability),
        (maps.ncsnr, maps.noise_ceiling, maps.reliability),
        strict=True,
    ):
        write_image(path, maps.volume(values, brain), affine)


if __name__ == "__main__":
    run(main)
