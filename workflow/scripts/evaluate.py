"""Score one decoder of a subject (rule evaluate)."""

from _rule import run  # isort: skip

import logging

import pandas as pd

from hyper.evaluation.boundary_files import read_boundaries
from hyper.evaluation.features import metrics_of
from hyper.evaluation.table import tabulate
from hyper.generators.draw import origin_of
from hyper.io.arrays import read_arrays
from hyper.io.tables import write_table


def main(job):
    images, _ = read_arrays(job.input.images, ["stimulus", "reconstruction"])
    items = {"images": (images["stimulus"], images["reconstruction"])}
    ceilings = {}
    if job.input.latents:
        latents, attributes = read_arrays(job.input.latents, ["true", "decoded"])
        items["latents"] = latents["true"], latents["decoded"]
        ceilings["latent_pearson_dimension"] = attributes.get("correlation_ceiling", float("nan"))
    if job.input.boundaries and "latents" in items:
        size = items["latents"][0].shape[1]
        boundaries = read_boundaries(job.input.boundaries, size, origin_of(job.params.cfg["generator"]))
        items["attributes"] = tuple(map(boundaries.scores, items["latents"]))
    parts = [table_of(job, items, job.params.cfg["metrics"], ceilings=ceilings)]
    for network, path in zip(job.params.networks, job.input.features, strict=True):
        features, _ = read_arrays(path, ["stimulus", job.wildcards.decoder])
        items = {"features": (features["stimulus"], features[job.wildcards.decoder])}
        parts.append(table_of(job, items, metrics_of(network, job.params.cfg["metrics"]), network))
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
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


def table_of(job, items, metrics, network="", ceilings=None):
    return tabulate(
        items=items,
        metrics=metrics,
        permutations=job.params.cfg["permutations"],
        seed=job.params.seed,
        subject=job.wildcards.subject,
        # a decoder of one region is the same predictor in another row
        decoder=job.wildcards.decoder.removesuffix(f"_region-{job.params.region}"),
        region=job.params.region,
        resamples=job.params.cfg["resamples"],
        network=network,
        ceilings=ceilings,
    )


if __name__ == "__main__":
    run(main)
