"""Write the study's page (rule write_report)."""

from _rule import run  # isort: skip

import logging
import re
from itertools import islice
from pathlib import Path

from hyper.io.atomic import write_text
from hyper.report.page import render_page
from hyper.report.provenance import collect_versions, expand_folders
from hyper.report.sources import FigureFile, Sources
from hyper.settings.root import Settings


def main(job):
    subjects, decoders = job.params.subjects, job.params.decoders
    decoders_of, shown_of = (
        {subject: each[part] for subject, each in job.params.predictors.items()} for part in ("decoders", "shown")
    )
    sources = Sources(
        study=job.params.settings["study"]["name"],
        folder=Path(job.output.page).parents[1],
        subjects=subjects,
        decoders=decoders,
        trials=dict(zip(subjects, map(Path, job.input.trials), strict=bool(job.input.trials))),
        settings=job.params.settings,
        defaults={name: field.default.model_dump(mode="json") for name, field in Settings.model_fields.items()},
        versions=collect_versions(),
        figures=figures_of(job),
        decoders_of=decoders_of,
        shown_of=shown_of,
        images=by_subject(job.input.images, shown_of),
        latents=by_subject(job.input.latents, decoders_of),
        choices=dict(zip(subjects, map(Path, job.input.choices), strict=False)),
        selections=dict(zip(subjects, map(Path, job.input.selections), strict=False)),
        audits=dict(zip(subjects, map(Path, job.input.audits), strict=False)),
        ceilings=dict(zip(subjects, map(Path, job.input.ceilings), strict=False)),
        features=list(map(Path, job.input.features)),
        metrics=next(map(Path, job.input.scores), None),
        table1=next(map(Path, job.input.table1), None),
        animations=dict(zip(subjects, map(Path, job.input.animations), strict=False)),
        attributes=next(map(Path, job.input.attribute_table), None),
        truth=next(map(Path, job.input.truth), None),
        over_time={
            path.parent.name.removeprefix("sub-"): (path, *others)
            for path, *others in zip(
                *(
                    map(Path, files)
                    for files in (job.input.time_curves, job.input.time_latencies, job.input.time_animations)
                ),
                strict=True,
            )
        },
        maps={path.parent.name.removeprefix("sub-"): path for path in map(Path, job.input.maps)},
        encodings={path.parent.name.removeprefix("sub-"): path for path in map(Path, job.input.shares)},
        files=expand_folders(job.input.files),
    )
    page = render_page(sources)
    write_text(job.output.page, page)
    logging.info("%s: %.1f MB", job.output.page, len(page) / 1e6)


def figures_of(job):
    found = []
    for kind in job.params.kinds:
        for path in map(Path, getattr(job.input, kind)):
            owner = re.search(r"sub-([A-Za-z0-9]+)", str(path.relative_to(Path(job.output.page).parents[1])))
            svg = () if kind == "flicker" else (path.with_suffix(".svg"),)
            shown, others = (svg[0], (path,)) if kind == "metrics" else (path, svg)
            found.append(FigureFile(kind, shown, owner[1] if owner else None, others))
    return found


def by_subject(paths, decoders_of):
    """The flat list of a rule's input, decoders of a subject together, as a list per subject."""
    rest = map(Path, paths)
    return {subject: list(islice(rest, len(decoders))) for subject, decoders in decoders_of.items()} if paths else {}


if __name__ == "__main__":
    run(main)
