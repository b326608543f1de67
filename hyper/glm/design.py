"""Design matrices, by nilearn."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from nilearn.glm.contrasts import expression_to_contrast_vector
from nilearn.glm.first_level import make_first_level_design_matrix

from hyper.errors import DataError

NULL = "null"
_OF_NULL_TRIAL = re.compile(r"null_\d{4}$")


def condition_names(trials: pd.DataFrame, regressors: str, null_trials: str) -> pd.Series:
    """Name the regressor of each trial; missing where a trial belongs to the baseline.

    Parameters
    ----------
    trials : DataFrame
        One run of the trials table.
    regressors : {"trial", "condition"}
    null_trials : {"baseline", "modelled", "dropped"}
        No regressor; one for all of them; one for each, so that none has a say in anything else.

    Raises
    ------
    DataError
        When conditions are asked for and a trial has no trial_type.
    """
    if regressors == "condition":
        if trials["trial_type"].isna().any():
            raise DataError(
                "glm.regressors", "trials without trial_type cannot be modelled by condition", "Use `trial`"
            )
        return trials["trial_type"].astype(str)
    names = pd.Series([f"trial_{number:04d}" for number in trials["trial"]], index=trials.index, dtype=object)
    null = trials["split"].eq("null").fillna(False).astype(bool)
    single = pd.Series([f"{NULL}_{number:04d}" for number in trials["trial"]], index=trials.index, dtype=object)
    names[null] = {"baseline": None, "modelled": NULL, "dropped": single[null]}[null_trials]
    return names


def design_matrix(
    trials: pd.DataFrame,
    names: pd.Series,
    volumes: int,
    tr: float,
    hrf: str = "spm",
    high_pass: float = 1 / 128,
    confounds: pd.DataFrame | None = None,
    fir_delays: Sequence[int] = (),
) -> pd.DataFrame:
    """Build the design of one run: the named trials, cosine drift, confounds, constant.

    Parameters
    ----------
    trials : DataFrame
        One run: onset and duration in seconds.
    names : Series
        From `condition_names`.
    volumes : int
        Number of volumes.
    tr : float
        Repetition time, seconds.
    hrf : str
        nilearn's name of the haemodynamic response: spm, glover, either with ` + derivative` or
        ` + derivative + dispersion`, or fir.
    high_pass : float
        Cut-off of the drift, Hz.
    confounds : DataFrame, shape (volumes, confounds), optional
        Regressors of no interest; they are centred and scaled. A missing value, as a derivative has in the first
        volume, becomes the mean.
    fir_delays : sequence of int
        Of fir: volumes after the onset.

    Returns
    -------
    DataFrame, shape (volumes, regressors)
        Columns of trials first, in order of their first onset, the constant last.

    Raises
    ------
    DataError
        When the run has no trial, or its columns are not independent.
    """
    kept = names.notna().to_numpy()
    if not kept.any():
        raise DataError(f"run {trials['series'].iloc[0]}", "it has no trial to model", "Correct its events")
    events = pd.DataFrame(
        {"onset": trials["onset"][kept], "duration": trials["duration"][kept], "trial_type": names[kept].astype(str)}
    )
    values = None if confounds is None or not len(confounds.columns) else _standardised(confounds)
    design = make_first_level_design_matrix(
        np.arange(volumes) * tr,
        events,
        hrf_model=hrf,
        drift_model="cosine",
        high_pass=high_pass,
        fir_delays=list(fir_delays) or None,
        add_regs=values,
        add_reg_names=list(confounds.columns) if confounds is not None and values is not None else None,
    )
    rank = np.linalg.matrix_rank(design.to_numpy())
    if rank < design.shape[1]:
        raise DataError(
            f"run {trials['series'].iloc[0]}",
            f"its design has {design.shape[1]} columns but rank {rank}: trials cannot be told apart",
            "Use glm.regressors: condition, leave out trials that overlap, or take fewer glm.confounds",
        )
    order = list(dict.fromkeys(events.sort_values("onset", kind="stable")["trial_type"]))
    first = [column for name in order for column in columns_of(name, design)]
    return design[first + [column for column in design.columns if column not in first]]


def columns_of(name: str, design: pd.DataFrame) -> list[str]:
    """Columns that hold the response to a trial or condition: one, or those of a finite impulse response."""
    if name in design:
        return [name]
    return [str(column) for column in design.columns if re.fullmatch(rf"{re.escape(name)}_delay_\d+", str(column))]


def _standardised(confounds: pd.DataFrame) -> np.ndarray:
    values = confounds.to_numpy(float)
    missing = np.isnan(values)
    if missing.all(axis=0).any():
        name = confounds.columns[missing.all(axis=0)][0]
        raise DataError("glm.confounds", f"{name} has no value in this run", "Leave it out")
    if missing.any():
        values = np.where(missing, np.nanmean(values, axis=0), values)
    return (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)


def contrast_matrix(design: pd.DataFrame, names: pd.Series, contrasts: dict[str, str]) -> tuple[np.ndarray, list[str]]:
    """Contrasts to estimate: those given, else each named regressor by itself (null trials left out).

    The response of a finite impulse response is the mean of its delays.

    Returns
    -------
    matrix : ndarray, shape (contrasts, regressors)
    labels : list of str
    """
    if contrasts:
        columns = list(design.columns)
        vectors = [np.asarray(expression_to_contrast_vector(text, columns), float) for text in contrasts.values()]
        return np.stack(vectors), list(contrasts)
    labels = modelled_names(design, names)
    rows = [design.columns.isin(columns_of(label, design)) for label in labels]
    return np.array([row / row.sum() for row in rows]), labels


def modelled_names(design: pd.DataFrame, names: pd.Series) -> list[str]:
    """Names of what gets a map, in the order of the design."""
    modelled = {name for name in names.dropna() if name != NULL and not _OF_NULL_TRIAL.match(name)}
    owner = {column: name for name in modelled for column in columns_of(name, design)}
    return list(dict.fromkeys(owner[column] for column in design.columns if column in owner))
