"""Features of a subject's stimuli and of every reconstruction of them (rule extract_features)."""

from _rule import run  # isort: skip

import logging

import numpy as np

from hyper.evaluation.features import SEPARATES, features_of, load_network, separation
from hyper.io.arrays import read_arrays, write_arrays


def main(job):
    network = load_network(job.params.cfg)
    made = [read_arrays(path, ["reconstruction"])[0]["reconstruction"] for path in job.input.images]
    stimuli = read_arrays(job.input.images[0], ["stimulus"])[0]["stimulus"]
    apart = separation(network, stimuli)
    logging.info("%s tells the stimuli apart in %.3f of the comparisons", job.params.cfg, apart)
    if apart < SEPARATES:
        logging.warning("%s does not separate faces this small: read nothing into its features", job.params.cfg)
    every = features_of(network, np.concatenate([stimuli, *made]))
    names = ["stimulus", *job.params.decoders]
    arrays = dict(zip(names, every.reshape(len(names), len(stimuli), -1), strict=True))
    dimensions = ("stimulus", "feature")
    attributes = {"network": job.params.cfg, "separation": apart}
    write_arrays(job.output.features, {name: (values, dimensions) for name, values in arrays.items()}, attributes)


if __name__ == "__main__":
    run(main)
