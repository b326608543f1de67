"""How long jobs will take, from the benchmark files of earlier runs."""

import csv
import heapq
from collections.abc import Mapping, Sequence
from pathlib import Path


def seconds_of(benchmark: str | Path) -> float | None:
    """Seconds that a job took when it last ran; none if it never did."""
    try:
        with open(benchmark, newline="", encoding="utf-8") as file:
            rows = [float(row["s"]) for row in csv.DictReader(file, delimiter="\t")]
    except (OSError, KeyError, ValueError):
        return None
    return sum(rows) / len(rows) if rows else None


def mean_seconds(folder: Path) -> dict[str, float]:
    """Mean seconds of each rule's jobs, from ``<folder>/<rule>/*.tsv`` and ``<folder>/<rule>.tsv``."""
    found: dict[str, list[float]] = {}
    for path in sorted([*folder.glob("*/*.tsv"), *folder.glob("*.tsv")]):
        rule = path.stem if path.parent == folder else path.parent.name
        if (seconds := seconds_of(path)) is not None:
            found.setdefault(rule, []).append(seconds)
    return {rule: sum(times) / len(times) for rule, times in found.items()}


def makespan(
    seconds: Mapping[str, float],
    threads: Mapping[str, int],
    after: Mapping[str, Sequence[str]],
    cores: int,
) -> float:
    """Seconds from start to end when jobs that are ready start in order, longest first, on so many cores.

    Parameters
    ----------
    seconds, threads : mapping
        Of each job.
    after : mapping
        Jobs that each one waits for; others than those in `seconds` are taken as done.
    cores : int
        Cores that jobs share; a job that asks for more gets all.
    """
    waits = {job: {one for one in after.get(job, ()) if one in seconds} for job in seconds}
    ready = sorted((job for job in seconds if not waits[job]), key=lambda job: seconds[job])
    running: list[tuple[float, int, str]] = []
    now, free, count = 0.0, cores, 0
    while ready or running:
        for job in reversed(ready[:]):
            if min(threads.get(job, 1), cores) <= free:
                ready.remove(job)
                free -= min(threads.get(job, 1), cores)
                count += 1
                heapq.heappush(running, (now + seconds[job], count, job))
        now, _, done = heapq.heappop(running)
        free += min(threads.get(done, 1), cores)
        for job, left in waits.items():
            if done in left:
                left.discard(done)
                if not left:
                    ready.append(job)
        ready.sort(key=lambda job: seconds[job])
    return now
