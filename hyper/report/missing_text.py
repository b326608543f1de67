"""What is missing, in lines for a terminal and for the page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hyper.report.missing import SHOWN, Missing, people_named, without_failures
from hyper.report.sources import Sources

SILENT = "its log says nothing of it: it may have been stopped, for its memory or its time"


def missing_lines(missing: Sequence[Missing], unhurt: Sequence[str], page: Path | None) -> Iterator[str]:
    """Say what is missing in plain text.

    Parameters
    ----------
    missing : sequence of Missing
    unhurt : sequence of str
        People none of whose own jobs failed.
    page : Path, optional
        Where the page of what is there lies.
    """
    yield "== What is missing"
    for item in missing:
        yield f"{item.name}:"
        for failure in item.failures:
            yield f"  {failure.rule} {failure.what}".rstrip() + " failed"
            for line in failure.message.splitlines() or [SILENT]:
                yield f"    {line}"
            if failure.log:
                yield f"    log: {failure.log}"
        if item.waiting:
            jobs = sum(item.waiting.values())
            yield f"  not run ({jobs} job{'' if jobs == 1 else 's'}), {item.reason}: {_few(item.waiting)}"
        if item.files:
            yield f"  not made: {item.counts}"
    yield f"Nothing failed of {people_named(unhurt)}." if unhurt else "Something failed of everybody."
    if page:
        yield f"What is there, and what is missing: {page}"
    yield "Mend the cause and run the same command again: only what is missing is made."


def missing_content(sources: Sources) -> dict[str, Any] | None:
    """What the page's section says."""
    if not sources.missing:
        return None
    people = []
    for item in sources.missing:
        logs = [_link(sources, failure.log) for failure in item.failures]
        names = {kind: [sources.name_of(path) for path in paths] for kind, paths in item.kinds.items()}
        people.append({"item": item, "failures": list(zip(item.failures, logs, strict=True)), "names": names})
    unhurt = people_named(without_failures(sources.subjects, sources.missing))
    earlier = (sources.folder / "report/index.html").exists()
    return {
        "people": people,
        "unhurt": unhurt,
        "scored": sources.metrics is not None,
        "earlier": earlier,
        "silent": SILENT,
    }


def _link(sources: Sources, log: Path | None) -> str:
    """Address of a log of a rule; those of a cluster lie elsewhere."""
    return sources.link(log) if log and log.resolve().is_relative_to(sources.folder.resolve()) else ""


def _few(rules: Mapping[str, int]) -> str:
    names = list(rules)
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
