"""Which jobs failed for good, and what their logs say of it."""

import logging
import os
from types import SimpleNamespace

from hyper.doctor.failures import FailureHandler, last_words
from hyper.errors import FAULT


def event(name, **facts):
    record = logging.LogRecord("snakemake.logging", logging.ERROR, "", 0, name, (), None)
    record.__dict__.update(event=SimpleNamespace(name=name), **facts)
    return record


def test_last_words_of_a_fault_and_of_a_traceback(tmp_path):
    log = tmp_path / "rule.log"
    log.write_text(f"19:00:01 reading\n19:00:02 {FAULT}bold.nii: it is truncated.\nCopy it again.\n")
    assert last_words([log], 0) == ("bold.nii: it is truncated.\nCopy it again.", log)
    trace = "Traceback (most recent call last):\n"
    first = f'{trace}  File "a.py", line 1\nKeyError: 1\n\nDuring handling of the above exception, another:\n\n'
    log.write_text(f'19:00:02 {FAULT}the rule failed\n{first}{trace}  File "b.py", line 2\nValueError: no\n')
    assert last_words([log], 0) == ("ValueError: no", log)


def test_a_log_without_a_fault_or_of_an_earlier_run_says_nothing(tmp_path):
    log = tmp_path / "rule.log"
    log.write_text("19:00:01 reading\n")
    assert last_words([tmp_path / "none.log", log], 0) == ("", log)
    log.write_text(f"19:00:02 {FAULT}bold.nii: it is truncated.\n")
    os.utime(log, (100, 100))
    assert last_words([log], 200) == ("", None)


def test_a_job_that_came_through_at_a_later_attempt_has_not_failed(tmp_path):
    handler = FailureHandler()
    for job in (1, 2):
        handler.emit(event("JOB_ERROR", jobid=job, log=[], rule_msg="OUT_OF_MEMORY"))
    assert handler.failed([2, 3]) == {2: ("OUT_OF_MEMORY", None)}


def test_of_a_group_the_job_failed_whose_log_says_so(tmp_path):
    log, cluster = tmp_path / "fit.log", tmp_path / "123.log"
    log.write_text(f"19:00:02 {FAULT}bold.nii: it is truncated.\n")
    cluster.write_text("srun\n")
    jobs = [{"jobid": 1, "log": [str(tmp_path / "read.log")]}, {"jobid": 2, "log": [str(log)]}]
    handler = FailureHandler()
    handler.began = 0
    handler.emit(event("GROUP_ERROR", groupid="glm", aux_logs=[str(cluster)], job_error_info=jobs))
    for job in jobs:  # Snakemake names each of them again
        handler.emit(event("JOB_ERROR", jobid=job["jobid"], log=job["log"], rule_msg=None))
    assert handler.failed([1, 2, 3]) == {2: ("bold.nii: it is truncated.", log)}
    log.write_text("19:00:02 at work\n")  # killed: nobody knows which of them
    assert handler.failed([1, 2, 3]) == {1: ("", cluster), 2: ("", cluster)}
