"""Register the mean volume of the first run to the T1w brain (rule register_bold)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.engines.registry import REGISTER_BOLD as ENGINES
from hyper.preprocess.node import run_node


def main(job):
    cfg = dict(job.params.cfg)
    engine = ENGINES[cfg.pop("engine")]
    run_node(
        engine,
        {"matrix": job.output.matrix},
        boldref=Path(job.input.boldref),
        t1w=Path(job.input.t1w),
        mask=Path(job.input.mask),
        seed=job.params.seed,
        **cfg,
    )


if __name__ == "__main__":
    run(main)
