"""What a run that failed left undone, for whom and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_KINDS = {
    "figure": (".png", ".svg", ".gif", ".html"),
    "table": (".tsv", ".tex"),
    "map": (".nii", ".gz"),
}
SHOWN = 8  # names in a line


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    Attributes
    ----------
    rule : str
    what : str
        Which of the rule's jobs: a run, a decoder; empty where the person says it.
    message : str
        What its log says: the file, what is wrong with it, how to mend it.
    log : Path, optional
    """

    rule: str
    what: str
    message: str
    log: Path | None = None


@dataclass(frozen=True)
class Missing:
    """What is missing of one person, of several alike, or of all together.

    Attributes
    ----------
    subjects : tuple of str
        Empty for what is made of all people's results.
    failures : sequence of Failure
    waiting : mapping of str to int
        Rules that did not run, each with the number of its jobs.
    behind : sequence of str
        Other people whose failures these rules wait for.
    files : sequence of Path
        What the page would show or list and is not there, or is of an earlier run.
    """

    subjects: tuple[str, ...]
    failures: Sequence[Failure] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    behind: Sequence[str] = ()
    files: Sequence[Path] = ()

    @property
    def name(self) -> str:
        """Whom it is about."""
        return people_named(self.subjects) or "All people together"

    @property
    def kinds(self) -> dict[str, list[Path]]:
        """The files by what they are: figures, tables, maps, others."""
        found: dict[str, list[Path]] = {kind: [] for kind in (*_KINDS, "other file")}
        for path in self.files:
            kind = next((kind for kind, endings in _KINDS.items() if path.suffix in endings), "other file")
            found[kind].append(path)
        return {kind: paths for kind, paths in found.items() if paths}

    @property
    def counts(self) -> str:
        """How many files of each kind."""
        return ", ".join(f"{len(paths)} {kind}{'' if len(paths) == 1 else 's'}" for kind, paths in self.kinds.items())

    @property
    def reason(self) -> str:
        """Why the waiting rules did not run."""
        causes = ["it"] if self.failures else []
        causes += [people_named(self.behind)] if self.behind else []
        return f"for want of what {' and '.join(causes)} did not give" if causes else "the run ended before their turn"


def without_failures(subjects: Sequence[str], missing: Sequence[Missing]) -> list[str]:
    """People none of whose own jobs failed."""
    affected = {subject for item in missing if item.failures for subject in item.subjects}
    return [subject for subject in subjects if subject not in affected]


def not_whole(missing: Sequence[Missing]) -> str:
    """Whose results are not whole by a failure; the people who only wait for others are not named."""
    people = [subject for item in missing if item.failures for subject in item.subjects]
    together = ["all people together"] if any(not item.subjects for item in missing) else []
    return " and of ".join(filter(None, [people_named(people), *together]))


def people_named(subjects: Sequence[str]) -> str:
    """Name people, the first few where there are many."""
    named = [f"sub-{subject}" for subject in subjects[:SHOWN]]
    return ", ".join(named) + (f" and {len(subjects) - SHOWN} others" if len(subjects) > SHOWN else "")
