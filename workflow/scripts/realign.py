"""Realign one BOLD run to its first, then to its mean volume (rule realign)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.engines.registry import REALIGN as ENGINES
from hyper.preprocess.node import run_node


def main(job):
    cfg = dict(job.params.cfg)
    engine = ENGINES[cfg.pop("engine")]
    run_node(
        engine,
        {"motion": job.output.motion, "boldref": job.output.boldref, "matrices": job.output.matrices},
        bold=Path(job.input.bold),
        seed=job.params.seed,
        threads=job.threads,
        **cfg,
    )


if __name__ == "__main__":
    run(main)
