"""Score predictors of a subject (rules evaluate and evaluate_trivially)."""

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
    latents = job.input.latents or [None] * len(job.params.decoders)
    files = zip(latents, job.input.images, job.output.metrics, strict=True)
    for decoder, own in zip(job.params.decoders, files, strict=True):
        logging.info("%s", decoder)
        score(job, decoder, *own)


def score(job, decoder, latents_file, images_file, metrics_file):
    images, _ = read_arrays(images_file, ["stimulus", "reconstruction"])
    items = {"images": (images["stimulus"], images["reconstruction"])}
    ceilings = {}
    if latents_file:
        latents, attributes = read_arrays(latents_file, ["true", "decoded"])
        items["latents"] = latents["true"], latents["decoded"]
        ceilings["latent_pearson_dimension"] = attributes.get("correlation_ceiling", float("nan"))
    if job.input.boundaries and "latents" in items:
        size = items["latents"][0].shape[1]
        boundaries = read_boundaries(job.input.boundaries, size, origin_of(job.params.cfg["generator"]))
        items["attributes"] = tuple(map(boundaries.scores, items["latents"]))
    parts = [table_of(job, decoder, items, job.params.cfg["metrics"], ceilings=ceilings)]
    for network, path in zip(job.params.networks, job.input.features, strict=True):
        features, _ = read_arrays(path, ["stimulus", decoder])
        items = {"features": (features["stimulus"], features[decoder])}
        parts.append(table_of(job, decoder, items, metrics_of(network, job.params.cfg["metrics"]), network))
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
    write_table(metrics_file, table)


def table_of(job, decoder, items, metrics, network="", ceilings=None):
    return tabulate(
        items=items,
        metrics=metrics,
        permutations=job.params.cfg["permutations"],
        seed=job.params.seed,
        subject=job.wildcards.subject,
        # a decoder of one region is the same predictor in another row
        decoder=decoder.removesuffix(f"_region-{job.params.region}"),
        region=job.params.region,
        resamples=job.params.cfg["resamples"],
        network=network,
        ceilings=ceilings,
    )


if __name__ == "__main__":
    run(main)
