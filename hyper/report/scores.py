"""The scores as the page tells them: headline, tables, and the note on trivial predictors."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from hyper.report.metrics import first_region, ordered_predictors
from hyper.report.names import (
    main_metrics,
    metric_label,
    number,
    p_value,
    predictor_label,
    reads_no_brain,
    significant,
    verdict,
)

HEADLINE = "identification_2way_latent"
PUBLISHED = (0.4521, 0.4447)  # latent similarity of the two subjects of Dado et al.
ZERO = "trivial-zero"
MEAN = "trivial-mean"
_NEAR = 0.1  # cosine with the mean latent, below which latents are taken to have zero mean


@dataclass(frozen=True)
class Cell:
    """One cell of a table: what is read, what it is sorted by, a line of small print, and whether it is a word."""

    text: str
    order: str = ""
    small: str = ""
    word: bool = False


@dataclass(frozen=True)
class Table:
    """A table to print.

    Attributes
    ----------
    columns : list of (label, machine name)
    rows : list of list of Cell
        The first cell heads the row.
    foot : list of list of Cell
        Rows that stay below when the table is sorted.
    muted : list of bool
        Rows to print in a lighter ink.
    title : str
    people : list of str
        Whose each row is; empty where rows are not one person's.
    """

    columns: list[tuple[str, str]]
    rows: list[list[Cell]]
    foot: list[list[Cell]] = field(default_factory=list)
    muted: list[bool] = field(default_factory=list)
    title: str = ""
    people: list[str] = field(default_factory=list)


def headline(table: pd.DataFrame, decoders: Sequence[str]) -> list[dict[str, Any]]:
    """Identification of each subject and decoder in words.

    Returns
    -------
    list of dict
        subject, decoder, share (0-1), percent, chance, words, tested ("p < 0.001" or ""), n; empty without the metric.
    """
    part = first_region(table)
    part = part[part["metric"] == HEADLINE]
    rows = []
    for subject in dict.fromkeys(part["subject"]):
        for decoder in decoders:
            found = part[(part["subject"] == subject) & (part["decoder"] == decoder)]
            if found.empty:
                continue
            row = found.iloc[0]
            chance = float(row["chance"]) if pd.notna(row["chance"]) else 0.5
            rows.append(
                {
                    "subject": subject,
                    "decoder": predictor_label(decoder),
                    "share": float(row["value"]),
                    "percent": _percent(float(row["value"])),
                    "chance": _percent(chance),
                    "words": verdict(row["p"], row["value"], chance),
                    "tested": p_value(row["p"]),
                    "n": int(row["n"]),
                }
            )
    return rows


def _percent(share: float) -> str:
    """Whole per cent, but 100 only when nothing was missed."""
    return f"{100 * share:.1f} %" if 0.995 <= share < 1 else f"{100 * share:.0f} %"


def trivial_note(table: pd.DataFrame, decoders: Sequence[str]) -> list[str]:
    """Say what the published latent similarity is worth: sentences with this study's numbers."""
    part = first_region(table)
    part = part[part["metric"] == "latent_similarity"]
    zero = part[part["decoder"] == ZERO]
    published = " and ".join(number(value) for value in PUBLISHED)
    every = first_region(table)
    mean = every[every["decoder"] == MEAN].groupby("metric")["value"].mean()
    if zero.empty and mean.get("latent_cosine", 0.0) > _NEAR and "latent_similarity" in mean:
        return [
            "Latents of this study do not have zero mean. A predictor that ignores the brain and always answers with "
            f"the mean latent of the training set has a cosine of {number(mean['latent_cosine'])} with those seen, and "
            f"scores {number(mean['latent_similarity'])} in latent similarity, 1/(1+MSE): only what lies above it is "
            "decoded."
        ]
    if zero.empty:
        return [
            "Latent similarity, 1/(1+MSE), is the published metric. A predictor that ignores the brain and always "
            f"answers with the zero latent scores about 0.50 in it: more than the {published} published for two people."
        ]
    score = float(zero["value"].mean())
    own = part[part["decoder"].isin(list(decoders))]
    values = own.set_index("subject")["value"]
    base = zero.set_index("subject")["value"]
    beaten = int(sum(value <= base.get(subject, score) for subject, value in values.items()))
    against = "more" if score > max(PUBLISHED) else "compared"
    sentences = [
        "A predictor that ignores the brain and always answers with the zero latent scores "
        f"{number(score)} in latent similarity, 1/(1+MSE), the published metric: {against} "
        f"{'than' if against == 'more' else 'with'} the {published} published for two people."
    ]
    if beaten:
        scores = "every score" if beaten == len(values) else f"{beaten} of the {len(values)} scores"
        sentences.append(f"In this study it does no worse than {scores} of the decoders.")
    else:
        sentences.append("In this study every decoder scores higher, in every person.")
    sentences.append(
        "The metric rewards answers near the average, whatever they say about the face: judge by cosine and "
        "identification, in which the zero latent says nothing."
    )
    return sentences


