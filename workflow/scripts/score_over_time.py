"""Score every window of time and find when the curves rise (rule score_over_time)."""

from _rule import run  # isort: skip

import logging

from hyper.decoding.over_time import of_regions
from hyper.evaluation.over_time import add_planted, find_latencies, score_windows
from hyper.io.arrays import read_arrays
from hyper.io.tables import write_table


def main(job):
    cfg = job.params.cfg
    arrays, _ = read_arrays(job.input.latents)
    decoded = of_regions(arrays, "decoded")
    curves = score_windows(
        arrays["true"], decoded, arrays["starts"], arrays["ends"], cfg["permutations"], cfg["resamples"],
        job.params.seed, cfg["correction"],
    )  # fmt: skip
    latencies = find_latencies(arrays["true"], decoded, curves, job.params.rise, cfg["resamples"], job.params.seed)
    if job.input.truth:
        truth, _ = read_arrays(job.input.truth, ["region", "latency_ms"])
        latencies = add_planted(latencies, truth["region"], truth["latency_ms"])
    for row in latencies.itertuples():
        logging.info("%s, %s: %.0f ms (%.0f to %.0f)", row.metric, row.region, row.latency_ms, row.ci_low, row.ci_high)
    write_table(job.output.curves, curves)
    write_table(job.output.latencies, latencies)


if __name__ == "__main__":
    run(main)
