"""Register the mean BOLD volume of a subject without T1w volume to the template (rule normalise_bold)."""

from _rule import run  # isort: skip  (first: finds hyper, limits threads before numpy loads)

from pathlib import Path

from hyper.preprocess.interfaces.anatomy import OWN_WARPS, RegisterAnatomical
from hyper.preprocess.node import run_node


def main(job):
    cfg = dict(job.params.cfg)
    # the programs of others take a T1w volume
    if cfg["engine"] not in OWN_WARPS:
        cfg["engine"] = "hyper"
    run_node(
        RegisterAnatomical,
        {"map": job.output.map},
        brain=Path(job.input.brain),
        mask=Path(job.input.mask),
        contrast="bold",
        template=job.params.template,
        seed=job.params.seed,
        threads=job.threads,
        **cfg,
    )


if __name__ == "__main__":
    run(main)
