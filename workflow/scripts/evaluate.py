"""Score one decoder of a subject (rule evaluate)."""

from _rule import run  # isort: skip

import logging

from hyper.evaluation.boundary_files import read_boundaries
from hyper.evaluation.table import tabulate
from hyper.generators.draw import origin
from hyper.io.arrays import read_arrays
from hyper.io.tables import write_table


def main(job):
    images, _ = read_arrays(job.input.images, ["stimulus", "reconstruction"])
    items = {"images": (images["stimulus"], images["reconstruction"])}
    if job.input.latents:
        latents, _ = read_arrays(job.input.latents, ["true", "decoded"])
        items["latents"] = latents["true"], latents["decoded"]
    if job.input.features:
        features, _ = read_arrays(job.input.features, ["stimulus", job.wildcards.decoder])
        items["features"] = features["stimulus"], features[job.wildcards.decoder]
    if job.input.boundaries and "latents" in items:
        size = items["latents"][0].shape[1]
        boundaries = read_boundaries(job.input.boundaries, size, origin(job.params.generator))
        items["attributes"] = tuple(map(boundaries.scores, items["latents"]))
    table = tabulate(
        items=items,
        metrics=job.params.cfg["metrics"],
        permutations=job.params.cfg["permutations"],
        seed=job.params.seed,
        subject=job.wildcards.subject,
        decoder=job.wildcards.decoder,
        resamples=job.params.cfg["resamples"],
        network=job.params.cfg["features"] or "",
    )
    for row in table.itertuples():
        logging.info(
            "%s %.4f (%.4f to %.4f), chance %.4f, p %.4g",
            row.metric,
            row.value,
            row.ci_low,
            row.ci_high,
            row.chance,
            row.p,
        )
    write_table(job.output.metrics, table)


if __name__ == "__main__":
    run(main)
