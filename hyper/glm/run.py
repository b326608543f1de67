"""One run, from its preprocessed file to its z-maps on disk."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.glm.design import condition_names, contrast_matrix, design_matrix
from hyper.glm.single_trial import SingleTrialGLM
from hyper.io.tables import write_table
from hyper.io.volumes import iterate_volumes, load_image, read_volume, write_series
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
        regressors, contrasts, null_trials, hrf, high_pass, confounds (settings.Glm).
    maps, table, design_table : path
        Outputs: 4-D NIfTI with a volume per trial or contrast, the table that names each volume, the design.
    """
    image = load_image(bold)
    inside = read_volume(mask)[0] > 0
    if inside.shape != image.shape[:3]:
        raise DataError(mask, f"its grid {inside.shape} is not the run's {image.shape[:3]}", "Run mask_bold again")
    if not inside.any():
        raise DataError(mask, "it is empty", "Look at the registration in the report")
    names = condition_names(trials, model["regressors"], model["null_trials"])
    nuisance = _chosen(confounds, model["confounds"])
    design = design_matrix(trials, names, image.shape[3], tr, model["hrf"], model["high_pass"], nuisance)
    contrasts, labels = contrast_matrix(design, names, model["contrasts"])
    log.info(
        "%d volumes, %d voxels, %d regressors of which %d of no interest",
        image.shape[3], inside.sum(), design.shape[1], design.shape[1] - names.nunique(),
    )  # fmt: skip
    glm = SingleTrialGLM(design.to_numpy()).fit(block[inside].T for block in iterate_volumes(bold))
    z = glm.z(contrasts).astype(np.float32)
    log.info("%d maps, largest z %.1f, %d degrees of freedom", len(labels), z.max(), glm.degrees_of_freedom)
    shape = (*inside.shape, len(labels))
    write_series(maps, _unmask(z, inside), shape, image.affine, tr=1.0)
    write_table(table, _describe(labels, names, trials))
    write_table(design_table, design.round(9))


def _chosen(confounds: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    columns = expand_confounds(names, confounds.columns)
    missing = [column for column in columns if column not in confounds]
    if missing:
        raise DataError("glm.confounds", f"the run has no {missing[0]}", "Leave it out, or run compute_confounds again")
    return confounds[columns]


def _unmask(z: np.ndarray, inside: np.ndarray, block: int = 16) -> Iterator[np.ndarray]:
    for start in range(0, len(z), block):
        part = z[start : start + block]
        volumes = np.zeros((*inside.shape, len(part)), np.float32)
        volumes[inside] = part.T
        yield volumes


def _describe(labels: list[str], names: pd.Series, trials: pd.DataFrame) -> pd.DataFrame:
    """One row a map: the trial it belongs to, or the contrast's name."""
    rows = trials.assign(map=names).drop_duplicates("map").set_index("map").reindex(labels)
    if rows["trial"].isna().any():
        return pd.DataFrame({"map": labels})
    return rows.reset_index()
