"""Partition the variance that several features explain (rule partition_variance)."""

from _rule import run  # isort: skip

import numpy as np

from hyper.decoding.base import folds_of
from hyper.encoding.files import read_kernels, read_measured
from hyper.encoding.partition import partition_table, partition_variance
from hyper.generators.device import choose_device
from hyper.io.arrays import write_arrays
from hyper.io.seeds import derive_seed
from hyper.io.tables import read_table, write_table


def main(job):
    cfg, names = job.params.cfg, job.params.features
    measured = read_measured(job.input.responses)
    kernels = [read_kernels(path, measured, True) for path in job.input.kernels]
    folds = folds_of(len(measured.train), measured.train_series, cfg["folds"])
    seed = derive_seed(job.params.seed, "partition_variance", job.wildcards.subject)
    device = choose_device(cfg["device"]).type
    found = partition_variance(names, kernels, measured.train, measured.test, folds, cfg["candidates"], seed, device)
    arrays = {
        "features": (np.array(names), ("feature",)),
        "joint": (found.joint, ("channel",)),
        "unique": (found.unique, ("feature", "channel")),
        "shared": (found.shared, ("channel",)),
        "parts": (found.parts, ("feature", "channel")),
        "predicted": (found.predicted.astype(np.float32), ("test_stimulus", "channel")),
    }
    write_arrays(job.output.arrays, arrays, {"units": "R2 over test stimuli"})
    channels = read_table(job.input.channels, dtype={"region": str})
    significant = channels["significant"].to_numpy() == 1
    write_table(job.output.table, partition_table(found, channels["region"].to_numpy(str), significant))


if __name__ == "__main__":
    run(main)
