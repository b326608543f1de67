"""Measure one run as it came from the scanner: mean and temporal signal-to-noise ratio (rule measure_raw)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.volumes import read_volume
from hyper.preprocess.moments import measure_native


def main(job):
    inputs = job.input
    to_native = read_arrays(inputs.to_boldref, ["matrix"])[0]["matrix"]
    # without a T1w volume the map ends in the reference itself
    for file in inputs.to_reference:
        to_native = to_native @ read_arrays(file, ["matrix"])[0]["matrix"]
    mean, ratio = measure_native(inputs.bold, to_native, read_volume(inputs.map[0])[0])
    grid = ("x", "y", "z")
    write_arrays(job.output.quality, {"mean": (mean, grid), "signal_to_noise": (ratio, grid)})


if __name__ == "__main__":
    run(main)
