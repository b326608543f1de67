"""Write Table 1 of the published study, as TSV and in LaTeX (rule write_table1)."""

from _rule import run  # isort: skip

from hyper.io.atomic import write_text
from hyper.io.tables import write_table
from hyper.report.metrics import read_metrics
from hyper.report.table1 import latex_table, table_one


def main(job):
    table = table_one(read_metrics(job.input.metrics), job.params.decoders)
    write_table(job.output.table, table)
    write_text(job.output.latex, latex_table(table))


if __name__ == "__main__":
    run(main)
