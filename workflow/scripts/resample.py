"""Compose all transforms and interpolate each volume of one run once (rule resample)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.io.tables import read_json
from hyper.preprocess.interfaces.resampling import Resample
from hyper.preprocess.node import run_node


def main(job):
    readings = read_json(job.input.readings)
    # without a T1w volume the map ends in the reference itself
    to_reference = [Path(file) for file in job.input.to_reference]
    run_node(
        Resample,
        {"bold": job.output.bold, "boldref": job.output.boldref},
        bold=Path(job.input.bold),
        matrices=Path(job.input.matrices),
        to_boldref=Path(job.input.to_boldref),
        map=Path(job.input.map[0]),
        template=job.params.template,
        repetition_time=readings["repetition_time"][job.wildcards.series],
        threads=job.threads,
        **job.params.cfg,
        **({"to_reference": to_reference[0]} if to_reference else {}),
    )


if __name__ == "__main__":
    run(main)
