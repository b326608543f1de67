"""Table 1 of the published study, from any study: similarity of latents, features and structure by method."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from hyper.io.tables import read_table
from hyper.report.metrics import first_region, ordered_predictors
from hyper.report.names import is_trivial, metric_label, number, p_value, predictor_label, reads_no_brain
from hyper.report.scores import Cell, Table, order_of

_LATENT, _FEATURE, _STRUCTURE = "latent_similarity", "feature_similarity_", "ssim_rgb224_gauss3"
_NETWORKS = ("vggface2", "dlib")  # the published one first
_PARTS = {"": "value", "_sem": "sem", "_p": "p", "_p_corrected": "p_corrected", "_chance": "chance"}
_MODEL = "-model"
KINDS = ("decoder", "baseline", "model", "trivial")
_DIGITS = 4  # as published


def table_one(metrics: pd.DataFrame, decoders: Sequence[str]) -> pd.DataFrame:
    """Select and arrange the three published measures.

    Parameters
    ----------
    metrics : DataFrame
        metrics.tsv. Where it has several regions, the first is taken; of several face networks, the published one.
    decoders : sequence of str
        What reads latents from the brain; everything else is a baseline, its model, or a trivial predictor.

    Returns
    -------
    DataFrame
        subject, method, kind (decoder, baseline, model, trivial), n, and for each measure, under its metric's name:
        mean over test stimuli, ``_sem`` its standard error, ``_p`` and ``_p_corrected`` of the permutation, and
        ``_chance``, the mean of the permutations. A method without latents has no latent similarity.
    """
    part = first_region(metrics)
    measures = published_measures(part["metric"])
    rows = []
    for subject in dict.fromkeys(part["subject"]):
        own = part[part["subject"] == subject]
        methods = ordered_predictors(own, decoders)
        for method in sorted(methods, key=lambda name: KINDS.index(_kind(name, decoders))):
            scores = own[own["decoder"] == method].drop_duplicates("metric").set_index("metric")
            row = {"subject": subject, "method": method, "kind": _kind(method, decoders), "n": int(scores["n"].max())}
            for measure in measures:
                for suffix, column in _PARTS.items():
                    if column in scores:
                        row[measure + suffix] = scores[column].get(measure)
            rows.append(row)
    return pd.DataFrame(rows)


def published_measures(names: Iterable[str]) -> list[str]:
    """The published measures among metrics, in the published order; the features are those of one network."""
    known = list(dict.fromkeys(names))
    features = [name for name in known if name.startswith(_FEATURE)]
    features.sort(key=lambda name: (*_NETWORKS, name[len(_FEATURE) :]).index(name[len(_FEATURE) :]))
    chosen = [_LATENT, *features[:1], _STRUCTURE]
    return [name for name in chosen if name in known]


def read_table_one(path: str | Path) -> pd.DataFrame:
    """Read table1.tsv; labels stay text."""
    return read_table(path, dtype=dict.fromkeys(("subject", "method", "kind"), str))


def printed_table(table: pd.DataFrame) -> Table:
    """Table 1 for the page: one row per person and method."""
    measures = measures_of(table)
    rows = []
    for row in table.to_dict("records"):
        cells = [Cell(f"sub-{row['subject']}", row["subject"]), Cell(predictor_label(row["method"]), word=True)]
        for name in measures:
            chance = row[f"{name}_chance"]
            words = [p_value(row[f"{name}_p"]), f"chance {number(chance, _DIGITS)}" if pd.notna(chance) else ""]
            small = "; ".join(word for word in words if word)
            cells.append(Cell(_mean(row, name, "±"), order_of(row[name]), small))
        rows.append(cells)
    columns = [("Person", ""), ("Method", ""), *((metric_label(name), name) for name in measures)]
    muted = [reads_no_brain(name) for name in table["method"]]
    return Table(columns, rows, muted=muted, people=list(table["subject"]))


def latex_table(table: pd.DataFrame) -> str:
    """Table 1 in LaTeX, for `booktabs`; one star for p < 0.05, two for 0.01, three for 0.001."""
    measures = measures_of(table)
    head = " & ".join(["", "", *(_escaped(metric_label(name)) for name in measures)])
    lines = [rf"\begin{{tabular}}{{ll{'r' * len(measures)}}}", r"\toprule", rf"{head} \\"]
    for subject, own in table.groupby("subject", sort=False):
        lines.append(r"\midrule")
        for place, row in enumerate(own.to_dict("records")):
            who = _escaped(f"sub-{subject}") if place == 0 else ""
            scores = [_starred(row, name) for name in measures]
            lines.append(" & ".join([who, _escaped(predictor_label(row["method"])), *scores]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def measures_of(table: pd.DataFrame) -> list[str]:
    """Names of the metrics in a Table 1."""
    return [name.removesuffix("_sem") for name in table.columns if name.endswith("_sem")]


def _kind(method: str, decoders: Sequence[str]) -> str:
    if is_trivial(method):
        return "trivial"
    if method in decoders:
        return "decoder"
    return "model" if method.endswith(_MODEL) else "baseline"


def _mean(row: Mapping[Hashable, Any], name: str, sign: str) -> str:
    text = number(row[name], _DIGITS)
    return f"{text} {sign} {number(row[f'{name}_sem'], _DIGITS)}" if pd.notna(row[f"{name}_sem"]) else text


def _starred(row: Mapping[Hashable, Any], name: str) -> str:
    if pd.isna(row[name]):
        return "--"
    stars = sum(row[f"{name}_p"] < level for level in (0.05, 0.01, 0.001))
    text = _mean(row, name, r"\pm").replace("−", "-")
    return f"${text}{'^{' + '*' * stars + '}' if stars else ''}$"


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    special |= {letter: rf"\{letter}" for letter in "&%$#_{}"}
    return "".join(special.get(letter, letter) for letter in text)
