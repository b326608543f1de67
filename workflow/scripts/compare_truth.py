"""Say what was recovered of what was planted (rule compare_truth)."""

from _rule import run  # isort: skip

from hyper.io.tables import write_table
from hyper.simulation.recovery import Chain, compare_points, compare_responses, compare_run, truth_table


def main(job):
    files, runs = job.input, [tuple(pair) for pair in job.params.runs]
    rows, chains = {}, {}
    for subject, warp, to_reference in zip(job.params.with_t1w, files.through_t1w, files.to_reference, strict=True):
        chains[subject] = Chain(files.truth, subject, warp, to_reference)
        rows[subject, None] = compare_points("template_to_t1w", chains[subject].planted, chains[subject].estimated)
    others = [subject for subject in job.params.subjects if subject not in job.params.with_t1w]
    for subject, warp in zip(others, files.straight, strict=True):
        chains[subject], rows[subject, None] = Chain(files.truth, subject, warp), []
    for (subject, series), volumes, to_boldref in zip(runs, files.motion, files.to_boldref, strict=True):
        rows[subject, series] = compare_run(files.truth, subject, series, volumes, to_boldref, chains[subject])
    for subject, active, responses in zip(job.params.subjects, files.active, files.responses, strict=True):
        own = [series for owner, series in runs if owner == subject]
        rows[subject, None] += compare_responses(files.truth, subject, own, active, responses)
    write_table(job.output.table, truth_table(rows))


if __name__ == "__main__":
    run(main)
