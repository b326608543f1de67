"""Mask the voxels that every run covers (rule mask_bold)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.interfaces.resampling import MaskBold
from hyper.preprocess.node import run_node


def main(job):
    run_node(
        MaskBold,
        {"mask": job.output.mask},
        boldrefs=[Path(file) for file in job.input.boldrefs],
        map=Path(job.input.map[0]),
        template=job.params.template,
        **job.params.cfg,
    )


if __name__ == "__main__":
    run(main)
