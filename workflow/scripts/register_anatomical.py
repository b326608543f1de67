"""Register the T1w brain to the template (rule register_anatomical)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.engines.registry import REGISTER_ANATOMICAL as ENGINES
from hyper.preprocess.node import run_node


def main(job):
    cfg = dict(job.params.cfg)
    engine = ENGINES[cfg.pop("engine")]
    run_node(
        engine,
        {"map": job.output.map},
        t1w=Path(job.input.t1w),
        mask=Path(job.input.mask),
        **cfg,
    )


if __name__ == "__main__":
    run(main)
