"""Say what was recovered of what was planted (rule compare_truth)."""

from _rule import run  # isort: skip

from hyper.io.tables import write_table
from hyper.simulation.recovery import Chain, compare_points, compare_responses, compare_run, truth_table


def main(job):
    files, runs = job.input, [tuple(pair) for pair in job.params.runs]
    rows, chains = {}, {}
    for subject, warp, to_reference in zip(job.params.subjects, files.warp, files.to_reference, strict=True):
        chains[subject] = Chain(files.truth, subject, warp, to_reference)
        rows[subject, None] = compare_points("template_to_t1w", chains[subject].planted, chains[subject].estimated)
    for (subject, series), volumes, to_boldref in zip(runs, files.motion, files.to_boldref, strict=True):
        rows[subject, series] = compare_run(files.truth, subject, series, volumes, to_boldref, chains[subject])
    for subject, active, responses in zip(job.params.subjects, files.active, files.responses, strict=True):
        own = [series for owner, series in runs if owner == subject]
        rows[subject, None] += compare_responses(files.truth, subject, own, active, responses)
    write_table(job.output.table, truth_table(rows))


if __name__ == "__main__":
    run(main)
