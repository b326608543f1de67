"""Read the events of all runs of a subject into one table of trials (rule read_trials)."""

from _rule import run  # isort: skip

import logging
from pathlib import Path

from hyper.dataset.layout import Run
from hyper.dataset.trials import Reading, read_trials
from hyper.io.tables import write_json, write_table


def main(job):
    root = Path(job.params.dataset)
    subject = job.wildcards.subject
    runs = []
    for bold, events in zip(job.input.bold, job.input.events, strict=True):
        series = Path(bold).name.removeprefix(f"sub-{subject}_").split("_bold.nii")[0]
        runs.append(Run(subject, series, Path(bold), Path(events), root))
    trials = read_trials(runs, Reading.of(job.params.cfg, root))
    for sentence in trials.readings:
        logging.info("sub-%s: %s", subject, sentence)
    write_table(job.output.trials, trials.table)
    content = {
        "subject": subject,
        "readings": trials.readings,
        "repetition_time": trials.repetition_times,
        "counts": trials.counts(),
    }
    write_json(job.output.readings, content)


if __name__ == "__main__":
    run(main)
