"""The sections of the page: each gathers what its template prints, or is absent."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from hyper.io.tables import read_json, read_table
from hyper.report.appendix import files_content, settings_content
from hyper.report.attributes import attribute_table, read_attributes
from hyper.report.choice import choice_overview
from hyper.report.encoding import encoding_people
from hyper.report.faces import FaceRow, cosine_label, read_faces
from hyper.report.implants import over_time_content, regional_content
from hyper.report.layer_text import layer_sentences, layer_tables
from hyper.report.methods import cited, methods_paragraphs
from hyper.report.metrics import read_metrics
from hyper.report.missing import not_whole
from hyper.report.missing_text import missing_content
from hyper.report.names import predictor_label, spell_out
from hyper.report.reliability import audit_words, ceiling_table
from hyper.report.scores import Cell, Table, every_number, headline, overview, trivial_note
from hyper.report.separation import separation_notes
from hyper.report.sources import FigureFile, Sources, embed, embed_animation, embed_picture
from hyper.report.table1 import printed_table, read_table_one
from hyper.report.truth import truth_overview, truth_rows

BLOCK = 12  # faces side by side on the page


@dataclass(frozen=True)
class Section:
    """A section of the page: `key` names its template and its anchor."""

    key: str
    title: str
    content: dict[str, Any]


def build_sections(sources: Sources) -> tuple[list[Section], list[str]]:
    """Build every section that has data.

    Returns
    -------
    sections : list of Section
    absent : list of str
        Titles of those left out for lack of data.
    """
    sections, absent = [], []
    for key, title, build in _ORDER:
        content = build(sources)
        if content is not None:
            sections.append(Section(key, title, content))
        elif key not in _OPTIONAL:
            absent.append(title)
    return sections, absent


def _metrics(sources: Sources) -> pd.DataFrame | None:
    if sources.metrics is None:
        return None
    table = read_metrics(sources.metrics)
    return None if table.empty else table


def _summary(sources: Sources) -> dict[str, Any]:
    table = _metrics(sources)
    readings = {subject: read_json(path) for subject, path in sources.trials.items()}
    counts = [item.get("counts", {}) for item in readings.values()]
    one, many = ("animal", "animals") if sources.implanted else ("person", "people")
    facts = [f"{len(sources.subjects)} {one if len(sources.subjects) == 1 else many}"]
    runs = sum(len(item.get("repetition_time", {})) for item in readings.values())
    trials = sum(sum(count.values()) for count in counts)
    if sources.trials:
        facts.append(f"{runs} {'run' if runs == 1 else 'runs'}, {trials:,} trials")
    if sources.whole and sources.decoders:
        facts.append(f"{len(sources.decoders)} {'decoder' if len(sources.decoders) == 1 else 'decoders'}")
    facts.append("simulated data" if sources.simulated else "measured data")
    return {
        "facts": facts,
        "headline": headline(table, sources.decoders) if table is not None else [],
        "note": trivial_note(table, sources.decoders) if table is not None else [],
        "readings": sum(len(sentences) for _, sentences in _merged_readings(readings)),
        "viewer": "an animal" if sources.implanted else "a person",
        "simulated": sources.simulated,
        "whole": sources.whole,
        "not_whole": not_whole(sources.missing),
    }


def _faces(sources: Sources) -> dict[str, Any] | None:
    if not sources.images:
        return None
    most = sources.settings.get("report", {}).get("faces", {}).get("most", 36)
    people = []
    for subject, images in sources.images.items():
        shown = sources.shown_of.get(subject) or sources.decoders_of.get(subject, sources.decoders)
        latents = [*sources.latents[subject], *[None] * (len(shown) - len(sources.latents[subject]))]
        rows = read_faces(images, latents, shown, most)
        ids = rows[0].ids
        blocks = [_face_block(rows, range(start, min(start + BLOCK, len(ids)))) for start in range(0, len(ids), BLOCK)]
        print_versions = [figure for figure in sources.figures_of("faces") if figure.subject == subject]
        people.append({"subject": subject, "blocks": blocks, "print": _links(sources, print_versions)})
    alt = "Test stimuli, and below them what was reconstructed of every person by the first decoder and each baseline."
    return {"people": people, "figures": _pictures(sources, "reconstructions", alt)}


def _face_block(rows: list[FaceRow], places: range) -> dict[str, Any]:
    ids = [rows[0].ids[place] for place in places]
    stimuli = [
        {"src": embed_picture(rows[0].stimuli[place]), "alt": f"Stimulus {name}", "under": name}
        for place, name in zip(places, ids, strict=True)
    ]
    lines = [{"label": "Stimulus", "cells": stimuli}]
    for row in rows:
        label = predictor_label(row.decoder)
        cells = []
        for place, name in zip(places, ids, strict=True):
            cosine = cosine_label(row.cosines[place])
            alt = f"Stimulus {name} as reconstructed by {label}" + (f"; latent cosine {cosine}" if cosine else "")
            cells.append({"src": embed_picture(row.reconstructions[place]), "alt": alt, "under": cosine})
        lines.append({"label": label, "cells": cells})
    return {"lines": lines}


def _data(sources: Sources) -> dict[str, Any] | None:
    if not sources.trials:
        return None
    readings = {subject: read_json(path) for subject, path in sources.trials.items()}
    splits = list(dict.fromkeys(name for item in readings.values() for name in item.get("counts", {})))
    order = {name: place for place, name in enumerate(("train", "test", "null", "unassigned"))}
    splits.sort(key=lambda name: order.get(name, 9))
    rows = []
    for subject, item in readings.items():
        times = item.get("repetition_time", {})
        seconds = ", ".join(f"{value:g}" for value in sorted(set(times.values())))
        counts = [item.get("counts", {}).get(name, 0) for name in splits]
        rows.append([Cell(f"sub-{subject}"), Cell(str(len(times))), Cell(seconds), *(Cell(f"{n:,}") for n in counts)])
    names = {"train": "Training trials", "test": "Test trials", "null": "Null trials", "unassigned": "Trials"}
    columns = [("Person", ""), ("Runs", ""), ("Repetition time (s)", "")]
    columns += [(names.get(name, spell_out(name)), "") for name in splits]
    return {"readings": _merged_readings(readings), "table": Table(columns, rows)}


def _merged_readings(readings: dict[str, dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Sentences that hold for all, then those of each person."""
    lists = {subject: [str(text) for text in item.get("readings", [])] for subject, item in readings.items()}
    common = [text for text in next(iter(lists.values()), []) if all(text in own for own in lists.values())]
    groups = [("All people" if len(lists) > 1 else f"sub-{next(iter(lists), '')}", common)]
    groups += [(f"sub-{subject}", [text for text in own if text not in common]) for subject, own in lists.items()]
    return [(who, texts) for who, texts in groups if texts]


