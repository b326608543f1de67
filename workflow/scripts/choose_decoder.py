"""Choose a subject's decoder by its scores on left-out training runs (rule choose_decoder)."""

from _rule import run  # isort: skip

import logging

import pandas as pd

from hyper.decoding.choice import choose
from hyper.io.tables import read_table, write_table


def main(job):
    table = choose(pd.concat([read_table(path) for path in job.input.scores], ignore_index=True))
    best = table.iloc[0]
    logging.info("%s: %s %.4f", best["decoder"], best["criterion"], best[best["criterion"]])
    write_table(job.output.choice, table)


if __name__ == "__main__":
    run(main)
