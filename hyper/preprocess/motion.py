"""Head motion: rigid matrices, their six parameters, framewise displacement."""

import numpy as np
import pandas as pd

COLUMNS = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def matrix_of(parameters: np.ndarray) -> np.ndarray:
    """Return the rigid matrices of motion parameters.

    Parameters
    ----------
    parameters : ndarray, shape (..., 6)
        Translations in mm and rotations in rad about the x, y and z axis through the world origin, composed as
        SPM's ``spm_matrix`` does: translation after rotation, ``T @ Rx @ Ry @ Rz``.

    Returns
    -------
    ndarray, shape (..., 4, 4)
    """
    parameters = np.asarray(parameters, float)
    sines, cosines = np.moveaxis(np.sin(parameters[..., 3:]), -1, 0), np.moveaxis(np.cos(parameters[..., 3:]), -1, 0)
    matrices = np.zeros((*parameters.shape[:-1], 4, 4))
    matrices[..., :3, :3] = np.eye(3)
    for axis, (row, column) in enumerate(((1, 2), (0, 2), (0, 1))):
        turn = np.zeros((*parameters.shape[:-1], 3, 3))
        turn[..., axis, axis] = 1
        turn[..., row, row] = turn[..., column, column] = cosines[axis]
        turn[..., row, column], turn[..., column, row] = sines[axis], -sines[axis]
        matrices[..., :3, :3] = matrices[..., :3, :3] @ turn
    matrices[..., :3, 3] = parameters[..., :3]
    matrices[..., 3, 3] = 1
    return matrices


def parameters_of(matrices: np.ndarray) -> np.ndarray:
    """Return the motion parameters of rigid matrices; the inverse of `matrix_of`.

    Parameters
    ----------
    matrices : ndarray, shape (..., 4, 4)
        Rotations about y below a quarter turn, as any head's are.

    Returns
    -------
    ndarray, shape (..., 6)
        Translations in mm, rotations in rad.
    """
    rotation = np.asarray(matrices, float)[..., :3, :3]
    return np.stack(
        [
            *np.moveaxis(np.asarray(matrices, float)[..., :3, 3], -1, 0),
            np.arctan2(rotation[..., 1, 2], rotation[..., 2, 2]),
            np.arcsin(np.clip(rotation[..., 0, 2], -1, 1)),
            np.arctan2(rotation[..., 0, 1], rotation[..., 0, 0]),
        ],
        axis=-1,
    )


def framewise_displacement(parameters: np.ndarray, radius: float = 50.0) -> np.ndarray:
    """Return how far the head moved since the volume before.

    Power et al. (2012), NeuroImage 59, 2142: the sum of the absolute changes of the six parameters, rotations as arcs
    on a sphere.

    Parameters
    ----------
    parameters : ndarray, shape (volume, 6)
        Translations in mm, rotations in rad.
    radius : float
        Radius of the sphere, mm.

    Returns
    -------
    ndarray, shape (volume,)
        In mm; NaN for the first volume.
    """
    steps = np.abs(np.diff(np.asarray(parameters, float), axis=0))
    return np.concatenate([[np.nan], steps[:, :3].sum(1) + radius * steps[:, 3:].sum(1)])


def motion_table(
    matrices: np.ndarray, radius: float = 50.0, misfit: np.ndarray | None = None, outliers: np.ndarray | None = None
) -> pd.DataFrame:
    """Return the table of the six parameters, the framewise displacement and how well each volume fits.

    Parameters
    ----------
    matrices : ndarray, shape (volume, 4, 4)
        World of the reference to world of each volume.
    radius : float
        Radius of the sphere for framewise displacement, mm.
    misfit, outliers : ndarray, shape (volume,), optional
        As in `hyper.preprocess.realign.Realignment`.

    Returns
    -------
    DataFrame
        One row a volume; `COLUMNS` and ``framewise_displacement``, which is missing in the first row; ``misfit`` and
        ``outlier`` (0 or 1) where they are given.
    """
    parameters = parameters_of(matrices)
    table = pd.DataFrame(parameters, columns=list(COLUMNS))
    table["framewise_displacement"] = framewise_displacement(parameters, radius)
    if misfit is not None:
        table["misfit"] = misfit
    if outliers is not None:
        table["outlier"] = outliers.astype(int)
    return table
