"""Gather the metrics of all subjects and decoders into one table (rule gather_metrics)."""

from _rule import run  # isort: skip

from hyper.evaluation.gathered import gathered_metrics
from hyper.io.tables import write_table


def main(job):
    write_table(job.output.metrics, gathered_metrics(job.input.metrics, job.params.study, job.params.cfg))


if __name__ == "__main__":
    run(main)
