"""Measure one run as it came from the scanner: mean and temporal signal-to-noise ratio (rule measure_raw)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.volumes import read_volume
from hyper.preprocess.moments import measure_native


def main(job):
    inputs = job.input
    to_boldref, to_reference = (
        read_arrays(file, ["matrix"])[0]["matrix"] for file in (inputs.to_boldref, inputs.to_reference)
    )
    mean, ratio = measure_native(inputs.bold, to_boldref @ to_reference, read_volume(inputs.map)[0])
    grid = ("x", "y", "z")
    write_arrays(job.output.quality, {"mean": (mean, grid), "signal_to_noise": (ratio, grid)})


if __name__ == "__main__":
    run(main)