def _scores(sources: Sources) -> dict[str, Any] | None:
    table = _metrics(sources)
    if table is None:
        return None
    alt = "Dot plot of every metric by decoder and trivial predictor; the tables below hold the same numbers."
    return {
        "figures": _pictures(sources, "metrics", alt),
        "separation": separation_notes(sources.features),
        "overview": overview(table, sources.decoders),
        "table1": printed_table(read_table_one(sources.table1)) if sources.table1 else None,
        "table1_links": _table1_links(sources),
        "every": every_number(table, sources.decoders),
        "link": sources.link(sources.metrics) if sources.metrics else "",
    }


def _regional(sources: Sources) -> dict[str, Any] | None:
    return regional_content(sources, _metrics(sources), _pictures)


def _over_time(sources: Sources) -> dict[str, Any] | None:
    return over_time_content(sources, _pictures)


def _table1_links(sources: Sources) -> list[tuple[str, str]]:
    if sources.table1 is None or sources.share:
        return []
    return [
        (path.suffix[1:].upper(), sources.link(path)) for path in (sources.table1, sources.table1.with_suffix(".tex"))
    ]


def _interpolations(sources: Sources) -> dict[str, Any] | None:
    figures = "Attributes of the faces seen by {0} and decoded, and the way from one to the other, row by row."
    found = _pictures(sources, "interpolations", figures)
    moving = []
    for subject, path in sources.animations.items():
        motion, still = embed_animation(path)
        decoder = predictor_label(sources.decoders_of.get(subject, sources.decoders)[0])
        alt = f"Faces of sub-{subject} that turn from those decoded ({decoder}) into those seen, and back"
        links = _links(sources, [FigureFile("interpolations", path, subject)])
        moving.append({"subject": subject, "motion": motion, "still": still, "alt": alt, "links": links})
    return {"figures": found, "moving": moving} if found or moving else None


