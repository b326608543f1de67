"""The page's sources, from the files that the study names for it: all of them, or those that are there so far."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hyper.report.checksums import expand_folders
from hyper.report.provenance import collect_versions
from hyper.report.sources import FigureFile, Sources

Files = Mapping[str, Sequence[str]]


def gather_sources(
    files: Files,
    params: Mapping[str, Any],
    folder: Path,
    defaults: Mapping[str, Any],
    made: Callable[[str], bool] = lambda path: True,
) -> Sources:
    """Sort the files of a page by what they show and by person.

    Parameters
    ----------
    files : mapping of str to sequence of str
        By role, as rule write_report names them, and as ``files`` all deliverables; they lie below `folder`, those of a
        person below or as ``sub-...``.
    params : mapping
        Its parameters: settings, subjects, decoders, predictors (of each subject: decoders, shown), kinds of figures.
    folder : Path
        The study's results.
    defaults : mapping
        Every setting's default.
    made : callable
        Whether a file is there. What takes several files is shown of those people who have them all.
    """
    subjects, predictors = params["subjects"], params["predictors"]

    def own(*roles: str) -> dict[str, list[list[Path]]]:
        return _complete([_by_subject(files[role], folder) for role in roles], made)

    def one(role: str) -> Path | None:
        return next((Path(path) for path in files[role] if made(path)), None)

    faces, curves = own("images", "latents"), own("time_curves", "time_latencies", "time_animations")
    responses = own("selections", "audits", "ceilings")
    return Sources(
        study=params["settings"]["study"]["name"],
        folder=folder,
        subjects=subjects,
        decoders=params["decoders"],
        trials=_first(own("trials")),
        settings=params["settings"],
        defaults=defaults,
        versions=collect_versions(),
        figures=_figures(files, params["kinds"], folder, made),
        decoders_of={subject: each["decoders"] for subject, each in predictors.items()},
        shown_of={subject: each["shown"] for subject, each in predictors.items()},
        images={subject: images for subject, (images, _) in faces.items()},
        latents={subject: latents for subject, (_, latents) in faces.items()},
        choices=_first(own("choices")),
        selections=_first(responses),
        audits=_first(responses, 1),
        ceilings=_first(responses, 2),
        features=[Path(path) for path in files["features"] if made(path)],
        metrics=one("scores"),
        table1=one("table1"),
        animations=_first(own("animations")),
        attributes=one("attribute_table"),
        truth=one("truth"),
        over_time={subject: tuple(path for (path,) in paths) for subject, paths in curves.items()},
        maps=_first(own("maps")),
        encodings=_first(_encodings(files, folder, made)),
        files=expand_folders(path for path in files["files"] if made(path)),
    )


def _by_subject(paths: Sequence[str], folder: Path) -> dict[str, list[Path]]:
    """Files by the person that their names within the study name; those of all people are left out."""
    found: dict[str, list[Path]] = {}
    for path in map(Path, paths):
        if owner := _owner(path, folder):
            found.setdefault(owner, []).append(path)
    return found


def _owner(path: Path, folder: Path) -> str | None:
    found = re.search(r"sub-([A-Za-z0-9]+)", str(path.relative_to(folder)))
    return found[1] if found else None


def _complete(roles: list[dict[str, list[Path]]], made: Callable[[str], bool]) -> dict[str, list[list[Path]]]:
    """The files of every role, of the people who have all of all."""
    people = [name for name in roles[0] if all(name in role for role in roles)]
    found = {name: [role[name] for role in roles] for name in people}
    return {name: each for name, each in found.items() if all(made(str(path)) for paths in each for path in paths)}


def _first(people: Mapping[str, Sequence[Sequence[Path]]], role: int = 0) -> dict[str, Path]:
    return {subject: paths[role][0] for subject, paths in people.items()}


def _encodings(files: Files, folder: Path, made: Callable[[str], bool]) -> dict[str, list[list[Path]]]:
    """The tables of shares, beside which the page reads others of the same person's encoding models."""
    beside = [path for path in files["files"] if Path(path).relative_to(folder).parts[0] == "encoding"]
    return _complete([_by_subject(files["shares"], folder), _by_subject(beside, folder)], made)


def _figures(files: Files, kinds: Sequence[str], folder: Path, made: Callable[[str], bool]) -> list[FigureFile]:
    found = []
    for kind in kinds:
        for path in (Path(path) for path in files[kind] if made(path)):
            svg = [] if kind == "flicker" else [path.with_suffix(".svg")]
            shown, others = (svg[0], [path]) if kind == "metrics" else (path, svg)
            found.append(FigureFile(kind, shown, _owner(path, folder), tuple(others)))
    return found
