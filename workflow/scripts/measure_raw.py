"""Measure a subject's runs as they came from the scanner, mean and temporal SNR (rule measure_raw)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

import logging

import numpy as np

from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.volumes import read_volume
from hyper.preprocess.moments import measure_native


def main(job):
    points = read_volume(job.input.map[0])[0]
    # without a T1w volume the map ends in the reference itself
    to_reference = (
        read_arrays(job.input.to_reference[0], ["matrix"])[0]["matrix"] if job.input.to_reference else np.eye(4)
    )
    total = np.zeros((2, *points.shape[:3]))
    for bold, to_boldref in zip(job.input.bold, job.input.to_boldref, strict=True):
        logging.info("%s", bold)
        total += measure_native(bold, matrix_of(to_boldref) @ to_reference, points)
    mean, ratio = (total / len(job.input.bold)).astype(np.float32)
    grid = ("x", "y", "z")
    write_arrays(job.output.quality, {"mean": (mean, grid), "signal_to_noise": (ratio, grid)})


def matrix_of(file):
    return read_arrays(file, ["matrix"])[0]["matrix"]


if __name__ == "__main__":
    run(main)
