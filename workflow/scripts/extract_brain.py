"""Find the brain in the T1w volume (rule extract_brain)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.interfaces.anatomy import ExtractBrain
from hyper.preprocess.node import run_node


def main(job):
    run_node(
        ExtractBrain,
        {"mask": job.output.mask, "brain": job.output.brain},
        t1w=Path(job.input.t1w),
        seed=job.params.seed,
        threads=job.threads,
        **job.params.cfg,
    )


if __name__ == "__main__":
    run(main)
