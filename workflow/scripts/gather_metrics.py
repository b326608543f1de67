"""Gather the metrics of all subjects and decoders into one table (rule gather_metrics)."""

from _rule import run  # isort: skip

import pandas as pd

from hyper.evaluation.ceilings import add_model_ceilings
from hyper.evaluation.correction import add_correction
from hyper.io.tables import read_table, write_table


def main(job):
    parts = [read_table(path, dtype={"subject": str}) for path in job.input.metrics]
    table = pd.concat(parts, ignore_index=True)
    table.insert(0, "study", job.params.study)
    table = add_model_ceilings(add_correction(table, job.params.cfg))
    write_table(job.output.metrics, table)


if __name__ == "__main__":
    run(main)
