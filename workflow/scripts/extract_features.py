"""Features of a subject's stimuli and of every reconstruction of them (rule extract_features)."""

from _rule import run  # isort: skip

import logging

import numpy as np

from hyper.evaluation.features import NETWORKS, SEPARATES, features_of, load_network, separation
from hyper.io.arrays import read_arrays, write_arrays


def main(job):
    name = job.wildcards.network
    network = load_network(name, job.input.weights or None)
    made = [read_arrays(path, ["reconstruction"])[0]["reconstruction"] for path in job.input.images]
    stimuli = read_arrays(job.input.images[0], ["stimulus"])[0]["stimulus"]
    apart = separation(network, stimuli)
    logging.info("%s tells the stimuli apart in %.3f of the comparisons", name, apart)
    if NETWORKS[name].faces and apart < SEPARATES:
        logging.warning("%s does not separate faces this small: read nothing into its features", name)
    every = features_of(network, np.concatenate([stimuli, *made])).astype(np.float32)
    names = ["stimulus", *job.params.decoders]
    arrays = dict(zip(names, every.reshape(len(names), len(stimuli), -1), strict=True))
    dimensions = ("stimulus", "feature")
    attributes = {"network": name, "separation": apart}
    write_arrays(job.output.features, {name: (values, dimensions) for name, values in arrays.items()}, attributes)


if __name__ == "__main__":
    run(main)
