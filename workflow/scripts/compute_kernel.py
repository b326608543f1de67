"""Compute the kernel of a feature over all stimuli, block by block from its file (rule compute_kernel)."""

from _rule import run  # isort: skip

import h5py

from hyper.encoding.files import write_kernel
from hyper.encoding.kernels import gram


def main(job):
    with h5py.File(job.input.features, "r") as file:
        features = file["features"]
        write_kernel(
            job.output.kernel, gram(features), file["stimuli"].asstr()[:], job.wildcards.feature, features.shape[1]
        )


if __name__ == "__main__":
    run(main)
