"""The end of a run that failed: say what is missing, and write a page of what is there."""

import re
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hyper.doctor.failures import FailureHandler
from hyper.report.checksums import deliverables_of
from hyper.report.missing import Failure, Missing, without_failures
from hyper.report.missing_text import missing_lines

PAGE, SCORES = "report/partial.html", "report/partial_metrics.tsv"


@dataclass
class Undone:
    """The jobs that had to run and are not done.

    Attributes
    ----------
    jobs : list
        Snakemake's, in the order of the flow.
    failed : mapping
        Those that failed, each with its message and its log.
    causes : mapping
        For every job, the failed jobs that it follows from.
    """

    jobs: list[Any]
    failed: Mapping[Any, tuple[str, Path | None]]
    causes: Mapping[Any, set[Any]]

    @classmethod
    def of(cls, dag: Any, failures: FailureHandler) -> "Undone":
        """Take them from Snakemake's graph at the end of a run."""
        jobs = [job for level in dag.toposorted() for job in sorted(level, key=_name) if _undone(dag, job)]
        numbers = {dag.jobid(job): job for job in jobs}
        failed = {numbers[number]: words for number, words in failures.failed(list(numbers)).items()}
        causes: dict[Any, set[Any]] = {}
        for job in jobs:
            above = [causes[one] for one in dag.dependencies[job] if one in causes]
            causes[job] = set().union({job} if job in failed else set(), *above)
        return cls(jobs, failed, causes)

    def missing(self, wanted: set[str]) -> list[Missing]:
        """What is missing: of each person of whom a job failed, of others who lack the same, of all together.

        Parameters
        ----------
        wanted : set of str
            Files worth naming.
        """
        people = sorted({_person(job) or "" for job in self.jobs})
        alike: dict[Any, list[Missing]] = {}
        for item in (self._of(person, wanted) for person in people):
            key = item.subjects if item.failures else (frozenset(item.waiting.items()), tuple(item.behind))
            alike.setdefault(key, []).append(item)
        joined = [
            replace(
                items[0],
                subjects=sum((item.subjects for item in items), ()),
                waiting=sum((Counter(item.waiting) for item in items), Counter()),
                files=[path for item in items for path in item.files],
            )
            for items in alike.values()
        ]
        return sorted(joined, key=lambda item: (not item.subjects, not item.failures))

    def _of(self, person: str, wanted: set[str]) -> Missing:
        own = [job for job in self.jobs if _person(job) == person]
        told = [Failure(job.rule.name, _what(job), *self.failed[job]) for job in own if job in self.failed]
        blamed = {_person(cause) for job in own for cause in self.causes[job]} - {person, ""}
        files = [Path(path) for job in own for path in job.output if str(path) in wanted]
        waiting = Counter(job.rule.name for job in own if job not in self.failed)
        return Missing((person,) if person else (), told, waiting, sorted(blamed), sorted(files))


def tell_what_is_missing(workflow: Any, failures: FailureHandler, subjects: list[str], results: Path) -> None:
    """Print what is missing after a run that failed, and write the page of what is there in the page's place.

    Parameters
    ----------
    workflow : snakemake.workflow.Workflow
        At the end of the run.
    failures : FailureHandler
        Has followed the run.
    subjects : list of str
    results : Path
        The study's folder.
    """
    _remove_page(results)
    undone = Undone.of(workflow.dag, failures)
    if not undone.failed:  # interrupted
        return
    by_rule = {job.rule.name: job for job in undone.jobs}
    report = by_rule.get("write_report")
    kept = deliverables_of(path for job in workflow.dag.jobs if job.rule.name == "sum_files" for path in job.input)
    roles = [paths for role, paths in report.input.items() if role != "checksums"] if report else []
    asked = (path for paths in roles or [job.output for job in undone.jobs] for path in paths)
    missing = undone.missing({*map(str, asked), *kept})
    page, remark = None, ""
    if report:
        try:
            page = _write_page(report, kept, by_rule.get("gather_metrics"), undone, missing, results)
        except Exception as fault:  # whatever it is, what is missing must be said
            remark = f"The page of what is there could not be written: {type(fault).__name__}: {fault}"
    for line in (*missing_lines(missing, without_failures(subjects, missing), page), *filter(None, [remark])):
        print(line, file=sys.stderr)
    sys.stderr.flush()


def forget_what_was_missing(workflow: Any, results: Path) -> None:
    """Remove the page of an earlier run that failed, after a run that had the whole page to care for."""
    if "write_report" in (job.rule.name for job in workflow.dag.jobs):
        _remove_page(results)


def _write_page(
    report: Any, kept: list[str], gather: Any, undone: Undone, missing: list[Missing], results: Path
) -> Path:  # fmt: skip
    """Write the page without what is not made, with the scores of those people who have all of theirs."""
    # what draws and reads tables takes a second to import, which no other run needs to wait for
    from hyper.evaluation.gathered import gathered_metrics
    from hyper.io.atomic import write_text
    from hyper.io.tables import write_table
    from hyper.report.gather import gather_sources
    from hyper.report.page import render_page
    from hyper.settings.root import default_tree

    stale = {str(path) for job in undone.jobs for path in job.output}

    def made(path: str) -> bool:
        return path not in stale and Path(path).exists()

    files = {role: list(map(str, paths)) for role, paths in report.input.items()} | {"files": kept}
    sources = gather_sources(files, dict(report.params.items()), results, default_tree(), made)
    if gather:
        tables: dict[str, list[str]] = {}
        for path in map(str, gather.input.metrics):
            tables.setdefault(re.sub(r".*/sub-([A-Za-z0-9]+)_.*", r"\1", path), []).append(path)
        whole = [path for paths in tables.values() if all(map(made, paths)) for path in paths]
        if whole:
            write_table(results / SCORES, gathered_metrics(whole, gather.params.study, gather.params.cfg))
            sources = replace(sources, metrics=results / SCORES)
    write_text(results / PAGE, render_page(replace(sources, missing=missing)))
    return results / PAGE


def _remove_page(results: Path) -> None:
    for name in (PAGE, SCORES):
        (results / name).unlink(missing_ok=True)


def _undone(dag: Any, job: Any) -> bool:
    return bool(dag.needrun(job)) and not dag.finished(job) and not job.is_norun


def _person(job: Any) -> str:
    return str(dict(job.wildcards.items()).get("subject", ""))


def _name(job: Any) -> str:
    return repr((job.rule.name, sorted(job.wildcards.items())))


def _what(job: Any) -> str:
    return " ".join(str(value) for name, value in job.wildcards.items() if name != "subject")
