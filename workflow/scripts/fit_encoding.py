"""Predict a subject's responses from each feature and score every channel (rule fit_encoding)."""

from _rule import run  # isort: skip

import logging

import numpy as np
import pandas as pd

from hyper.decoding.base import folds_of
from hyper.encoding.banded import cross_validate_penalty
from hyper.encoding.files import channel_table, read_kernels, read_measured, write_scores
from hyper.encoding.kernel_ridge import encode
from hyper.encoding.scores import pearson, permutation_p, share_table
from hyper.evaluation.correction import corrected
from hyper.generators.device import choose_device
from hyper.io.seeds import generator_of
from hyper.io.tables import write_table
from hyper.mapping.regions import regions_of_channels
from hyper.simulation.implants import planted_features
from hyper.simulation.regions import region_names


def main(job):
    cfg, names = job.params.cfg, job.params.features
    measured = read_measured(job.input.responses)
    places = measured.region, measured.ijk, measured.affine
    regions = regions_of_channels(measured.train.shape[1], *places, job.params.atlas, region_names)
    found = [predict(path, measured, regions, cfg) for path in job.input.kernels]
    predicted = np.stack([each[0] for each in found])
    orders = None
    if cfg["permutations"]:
        random = generator_of(job.params.seed, "fit_encoding", job.wildcards.subject)
        orders = random.permuted(np.tile(np.arange(len(measured.test)), (cfg["permutations"], 1)), axis=1)
    scored = [pearson(each, measured.test) for each in predicted]
    r, p = (np.stack(part) for part in zip(*scored, strict=True))
    if orders is not None:
        p = np.stack([permutation_p(each, measured.test, orders) for each in predicted])
    reached = corrected(p.ravel(), cfg["correction"]).reshape(p.shape)
    channels = channel_table(names, measured, regions, r, p, reached, cfg["alpha"])
    if job.input.truth:
        channels.insert(
            channels.columns.get_loc("feature"), "planted", planted_features(job.input.truth, job.params.exclude)
        )
    arrays = {"r": r, "p": p, "p_corrected": reached, "penalty": np.stack([each[1] for each in found])}
    write_scores(job.output.scores, names, {**arrays, "predicted": predicted.astype(np.float32)}, regions)
    write_table(job.output.channels, channels)
    write_table(job.output.shares, share_table(names, r, channels["significant"].to_numpy() == 1, regions))
    tables = [each[2].assign(feature=name) for name, each in zip(names, found, strict=True)]
    write_table(job.output.penalties, pd.concat(tables, ignore_index=True))
    count = int(channels["significant"].sum())
    logging.info("%d of %d channels are predicted (corrected p < %g)", count, len(channels), cfg["alpha"])


def predict(path, measured, regions, cfg):
    """Predicted test responses, penalty of each channel, and the table of what was tried."""
    if cfg["method"] == "cross-validated":
        folds = folds_of(len(measured.train), measured.train_series, cfg["folds"])
        device = choose_device(cfg["device"]).type
        predicted, chosen = cross_validate_penalty(
            read_kernels(path, measured, True), measured.train, folds, device=device
        )
        counts = pd.Series(chosen).value_counts().sort_index()
        return predicted, chosen, pd.DataFrame({"penalty": counts.index, "channels": counts.to_numpy()})
    plain = cfg["method"] == "published" and cfg["centre"]
    kernels = read_kernels(path, measured, plain)
    predicted, fits = encode(kernels, measured.train, regions, cfg["penalties"], cfg["method"], plain)
    chosen, tables = np.empty(len(regions)), []
    for fit in fits:
        chosen[regions == fit.region] = fit.penalties[fit.chosen]
        columns = {"penalty": fit.penalties, "degrees": fit.degrees, "criterion": fit.criteria}
        picked = np.arange(len(fit.penalties)) == fit.chosen
        tables.append(pd.DataFrame({"region": fit.region, **columns, "chosen": picked.astype(int)}))
    return predicted, chosen, pd.concat(tables, ignore_index=True)


if __name__ == "__main__":
    run(main)
