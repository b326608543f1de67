"""Register the T1w brain to the template (rule register_anatomical)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.engines.registry import REGISTER_ANATOMICAL as ENGINES
from hyper.preprocess.node import run_node


def main(job):
    run_node(
        ENGINES[job.params.cfg["engine"]],
        {"map": job.output.map},
        brain=Path(job.input.t1w),
        mask=Path(job.input.mask),
        template=job.params.template,
        seed=job.params.seed,
        threads=job.threads,
        **job.params.cfg,
    )


if __name__ == "__main__":
    run(main)