def _attributes(sources: Sources) -> dict[str, Any] | None:
    if sources.attributes is None:
        return None
    table = read_attributes(sources.attributes)
    edits = "A face moved along each attribute in both directions, one attribute a row."
    scores = "Correlation of the attributes of seen and decoded faces of {} by decoder; below, scores of every face."
    return {
        "edits": _pictures(sources, "edits", edits),
        "figures": _pictures(sources, "attributes", scores),
        "table": attribute_table(table, sources.decoders_of or dict.fromkeys(sources.subjects, sources.decoders)),
        "without": "boundary" not in set(table["directions"]),
        "link": sources.link(sources.attributes),
    }


def _choice(sources: Sources) -> dict[str, Any] | None:
    if not sources.choices:
        return None
    return choice_overview({subject: read_table(path) for subject, path in sources.choices.items()})


def _figures_only(kinds: dict[str, str]) -> Callable[[Sources], dict[str, Any] | None]:
    """Make the builder of a section that holds figures alone; {} in an alternative text becomes the subject."""

    def build(sources: Sources) -> dict[str, Any] | None:
        allowed = {kind: alt for kind, alt in kinds.items() if kind not in _withheld(sources)}
        figures = [picture for kind, alt in allowed.items() for picture in _pictures(sources, kind, alt)]
        figures.sort(key=lambda picture: list(sources.subjects).index(picture["subject"]))
        return {"figures": figures, "withheld": len(allowed) < len(kinds)} if figures else None

    return build


def _withheld(sources: Sources) -> set[str]:
    """Kinds of figures that a report meant for sharing leaves out: those with anatomy outside the brain.

    Where nothing extracted the brain, no picture of the anatomy is known to be free of the face.
    """
    if not sources.share:
        return set()
    method = sources.settings.get("preprocess", {}).get("brain", {}).get("method", "none")
    return {"brain"} | ({"registration", "flicker"} if method == "none" else set())


def _pictures(sources: Sources, kind: str, alt: str) -> list[dict[str, Any]]:
    return [
        {
            "src": embed(figure),
            "alt": alt.format(f"sub-{figure.subject}"),
            "name": figure.path.stem.rpartition("_")[0],
            "subject": figure.subject,
            "kind": kind,
            "drawing": kind in ("metrics", "motion", "training", "curves", "regional"),
            "links": _links(sources, [figure]),
        }
        for figure in sources.figures_of(kind)
    ]


def _links(sources: Sources, figures: list[FigureFile]) -> list[tuple[str, str]]:
    """Format and address of every file of the figures, for print."""
    paths = [path for figure in figures for path in dict.fromkeys((figure.path, *figure.others))]
    return [(path.suffix[1:].upper(), sources.link(path)) for path in sorted(paths, key=str) if not sources.share]


def _reliability(sources: Sources) -> dict[str, Any] | None:
    if not sources.audits and not sources.ceilings:
        return None
    people = [
        {"subject": subject, "chosen": read_json(sources.selections[subject])["in_words"], "audit": audit_words(path)}
        for subject, path in sources.audits.items()
    ]
    return {
        "people": people,
        "table": ceiling_table(sources.ceilings) if sources.ceilings else None,
        "figures": [picture for kind, alt in _RELIABILITY.items() for picture in _pictures(sources, kind, alt)],
    }


_RELIABILITY = {
    "ceiling": "Noise-ceiling signal-to-noise ratio of {} on slices of the template brain; coordinates in MNI mm.",
    "reliability": "Histograms of noise ceiling and reliability of {} over the brain's and the active voxels.",
}


def _truth(sources: Sources) -> dict[str, Any] | None:
    if sources.truth is None:
        return None
    table = read_table(sources.truth, dtype={"subject": str, "series": str, "quantity": str, "unit": str})
    if table.empty:
        return None
    return {"overview": truth_overview(table), "every": truth_rows(table), "link": sources.link(sources.truth)}


