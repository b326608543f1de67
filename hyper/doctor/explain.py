"""The plan of a run in words: which jobs, for whom, why each, and how long they will take."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hyper.doctor.duration import makespan, mean_seconds, seconds_of

FOLLOWS = "their input is made anew by jobs above"


@dataclass
class PlannedJob:
    """A job that would run.

    Parameters
    ----------
    key : str
        What tells it from the others.
    rule, subject, what : str
        Its rule, its subject (empty for all) and what else its wildcards say (a run, a decoder).
    reasons : list of str
        Why it runs; empty when only jobs before it are the cause.
    after : list of str
        Keys of the jobs that it waits for.
    benchmark : str or None
        Where the time of its last run stands.
    """

    key: str
    rule: str
    subject: str
    what: str
    reasons: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    threads: int = 1
    benchmark: str | None = None


def explain(jobs: Sequence[PlannedJob], total: int, results: Path, cores: int) -> Iterator[str]:
    """Yield the lines of the plan: reasons in the order of the flow, under each the rules it sets going.

    Parameters
    ----------
    jobs : sequence of PlannedJob
        In the order of the flow.
    total : int
        Jobs of the study, those that are done among them.
    results : Path
        The study's results, with ``benchmarks`` of earlier runs.
    cores : int
        Cores that the jobs share.
    """
    if not jobs:
        yield f"Nothing to be done: all {total} jobs of {results.name} are up to date."
        return
    yield f"{len(jobs)} of {total} jobs of {results.name} would run."
    groups: dict[str, list[PlannedJob]] = {}
    for job in jobs:
        for reason in job.reasons or [FOLLOWS]:
            groups.setdefault(reason, []).append(job)
    if FOLLOWS in groups:
        groups[FOLLOWS] = groups.pop(FOLLOWS)
    for reason, members in groups.items():
        yield ""
        yield f"Because {reason}:"
        yield from _table(members)
    yield ""
    yield from _estimate(jobs, results / "benchmarks", cores)


def _table(jobs: Sequence[PlannedJob]) -> Iterator[str]:
    by_rule: dict[str, list[PlannedJob]] = {}
    for job in jobs:
        by_rule.setdefault(job.rule, []).append(job)
    width = max(map(len, by_rule))
    for rule, members in by_rule.items():
        whom = _listed([f"sub-{subject}" for subject in dict.fromkeys(job.subject for job in members) if subject])
        what = _listed(list(dict.fromkeys(job.what for job in members if job.what)))
        yield f"  {rule:<{width}} {len(members):>4}  {'; '.join(part for part in (whom, what) if part)}".rstrip()


def _listed(names: Sequence[str], most: int = 4) -> str:
    shown = list(names) if len(names) <= most else [*names[: most - 2], "...", names[-1]]
    return ", ".join(shown) + (f" ({len(names)})" if len(names) > most else "")


def _estimate(jobs: Sequence[PlannedJob], benchmarks: Path, cores: int) -> Iterator[str]:
    means = mean_seconds(benchmarks)
    seconds: dict[str, float] = {}
    unknown: dict[str, int] = {}
    for job in jobs:
        known = seconds_of(job.benchmark) if job.benchmark else None
        if known is None and job.rule not in means:
            unknown[job.rule] = unknown.get(job.rule, 0) + 1
        else:
            seconds[job.key] = means[job.rule] if known is None else known
    if not seconds:
        yield "How long: unknown, since none of these rules has run in this study yet."
        return
    threads = {job.key: job.threads for job in jobs}
    wall = makespan(seconds, threads, {job.key: job.after for job in jobs}, cores)
    plural = "core" if cores == 1 else "cores"
    work = spoken(sum(seconds.values()))
    yield f"How long: about {spoken(wall)} on {cores} {plural} ({work} of work), by the times of earlier runs."
    if unknown:
        yield f"Not counted, since they never ran here: {_counts(unknown)}."


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} ({number})" for rule, number in numbers.items())


def spoken(seconds: float) -> str:
    """Say a length of time in its two largest units."""
    whole = max(1, round(seconds))
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def code_reason(before: Mapping[str, Any] | None, now: Mapping[str, Any], rule: str) -> str:
    """Say which files of code differ between two sets of fingerprints."""
    if before is None:
        return f"code of {rule} changed"
    changed = [path for path in now if path in before and before[path] != now[path]]
    parts = [f"{path} changed" for path in changed]
    parts += [f"{path} is used now" for path in now if path not in before]
    parts += [f"{path} is used no more" for path in before if path not in now]
    return _listed(parts) or f"code of {rule} changed"
