"""The tables of all subjects and predictors as one."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from hyper.evaluation.ceilings import add_model_ceilings
from hyper.evaluation.correction import Correction, add_correction
from hyper.io.tables import read_table


def gathered_metrics(paths: Iterable[str | Path], study: str, correction: Correction) -> pd.DataFrame:
    """Join tables of metrics, correct p over their tests and add the ceilings that models set.

    Parameters
    ----------
    paths : iterable of path
        Tables of one subject and predictor each, from `hyper.evaluation.table.tabulate`.
    study : str
        Name of the study, which becomes the first column.
    correction : {'holm', 'fdr', 'none'}
    """
    table = pd.concat([read_table(path, dtype={"subject": str}) for path in paths], ignore_index=True)
    table.insert(0, "study", study)
    return add_model_ceilings(add_correction(table, correction))
