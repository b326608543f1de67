"""Which runs a BIDS dataset holds, and the metadata that belong to each."""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hyper.errors import DatasetError
from hyper.io.tables import read_json

_BOLD = re.compile(
    r"sub-(?P<subject>[A-Za-z0-9]+)_"
    r"(?P<series>(?:ses-[A-Za-z0-9]+_)?task-[A-Za-z0-9]+(?:_(?:acq|ce|rec|dir|run)-[A-Za-z0-9]+)*)_bold\.nii(?:\.gz)?"
)
_T1W = re.compile(r"sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9]+)*_T1w\.nii(?:\.gz)?")
_LABEL = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True)
class Run:
    """One BOLD run of one subject.

    Attributes
    ----------
    subject : str
        Label without ``sub-``.
    series : str
        The entities between subject and suffix, such as ``task-hyper_run-01``.
    bold, events : Path
        The image and its table of events (which may not exist: see `hyper.dataset.checks`).
    root : Path
        The dataset.
    """

    subject: str
    series: str
    bold: Path
    events: Path
    root: Path

    @property
    def task(self) -> str:
        """Label of the task."""
        return dict(part.split("-", 1) for part in self.series.split("_"))["task"]


def find_runs(root: str | Path, task: str | None = None, subjects: list[str] | None = None) -> list[Run]:
    """Find the BOLD runs of a dataset, with or without sessions, links that were not fetched included.

    Parameters
    ----------
    root : str or Path
        Folder of the dataset.
    task : str, optional
        Label of the task. Needed when there are several.
    subjects : list of str, optional
        Labels to keep; all when not given.

    Returns
    -------
    list of Run
        By subject, then by series.

    Raises
    ------
    DatasetError
        When the folder, a subject, the task or every run is missing.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError(root, "there is no such folder", "Correct dataset.path")
    runs = [run for path in _bold_files(root) if (run := _parse(path, root))]
    _check_unique(runs)
    if not runs:
        raise DatasetError(
            root, "no BOLD run was found", "Name them sub-<label>/func/sub-<label>_task-<task>_bold.nii.gz"
        )
    tasks = sorted({run.task for run in runs})
    if task is None and len(tasks) > 1:
        raise DatasetError(root, f"it holds several tasks ({', '.join(tasks)})", "Set dataset.task to one of them")
    if task is not None and task not in tasks:
        raise DatasetError(root, f"it holds no task {task!r} but {', '.join(tasks)}", "Correct dataset.task")
    runs = [run for run in runs if task in (None, run.task)]
    labels = sorted({run.subject for run in runs})
    missing = [label for label in subjects or [] if label not in labels]
    if missing:
        raise DatasetError(
            root, f"it has no runs of sub-{missing[0]} (but of {', '.join(labels)})", "Correct dataset.subjects"
        )
    return [run for run in runs if subjects is None or run.subject in subjects]


def find_anatomical(root: str | Path, subject: str) -> Path:
    """Return the subject's T1-weighted image (the first by name when there are several).

    Raises
    ------
    DatasetError
        When there is none.
    """
    found = _anatomical(root, subject)
    if not found:
        fault, mend = "the subject has no T1-weighted image", f"Add anat/sub-{subject}_T1w.nii.gz"
        raise DatasetError(Path(root) / f"sub-{subject}", fault, f"{mend}, or set preprocess.via to auto or bold")
    return found[0]


def has_anatomical(root: str | Path, subject: str) -> bool:
    """Whether the subject has a T1-weighted image, fetched or not."""
    return bool(_anatomical(root, subject))


def _anatomical(root: str | Path, subject: str) -> list[Path]:
    folder = Path(root) / f"sub-{subject}"
    found = [*folder.glob("anat/*_T1w.nii*"), *folder.glob("ses-*/anat/*_T1w.nii*")]
    return sorted(path for path in found if _T1W.fullmatch(path.name) and path.name.startswith(f"sub-{subject}_"))


def sidecar_paths(run: Run) -> list[Path]:
    """JSON sidecars that apply to a run, from the root of the dataset down (BIDS inheritance principle)."""
    entities = {f"sub-{run.subject}", *run.series.split("_")}
    folders = [run.root]
    for part in run.bold.parent.relative_to(run.root).parts:
        folders.append(folders[-1] / part)
    paths: list[Path] = []
    for folder in folders:
        applicable = []
        for path in folder.glob("*bold.json"):
            parts = path.name.removesuffix(".json").split("_")
            if parts[-1] == "bold" and set(parts[:-1]) <= entities:
                applicable.append((len(parts), path))
        paths += [path for _, path in sorted(applicable)]
    return paths


def sidecar_of(run: Run) -> dict[str, Any]:
    """Merge the sidecars of a run; the nearest wins."""
    merged: dict[str, Any] = {}
    for path in sidecar_paths(run):
        merged |= read_json(path)
    return merged


def ignored_files(root: str | Path) -> list[Path]:
    """Return folders of subjects and images whose names are not understood, which nothing reads."""
    root = Path(root)
    folders = [path for path in root.glob("sub-*") if path.is_dir() and not _LABEL.fullmatch(path.name[4:])]
    anatomical = [*root.glob("sub-*/anat/*_T1w.nii*"), *root.glob("sub-*/ses-*/anat/*_T1w.nii*")]
    files = [path for path in _bold_files(root) if not _BOLD.fullmatch(path.name)]
    return sorted(folders) + files + sorted(path for path in anatomical if not _T1W.fullmatch(path.name))


def _check_unique(runs: list[Run]) -> None:
    seen: dict[tuple[str, str], Run] = {}
    for run in runs:
        other = seen.setdefault((run.subject, run.series), run)
        if other is not run:
            raise DatasetError(run.bold, f"{other.bold.name} is the same run", "Keep one of them")


def _bold_files(root: Path) -> list[Path]:
    found = []
    for subject in sorted(root.glob("sub-*")):
        if _LABEL.fullmatch(subject.name.removeprefix("sub-")):
            for folder in (subject, *sorted(subject.glob("ses-*"))):
                if (folder / "func").is_dir():
                    found += [Path(entry.path) for entry in os.scandir(folder / "func") if "_bold.nii" in entry.name]
    return sorted(found)


def _parse(path: Path, root: Path) -> Run | None:
    match = _BOLD.fullmatch(path.name)
    if not match:
        return None
    place = path.relative_to(root).parts[:-2]
    due = (f"sub-{match['subject']}", *(part for part in match["series"].split("_") if part.startswith("ses-")))
    if place != due:
        fault = f"its name says {' and '.join(due)}, its folder {' and '.join(place)}"
        raise DatasetError(path, fault, "Move it to the folder of its name, or correct the name")
    stem = path.name.split("_bold.nii")[0]
    return Run(match["subject"], match["series"], path, path.with_name(f"{stem}_events.tsv"), root)
