"""How far a run is: jobs done, jobs at work, time gone and time left, in a line that is printed now and then."""

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

from hyper.doctor.explain import spoken

SHOWN = 3


class Progress:
    """What is known of a run while it goes on.

    Parameters
    ----------
    planned : mapping of str to int
        Jobs to be run, by rule.
    earlier : mapping of str to float
        Mean seconds of a rule's jobs in earlier runs.
    now : float
        Time of the start, in seconds.
    """

    def __init__(self, planned: Mapping[str, int], earlier: Mapping[str, float], now: float) -> None:
        self.left = dict(planned)
        self.total = sum(planned.values())
        self.earlier = earlier
        self.started = now
        self.running: dict[int, tuple[str, str, float]] = {}
        self.took: dict[str, list[float]] = {}
        self.done = 0

    def start(self, job: int, rule: str, whom: str, now: float) -> None:
        """Note that a job began."""
        self.running[job] = (rule, whom, now)

    def end(self, job: int, now: float, well: bool = True) -> None:
        """Note that a job ended; one that failed may come again."""
        rule, _, began = self.running.pop(job, ("", "", now))
        if rule and well:
            self.took.setdefault(rule, []).append(now - began)
            self.left[rule] = max(0, self.left.get(rule, 0) - 1)
            self.done += 1

    def seconds_left(self, now: float) -> float | None:
        """Work that is left over the work done in a second so far; None before the first job is done."""
        finished = [seconds for times in self.took.values() for seconds in times]
        if not finished or now <= self.started:
            return None
        usual = sum(finished) / len(finished)
        means = {rule: sum(times) / len(times) for rule, times in self.took.items()}
        work = sum(number * means.get(rule, self.earlier.get(rule, usual)) for rule, number in self.left.items())
        gone = [now - began for _, _, began in self.running.values()]
        pace = (sum(finished) + sum(gone)) / (now - self.started)
        return max(0.0, work - sum(gone)) / max(pace, 1e-6)

    def line(self, now: float) -> str:
        """Say it all in one line."""
        left = self.seconds_left(now)
        parts = [f"{self.done} of {self.total} jobs done in {spoken(now - self.started)}"]
        if left is not None and self.done < self.total:
            parts.append(f"about {spoken(left)} left")
        oldest = sorted(self.running.values(), key=lambda job: job[2])
        names = [f"{rule} {whom} ({spoken(now - began)})".replace("  ", " ") for rule, whom, began in oldest[:SHOWN]]
        if len(oldest) > SHOWN:
            names.append(f"{len(oldest) - SHOWN} more")
        text = ", ".join(parts)
        return f"== {text}; at work: {', '.join(names)}" if names else f"== {text}"


class ProgressHandler(logging.Handler):
    """Print the line after a job has ended, no more often than every so many seconds.

    Parameters
    ----------
    progress : Progress
    every : float
        Seconds between two lines, at least.
    stream : text file
    clock : callable
    """

    def __init__(
        self,
        progress: Progress,
        every: float = 15.0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(logging.INFO)
        self.progress, self.every, self.stream, self.clock = progress, every, stream, clock
        self.last = -every

    def emit(self, record: logging.LogRecord) -> None:
        """Follow Snakemake's events; what is no event does not count."""
        event = getattr(getattr(record, "event", None), "name", None)
        now, facts = self.clock(), record.__dict__
        if event == "JOB_INFO":
            self.progress.start(facts["jobid"], facts["rule_name"], _whom(facts.get("wildcards")), now)
        elif event == "JOB_FINISHED":
            self.progress.end(facts["job_id"], now)
            if now - self.last >= self.every or self.progress.done == self.progress.total:
                self.last = now
                print(self.progress.line(now), file=self.stream or sys.stderr, flush=True)
        elif event == "JOB_ERROR":
            self.progress.end(facts["jobid"], now, well=False)


def _whom(wildcards: Any) -> str:
    items = dict(wildcards.items()) if wildcards else {}
    return " ".join(f"sub-{value}" if name == "subject" else str(value) for name, value in items.items())
