"""Align the mean volume of one run to that of the subject's first run (rule align_run)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.engines.registry import ALIGN_RUN as ENGINES
from hyper.preprocess.node import run_node


def main(job):
    cfg = dict(job.params.cfg)
    engine = ENGINES[cfg.pop("engine")]
    run_node(
        engine,
        {"matrix": job.output.matrix},
        reference=Path(job.input.reference),
        boldref=Path(job.input.boldref),
        seed=job.params.seed,
        **cfg,
    )


if __name__ == "__main__":
    run(main)
