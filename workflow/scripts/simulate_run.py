"""Simulate one run (rule simulate_run)."""

from _rule import run  # isort: skip

from hyper.dataset.stimuli import read_latents
from hyper.simulation.phantom import Phantom
from hyper.simulation.run import simulate_run


def main(job):
    simulate_run(
        phantom=Phantom.load(job.input.phantom),
        latents=read_latents(job.input.latents),
        settings={name: job.params[name] for name in ("design", "scanner", "motion", "noise", "response")},
        seed=job.params.seed,
        subject=job.wildcards.subject,
        series=job.wildcards.series,
        bold=job.output.bold,
        events=job.output.events,
        truth=job.output.truth,
    )


if __name__ == "__main__":
    run(main)