def overview(table: pd.DataFrame, decoders: Sequence[str]) -> list[Table]:
    """One table per subject: predictors down, the main metrics across, chance and ceiling at the foot.

    Before them stands one of all subjects where there are several.
    """
    part = first_region(table)
    metrics, subjects = main_metrics(part["metric"]), list(dict.fromkeys(part["subject"]))
    tables = [_overview_of(part[part["subject"] == subject], subject, metrics, decoders) for subject in subjects]
    return [_group_overview(part, len(subjects), metrics, decoders), *tables] if len(subjects) > 1 else tables


def _group_overview(part: pd.DataFrame, people: int, metrics: list[str], decoders: Sequence[str]) -> Table:
    """Mean over subjects, and from the lowest to the highest of them."""
    rows, muted = [], []
    for name in ordered_predictors(part, decoders):
        cells = [Cell(predictor_label(name), name)]
        for metric in metrics:
            values = part.loc[(part["decoder"] == name) & (part["metric"] == metric), "value"].dropna()
            between = f"{number(values.min())} to {number(values.max())}" if len(values) > 1 else ""
            mean = values.mean()
            cells.append(Cell(number(mean), order_of(mean), between))
        rows.append(cells)
        muted.append(reads_no_brain(name))
    columns = [("Predictor", ""), *((metric_label(metric), metric) for metric in metrics)]
    return Table(columns, rows, [], muted, f"All {people} people: mean, lowest and highest")


def _overview_of(own: pd.DataFrame, subject: str, metrics: list[str], decoders: Sequence[str]) -> Table:
    rows, muted = [], []
    for name in ordered_predictors(own, decoders):
        cells = [Cell(predictor_label(name), name)]
        for metric in metrics:
            found = own[(own["decoder"] == name) & (own["metric"] == metric)]
            cells.append(Cell("–") if found.empty else _score(found.iloc[0]))
        rows.append(cells)
        muted.append(reads_no_brain(name))
    foot = []
    for bound in ("chance", "ceiling"):
        values = [own.loc[own["metric"] == metric, bound].dropna() for metric in metrics]
        if any(len(value) for value in values):
            printed = [Cell(_between(value)) for value in values]
            foot.append([Cell(bound.capitalize()), *printed])
    columns = [("Predictor", ""), *((metric_label(metric), metric) for metric in metrics)]
    return Table(columns, rows, foot, muted, f"sub-{subject}", [subject] * len(rows))


def _between(values: pd.Series) -> str:
    """What all values are, or between which they lie: of a mean no predictor would be in its right place."""
    low, high = (number(values.min()), number(values.max())) if len(values) else ("–", "–")
    return low if low == high else f"{low} to {high}"


def _score(row: pd.Series) -> Cell:
    text = number(row["value"])
    if pd.notna(row["sem"]):
        text += f" ± {number(row['sem'])}"
    return Cell(text, order_of(row["value"]), p_value(row["p"]))


def every_number(table: pd.DataFrame, decoders: Sequence[str]) -> Table:
    """Return the whole of metrics.tsv, in print."""
    regions = len(set(table["region"].dropna())) > 1
    columns = [("Person", "subject"), ("Predictor", "decoder"), ("Metric", "metric"), ("Region", "region")]
    columns = columns if regions else columns[:3]
    numbers = [("Value", "value"), ("Standard error", "sem"), ("n", "n"), ("Chance", "chance"), ("Ceiling", "ceiling")]
    extra = {"ci_low": "95 % from", "ci_high": "to"}
    numbers[2:2] = [(label, name) for name, label in extra.items() if name in table]
    tests = [("p", "p")] + [("p, corrected", "p_corrected")] * ("p_corrected" in table)
    rows, muted = [], []
    rank = {name: place for place, name in enumerate(ordered_predictors(table, decoders))}
    ordered = table.assign(_rank=table["decoder"].map(rank)).sort_values(["subject", "_rank"], kind="stable")
    for _, row in ordered.iterrows():
        cells = [Cell(f"sub-{row['subject']}", str(row["subject"]), word=True)]
        cells.append(Cell(predictor_label(row["decoder"]), row["decoder"], word=True))
        cells += [Cell(str(row[name]), str(row[name]), word=True) for _, name in columns[2:]]
        cells += [Cell(significant(row[name]), order_of(row[name])) for _, name in numbers]
        rows.append([*cells, *(Cell(significant(row[name], 3), order_of(row[name])) for _, name in tests)])
        muted.append(reads_no_brain(row["decoder"]))
    return Table([*columns, *numbers, *tests], rows, [], muted, people=list(ordered["subject"]))


def order_of(value: float) -> str:
    """By what a number is sorted: all its digits, nothing where it is missing."""
    return repr(float(value)) if pd.notna(value) else ""
