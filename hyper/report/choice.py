"""Which decoder was chosen on training runs, and why."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from hyper.report.names import number, predictor_label
from hyper.report.scores import Cell, Table

_COLUMNS = [
    ("Expected cosine", "expected_cosine"),
    ("Cosine, single trials", "left_out_cosine"),
    ("Mean squared error", "left_out_mse"),
    ("Length over true length", "left_out_scale"),
]


def choice_overview(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Tell the choice of every subject.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Per subject, from `hyper.decoding.choice.choose`.

    Returns
    -------
    dict
        ``sentences`` and ``tables``.
    """
    return {
        "sentences": [_sentence(subject, table) for subject, table in tables.items()],
        "tables": [_table(subject, table) for subject, table in tables.items()],
    }


def _sentence(subject: str, table: pd.DataFrame) -> str:
    best = table.iloc[0]
    label, score = predictor_label(best["decoder"]), number(best[best["criterion"]])
    what = f"a latent cosine of {score}"
    if best["criterion"] == "expected_cosine":
        what += f" for means of {int(best['repeats'])} trials"
    if len(table) == 1:
        return f"sub-{subject}: {label} was the only candidate; training runs that it was not fitted on promise {what}."
    second = table.iloc[1]
    return (
        f"sub-{subject}: {label} was chosen. Training runs that it was not fitted on promise {what}; next comes "
        f"{predictor_label(second['decoder'])} with {number(second[best['criterion']])}."
    )


def _table(subject: str, table: pd.DataFrame) -> Table:
    rows = []
    for _, row in table.iterrows():
        cells = [Cell(predictor_label(row["decoder"]), row["decoder"], "chosen" if row["chosen"] else "")]
        for _, name in _COLUMNS:
            known = pd.notna(row[name])
            cells.append(Cell(number(row[name]) if known else "–", repr(float(row[name])) if known else ""))
        rows.append(cells)
    return Table([("Decoder", ""), *_COLUMNS], rows, title=f"sub-{subject}")