def _layers(sources: Sources) -> dict[str, Any] | None:
    if not sources.maps:
        return None
    alts = {
        "layers": "Layer with the largest effect in each voxel of {}, on slices of the template brain, MNI mm.",
        "surface": "The same layers of {} on the inflated cortical surface.",
        "regions": "Activation similarity of each layer, and share of each layer by region, of {}.",
    }
    people = []
    for subject, path in sources.maps.items():
        figures = [item for kind, alt in alts.items() for item in _pictures(sources, kind, alt)]
        table, regions = layer_tables(path.with_name(f"sub-{subject}_layers.tsv"), path.with_name("regions.tsv"))
        page = sources.folder / f"report/figures/sub-{subject}_surface.html"
        people.append(
            {
                "subject": subject,
                "sentences": layer_sentences(read_json(path)),
                "figures": [item for item in figures if item["subject"] == subject],
                "table": table,
                "regions": regions,
                "link": sources.link(page),
            }
        )
    return {"people": people}


def _encoding(sources: Sources) -> dict[str, Any] | None:
    if not sources.encodings:
        return None
    alts = {
        "encoding": "Share of the channels of {} that each feature predicts best, and correlations, by region.",
        "encodingmap": "Feature that predicts each voxel or channel of {} best, where it lies.",
    }
    figures = [item for kind, alt in alts.items() for item in _pictures(sources, kind, alt)]
    method = sources.settings.get("encoding", {}).get("method", "published")
    return {"people": encoding_people(sources.encodings, figures), "method": method}


def _methods(sources: Sources) -> dict[str, Any]:
    paragraphs, references = cited(methods_paragraphs(sources.settings, len(sources.subjects)))
    return {"paragraphs": paragraphs, "references": references}


# sections whose absence says nothing
_OPTIONAL = (
    "missing", "truth", "maps", "files", "choice", "training", "interpolations", "reliability", "layers",
    "attributes", "encoding", "regional", "over_time",
)  # fmt: skip
_ORDER: list[tuple[str, str, Callable[[Sources], dict[str, Any] | None]]] = [
    ("summary", "Summary", _summary),
    ("missing", "What is missing", missing_content),
    ("faces", "Faces, seen and reconstructed", _faces),
    ("interpolations", "From decoded to seen", _interpolations),
    ("data", "How the data were read", _data),
    ("scores", "Scores", _scores),
    ("regional", "What each region carries", _regional),
    ("over_time", "Decoding over time", _over_time),
    ("attributes", "Attributes of the faces", _attributes),
    ("choice", "Which decoder to trust", _choice),
    (
        "training",
        "Training",
        _figures_only(
            {"training": "Training curves of the decoders of {}; the loss of the test stimuli was not used."}
        ),
    ),
    (
        "voxels",
        "Voxels on the brain",
        _figures_only({"voxels": "Voxel mask of {} in red on slices of the template brain; coordinates in MNI mm."}),
    ),
    ("reliability", "How reliable the responses are", _reliability),
    ("layers", "Which voxels carry which layer", _layers),
    ("encoding", "Which features predict the responses", _encoding),
    ("maps", "Maps", _figures_only({"map": "Statistical maps of {} on slices of the template brain, MNI mm."})),
    (
        "preprocessing",
        "Preprocessing",
        _figures_only(
            {
                "motion": "Head motion of {} over all runs: translations, rotations and framewise displacement.",
                "quality": "Mean BOLD and temporal signal-to-noise ratio of {} before and after preprocessing.",
                "registration": "Registration of {}: outlines of one image drawn on another should follow its edges.",
                "flicker": "Two images of {} in turns: where they are aligned, edges stay where they are.",
                "brain": "T1-weighted volume of {} with the outline of its brain mask.",
                "carpet": "Signals of the voxels of one run of {}, tissue by tissue, below motion and DVARS.",
            }
        ),
    ),
    (
        "design",
        "First-level design",
        _figures_only({"design": "Design matrix of one run of {}: time runs down, regressors stand side by side."}),
    ),
    ("truth", "What was recovered of the planted truth", _truth),
    ("methods", "Methods", _methods),
    ("settings", "Settings and versions", settings_content),
    ("files", "Files", files_content),
]
