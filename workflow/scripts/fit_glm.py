"""Estimate one z-map per trial of a run (rule fit_glm)."""

from _rule import run  # isort: skip

from hyper.glm.run import fit_run
from hyper.io.tables import read_json, read_table


def main(job):
    series = job.wildcards.series
    trials = read_table(job.input.trials, dtype={"stimulus": str, "trial_type": str})
    fit_run(
        bold=job.input.bold,
        mask=job.input.mask,
        trials=trials[trials["series"] == series].reset_index(drop=True),
        tr=read_json(job.input.readings)["repetition_time"][series],
        confounds=read_table(job.input.confounds),
        model=job.params.cfg,
        maps=job.output.maps,
        table=job.output.trials,
        design_table=job.output.design,
        summary=job.output.summary,
        threads=job.threads,
    )


if __name__ == "__main__":
    run(main)
