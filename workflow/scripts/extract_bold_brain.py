"""Find the brain in the mean volume of the first run (rule extract_bold_brain)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.interfaces.anatomy import ExtractBoldBrain
from hyper.preprocess.node import run_node


def main(job):
    cfg = {name: job.params.cfg[name] for name in ("bias", "bias_order")}
    run_node(
        ExtractBoldBrain,
        {"mask": job.output.mask, "brain": job.output.brain},
        boldref=Path(job.input.boldref),
        template=job.params.template,
        seed=job.params.seed,
        **cfg,
    )


if __name__ == "__main__":
    run(main)
