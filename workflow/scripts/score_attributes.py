"""Score true and decoded latents on attributes and closed-form directions (rule score_attributes)."""

from _rule import run  # isort: skip

import logging

import pandas as pd

from hyper.decoding.latents import read_latents
from hyper.evaluation.attributes import correct_attributes, scores_by_stimulus, sets_of, tabulate_attributes
from hyper.evaluation.boundary_files import read_boundaries
from hyper.generators.draw import origin_of
from hyper.generators.load import chosen_generator
from hyper.generators.sefa import closed_form_directions
from hyper.io.tables import write_table


def main(job):
    found = [read_latents(path) for path in job.input.latents]
    size, spec = found[0][0].shape[1], job.params.generator["generator"]
    boundaries = read_boundaries(job.input.boundaries, size, origin_of(spec)) if job.input.boundaries else None
    generator, sefa = chosen_generator(job.params.generator), job.params.attributes["sefa"]
    closed = closed_form_directions(generator, sefa)[0] if sefa else None
    sets = sets_of(boundaries, closed)
    tables, scores = [], []
    for (true, decoded, stimuli), (subject, decoder) in zip(found, job.params.labels, strict=True):
        labels = {"study": job.params.study, "subject": subject, "decoder": decoder}
        options = job.params.cfg["permutations"], job.params.cfg["resamples"], job.params.seed
        tables.append(tabulate_attributes(true, decoded, sets, *options, labels))
        scores.append(scores_by_stimulus(true, decoded, stimuli, sets, labels))
    table = correct_attributes(pd.concat(tables, ignore_index=True), job.params.cfg["correction"])
    for row in table[table["directions"] == "boundary"].itertuples():
        logging.info("sub-%s %s, %s of %s: %.3f", row.subject, row.decoder, row.metric, row.attribute, row.value)
    write_table(job.output.table, table)
    write_table(job.output.scores, pd.concat(scores, ignore_index=True))


if __name__ == "__main__":
    run(main)
