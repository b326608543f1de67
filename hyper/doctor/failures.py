"""Which jobs of a run failed, by Snakemake's events and the jobs' logs."""

import logging
import re
import time
from collections.abc import Sequence
from pathlib import Path

from hyper.errors import FAULT

_RECORD = re.compile(r"^\d\d:\d\d:\d\d ", flags=re.MULTILINE)


class FailureHandler(logging.Handler):
    """Follow Snakemake's events; whether a job failed for good is known at the end.

    Attributes
    ----------
    logs : dict of int to list of Path
        Jobs of which an attempt failed, by Snakemake's number, with their logs: their own, then those of the cluster.
    told : dict of int to str
        What Snakemake, or the cluster, had to say of them.
    groups : list of set of int
        Jobs that were submitted as one.
    began : float
        When the run began: what is older in a log is of an earlier one.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.logs: dict[int, list[Path]] = {}
        self.told: dict[int, str] = {}
        self.groups: list[set[int]] = []
        self.began = time.time()

    def emit(self, record: logging.LogRecord) -> None:
        """Note the jobs that an event of a failure names."""
        event = getattr(getattr(record, "event", None), "name", None)
        facts = record.__dict__
        if event == "JOB_ERROR":
            if not any(facts["jobid"] in group for group in self.groups):
                self.logs[facts["jobid"]] = list(map(Path, facts.get("log") or []))
            self.told[facts["jobid"]] = str(facts.get("rule_msg") or "")
        elif event == "GROUP_ERROR":
            jobs = facts.get("job_error_info") or []
            shared = list(map(Path, facts.get("aux_logs") or []))
            self.groups.append({job["jobid"] for job in jobs})
            for job in jobs:
                self.logs[job["jobid"]] = [*map(Path, job.get("log") or []), *shared]

    def failed(self, unfinished: Sequence[int]) -> dict[int, tuple[str, Path | None]]:
        """Return the jobs that failed for good, each with the message in its log, or else Snakemake's, and that log.

        Of jobs that were submitted as one, those whose log names a fault; all, where none does.

        Parameters
        ----------
        unfinished : sequence of int
            Jobs that had to run and are not done.
        """
        found = {job: last_words(self.logs[job], self.began) for job in unfinished if job in self.logs}
        for group in self.groups:
            if any(found[job][0] for job in group if job in found):
                found = {job: words for job, words in found.items() if words[0] or job not in group}
        return {job: (words or self.told.get(job, ""), log) for job, (words, log) in found.items()}


def last_words(logs: Sequence[Path], since: float) -> tuple[str, Path | None]:
    """Return what the first log that names a fault says of it, and that log; no words and the last log if none does.

    Parameters
    ----------
    logs : sequence of Path
    since : float
        Time of the start; a log that was not written to since is passed over.
    """
    written = [path for path in logs if path.is_file() and path.stat().st_mtime >= since]
    for path in written:
        if words := _fault_in(path.read_text(encoding="utf-8", errors="replace")):
            return words, path
    return "", written[-1] if written else None


def _fault_in(text: str) -> str:
    """What follows the last mark; of a traceback, the error at its end."""
    _, mark, words = text.rpartition(FAULT)
    if not mark:
        return ""
    words = _RECORD.split(words)[0].strip()
    _, trace, error = words.rpartition("Traceback (most recent call last):\n")
    if not trace:
        return words
    lines = error.splitlines()
    starts = [place for place, line in enumerate(lines) if line and not line.startswith(" ")]
    return "\n".join(lines[starts[0] :]).strip() if starts else words
