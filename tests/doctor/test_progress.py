"""The line that says how far a run is."""

import io
import logging
from types import SimpleNamespace

import pytest

from hyper.doctor.progress import Progress, ProgressHandler


def test_time_left_is_work_left_over_the_pace_so_far():
    progress = Progress({"fit_glm": 3, "evaluate": 2}, {"evaluate": 5.0}, now=100.0)
    assert progress.seconds_left(101.0) is None
    progress.start(1, "fit_glm", "sub-01", 100.0)
    progress.start(2, "fit_glm", "sub-02", 100.0)
    progress.end(1, 110.0)
    progress.end(2, 110.0)
    # 20 s of work in 10 s; left: one fit_glm of 10 s, two evaluate of 5 s
    assert progress.seconds_left(110.0) == pytest.approx(10.0)
    assert progress.line(110.0) == "== 2 of 5 jobs done in 10 s, about 10 s left"


def test_jobs_at_work_are_named_the_oldest_first():
    progress = Progress({"fit_decoder": 5}, {}, now=0.0)
    for job in range(4):
        progress.start(job, "fit_decoder", f"sub-{job:02d}", float(job))
    assert progress.line(60.0) == (
        "== 0 of 5 jobs done in 60 s; at work: fit_decoder sub-00 (60 s), fit_decoder sub-01 (59 s), "
        "fit_decoder sub-02 (58 s), 1 more"
    )


def test_a_failed_job_is_not_done():
    progress = Progress({"evaluate": 1}, {}, now=0.0)
    progress.start(1, "evaluate", "", 0.0)
    progress.end(1, 3.0, well=False)
    assert (progress.done, progress.running, progress.left) == (0, {}, {"evaluate": 1})


def test_lines_come_now_and_then_and_at_the_end():
    clock, heard = SimpleNamespace(now=0.0), io.StringIO()
    handler = ProgressHandler(Progress({"evaluate": 4}, {}, 0.0), 15, heard, lambda: clock.now)
    for job in range(4):
        clock.now += 6
        say(handler, "JOB_INFO", jobid=job, rule_name="evaluate", wildcards={"subject": "01", "decoder": "ridge"})
        clock.now += 1
        say(handler, "JOB_FINISHED", job_id=job)
    handler.emit(logging.LogRecord("snakemake", logging.INFO, "", 0, "no event", None, None))
    lines = heard.getvalue().splitlines()
    assert [line.split(",")[0] for line in lines] == [
        "== 1 of 4 jobs done in 7 s",
        "== 4 of 4 jobs done in 28 s",
    ]


def say(handler, event, **facts):
    record = logging.LogRecord("snakemake", logging.INFO, "", 0, "", None, None)
    record.__dict__.update(facts, event=SimpleNamespace(name=event))
    handler.emit(record)
