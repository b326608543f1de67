"""One run, from its preprocessed file to its z-maps on disk."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.glm.design import columns_of, condition_names, contrast_matrix, design_matrix, modelled_names
from hyper.glm.diagnostics import condition_number, hard_to_tell_apart, variance_inflation
from hyper.glm.estimate import Estimates, Recipe, estimate_trials
from hyper.glm.hrf import STRETCHES, library_regressors
from hyper.glm.single_trial import SingleTrialGLM
from hyper.io.tables import write_json, write_table
from hyper.io.volumes import MaskedSeries, load_image, read_volume, write_series
from hyper.preprocess.confound_names import expand_confounds

log = logging.getLogger(__name__)


def fit_run(
    bold: str | Path,
    mask: str | Path,
    trials: pd.DataFrame,
    tr: float,
    confounds: pd.DataFrame,
    model: Mapping[str, Any],
    maps: str | Path,
    table: str | Path,
    design_table: str | Path,
    summary: str | Path,
    threads: int = 1,
) -> None:
    """Fit the model of one run and write its z-maps, their table and the design.

    Parameters
    ----------
    bold, mask : path
        Preprocessed run and brain mask on the same grid.
    trials : DataFrame
        The run's rows of the trials table.
    tr : float
        Repetition time, seconds.
    confounds : DataFrame
        Every confound of the run; `model` names those to regress out.
    model : mapping
        Settings glm (settings.Glm).
    maps, table, design_table, summary : path
        Outputs: 4-D NIfTI with a volume per trial or contrast, the table that names each volume, the design, and
        how the estimates came about.
    threads : int
        The maps do not depend on it.
    """
    image = load_image(bold)
    inside = read_volume(mask)[0] > 0
    if inside.shape != image.shape[:3]:
        raise DataError(mask, f"its grid {inside.shape} is not the run's {image.shape[:3]}", "Run mask_bold again")
    if not inside.any():
        raise DataError(mask, "it is empty", "Look at the registration in the report")
    series, recipe = MaskedSeries(bold, inside), Recipe.of(model)
    names = condition_names(trials, model["regressors"], model["null_trials"])
    nuisance = _chosen(confounds, model["confounds"])
    response = "spm" if recipe.hrf == "library" else recipe.hrf
    design = design_matrix(
        trials, names, image.shape[3], tr, response, model["high_pass"], nuisance, model["fir_delays"]
    )
    inflation = _inspect(design, names)
    log.info(
        "%d volumes, %d voxels, %d regressors of which %d of no interest",
        image.shape[3], inside.sum(), design.shape[1], design.shape[1] - names.nunique(),
    )  # fmt: skip
    if model["regressors"] == "trial" and response in ("spm", "glover"):
        labels = modelled_names(design, names)
        estimates = _by_trial(series, design, labels, trials, names, tr, recipe, threads)
    else:
        contrasts, labels = contrast_matrix(design, names, model["contrasts"])
        estimates = _by_contrast(series, design, contrasts, recipe.noise_model, threads)
    z = estimates.z
    log.info("%d maps, largest z %.1f, %d degrees of freedom", len(labels), z.max(), estimates.degrees_of_freedom)
    shape = (*inside.shape, len(labels))
    write_series(maps, (series.unmask(z[start : start + 16]) for start in range(0, len(z), 16)), shape, image.affine, 1)
    write_table(table, _describe(labels, names, trials))
    for number, component in enumerate(estimates.components.T, 1):
        design.insert(len(design.columns) - 1, f"noise_component_{number:02d}", component)
    write_table(design_table, design.round(9))
    write_json(summary, _summary(recipe, estimates, design, inflation))


def _inspect(design: pd.DataFrame, names: pd.Series) -> pd.Series:
    """Variance inflation of what gets a map; a warning where trials can hardly be told apart."""
    columns = [column for name in modelled_names(design, names) for column in columns_of(name, design)]
    places = np.flatnonzero(design.columns.isin(columns))
    columns = [str(column) for column in design.columns[places]]
    inflation = pd.Series(variance_inflation(design.to_numpy(), places), index=columns)
    warning = hard_to_tell_apart(inflation)
    if warning:
        log.warning("%s", warning)
    return inflation


def _by_trial(
    series: MaskedSeries,
    design: pd.DataFrame,
    labels: list[str],
    trials: pd.DataFrame,
    names: pd.Series,
    tr: float,
    recipe: Recipe,
    threads: int,
) -> Estimates:
    rows = trials.assign(map=names).drop_duplicates("map").set_index("map").loc[labels]
    library, stimuli = None, None
    if recipe.hrf == "library":
        onsets, durations = rows["onset"].to_numpy(), rows["duration"].to_numpy()
        library = library_regressors(onsets, durations, len(design), tr)
    if recipe.estimator == "ridge" and recipe.penalty == "repeats":
        if rows["stimulus"].duplicated().any():
            stimuli = rows["stimulus"].tolist()
        else:
            log.warning("no stimulus is repeated in this run: ridge penalties are chosen by likelihood")
    trial_columns, other = design[labels].to_numpy(), design.drop(columns=labels).to_numpy()
    estimates = estimate_trials(series, trial_columns, other, recipe, library, stimuli, threads)
    log.info("%d noise components", estimates.components.shape[1])
    return estimates


def _by_contrast(
    series: MaskedSeries, design: pd.DataFrame, contrasts: np.ndarray, noise_model: str, threads: int
) -> Estimates:
    glm = SingleTrialGLM(design.to_numpy(), noise_model=noise_model, threads=threads).fit(series)
    return Estimates(
        glm.z(contrasts), glm.degrees_of_freedom, np.zeros(glm.voxels, int), np.zeros((len(design), 0)), None
    )


def _summary(recipe: Recipe, estimates: Estimates, design: pd.DataFrame, inflation: pd.Series) -> dict[str, Any]:
    found: dict[str, Any] = {
        "estimator": recipe.estimator,
        "noise_model": recipe.noise_model,
        "hrf": recipe.hrf,
        "degrees_of_freedom": estimates.degrees_of_freedom,
        "condition_number": round(condition_number(design.to_numpy()), 2),
        "variance_inflation": {
            "median": round(float(inflation.median()), 3),
            "largest": round(float(inflation.max()), 3),
            "of": str(inflation.idxmax()),
        },
        "noise_components": estimates.components.shape[1],
    }
    if recipe.hrf == "library":
        counts = np.bincount(estimates.response, minlength=len(STRETCHES))
        found["voxels_by_stretch_of_response"] = {
            f"{stretch:.2f}": int(count) for stretch, count in zip(STRETCHES, counts, strict=True)
        }
    if estimates.fraction is not None:
        quartiles = np.percentile(estimates.fraction, [25, 50, 75])
        found["ridge_fraction_quartiles"] = [round(float(value), 3) for value in quartiles]
    return found


def _chosen(confounds: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    columns = expand_confounds(names, confounds.columns)
    missing = [column for column in columns if column not in confounds]
    if missing:
        raise DataError("glm.confounds", f"the run has no {missing[0]}", "Leave it out, or run compute_confounds again")
    return confounds[columns]


def _describe(labels: list[str], names: pd.Series, trials: pd.DataFrame) -> pd.DataFrame:
    """One row a map: the trial it belongs to, or the contrast's name."""
    rows = trials.assign(map=names).drop_duplicates("map").set_index("map").reindex(labels)
    if rows["trial"].isna().any():
        return pd.DataFrame({"map": labels})
    return rows.reset_index()
