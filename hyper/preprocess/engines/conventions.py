"""What the transforms of SPM, FSL, AFNI and ITK mean, in world coordinates (RAS mm).

Every function returns a map that pulls: from the space of the reference to the space of the moving volume.
"""

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.affines import voxel_sizes
from scipy import ndimage
from scipy.io import loadmat
from scipy.spatial.transform import Rotation

from hyper.errors import EngineError
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.motion import matrix_of

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Grid:
    """Shape and affine (voxel to world, mm) of a volume."""

    shape: tuple[int, ...]
    affine: np.ndarray


def from_spm(parameters: np.ndarray) -> np.ndarray:
    """Convert the table of ``rp_*.txt``.

    SPM writes for each volume the six parameters of ``V(t).mat / V(1).mat``, which brings the volume's world to that
    of the first one.

    Parameters
    ----------
    parameters : ndarray, shape (volume, 6)
        Translations in mm, rotations in rad.

    Returns
    -------
    ndarray, shape (volume, 4, 4)
        World of the first volume to world of each volume.
    """
    return np.linalg.inv(matrix_of(parameters))


def from_spm_header(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return what spm_coreg did to a volume by changing the affine in its header.

    Parameters
    ----------
    before, after : ndarray, shape (4, 4)
        Affine of the source volume.

    Returns
    -------
    ndarray, shape (4, 4)
        World of the source to world of the target (this map pushes; its inverse pulls).
    """
    return after @ np.linalg.inv(before)


def fsl_coordinates(grid: Grid) -> np.ndarray:
    """Return the matrix from voxels to FSL's coordinates: voxels times their size, the first axis always leftward.

    Returns
    -------
    ndarray, shape (4, 4)
    """
    matrix = np.diag([*voxel_sizes(grid.affine), 1.0])
    if np.linalg.det(grid.affine[:3, :3]) > 0:
        matrix[0, 3] = (grid.shape[0] - 1) * matrix[0, 0]
        matrix[0, 0] *= -1
    return matrix


def from_flirt(matrix: np.ndarray, moving: Grid, reference: Grid) -> np.ndarray:
    """Convert a matrix of FLIRT or MCFLIRT, which brings FSL coordinates of the input to those of the reference.

    Parameters
    ----------
    matrix : ndarray, shape (..., 4, 4)
    moving, reference : Grid

    Returns
    -------
    ndarray, shape (..., 4, 4)
        World of the reference to world of the moving volume.
    """
    to_fsl = fsl_coordinates(reference) @ np.linalg.inv(reference.affine)
    from_fsl = moving.affine @ np.linalg.inv(fsl_coordinates(moving))
    return from_fsl @ np.linalg.inv(matrix) @ to_fsl


def from_fsl_field(field: np.ndarray, moving: Grid) -> np.ndarray:
    """Convert an absolute field of convertwarp: FSL coordinates of the moving volume at each voxel of the reference.

    Parameters
    ----------
    field : ndarray, shape (x, y, z, 3)
    moving : Grid

    Returns
    -------
    ndarray, shape (x, y, z, 3)
        World coordinates, mm.
    """
    return _mapped(moving.affine @ np.linalg.inv(fsl_coordinates(moving)), field)


def from_afni(rows: np.ndarray, grid: Grid, stored: np.ndarray) -> np.ndarray:
    """Convert ``-1Dmatrix_save`` of 3dvolreg: base to input, in DICOM order (LPS), row by row.

    AFNI leaves out the obliquity of a grid. It is given the grid of `cardinal_affine`, and the matrices are brought
    back to the true one.

    Parameters
    ----------
    rows : ndarray, shape (volume, 12)
    grid : Grid
        The true grid of both volumes.
    stored : ndarray, shape (4, 4)
        The affine AFNI was given.

    Returns
    -------
    ndarray, shape (volume, 4, 4)
        World of the base to world of each volume.
    """
    matrices = np.tile(np.eye(4), (len(rows), 1, 1))
    matrices[:, :3] = rows.reshape(-1, 3, 4)
    turned = grid.affine @ np.linalg.inv(stored)
    return turned @ _LPS @ matrices @ _LPS @ np.linalg.inv(turned)


def cardinal_affine(affine: np.ndarray) -> np.ndarray:
    """Return the affine of the same orientation and voxel sizes without obliquity; the first voxel keeps its place."""
    cardinal = np.eye(4)
    axes = nib.io_orientation(affine)
    cardinal[:3, :3] = 0
    for column, (row, sign) in enumerate(axes):
        cardinal[int(row), column] = sign * voxel_sizes(affine)[column]
    cardinal[:3, 3] = affine[:3, 3]
    return cardinal


def read_itk_affine(path: str | Path) -> np.ndarray:
    """Read a linear transform of ANTs (``0GenericAffine.mat``, MATLAB format 4), in LPS about a centre.

    Returns
    -------
    ndarray, shape (4, 4)
        World of the fixed to world of the moving volume.

    Raises
    ------
    EngineError
        When the file holds another kind of transform.
    """
    content = {name: np.ravel(values) for name, values in loadmat(str(path)).items() if not name.startswith("__")}
    kind = next((name for name in content if name != "fixed"), "nothing")
    centre = content.get("fixed", np.zeros(3))[:3]
    if kind.startswith(("AffineTransform_", "MatrixOffsetTransformBase_")) and len(content[kind]) == 12:
        linear, shift = content[kind][:9].reshape(3, 3), content[kind][9:]
    elif kind.startswith("Euler3DTransform_") and len(content[kind]) == 6:
        # ITK's order: R = Rz Rx Ry
        linear = Rotation.from_euler("ZXY", content[kind][[2, 0, 1]]).as_matrix()
        shift = content[kind][3:]
    else:
        raise EngineError(path, f"it holds {kind}, no linear transform in three dimensions", "Look at the rule's log")
    matrix = np.eye(4)
    matrix[:3, :3] = linear
    matrix[:3, 3] = shift + centre - linear @ centre
    return _LPS @ matrix @ _LPS


def from_itk_field(field: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Convert a displacement field of ANTs: mm in LPS at each voxel of the fixed volume.

    Parameters
    ----------
    field : ndarray, shape (x, y, z, 1, 3) or (x, y, z, 3)
    affine : ndarray, shape (4, 4)
        Of the field.

    Returns
    -------
    ndarray, shape (x, y, z, 3)
        World coordinates in the moving volume, mm.
    """
    vectors = field.reshape(*field.shape[:3], 3) * [-1, -1, 1]
    return vectors + grid_points(vectors.shape[:3], affine).T.reshape(vectors.shape)


def onto_grid(coordinates: np.ndarray, affine: np.ndarray, target: Grid) -> np.ndarray:
    """Bring a map of coordinates to another grid of the same space.

    Displacements are interpolated, so that points outside the map's grid move like those at its edge; so do points
    where the map is not finite, as SPM leaves them.

    Parameters
    ----------
    coordinates : ndarray, shape (x, y, z, 3)
        World coordinates in the moving volume, mm.
    affine : ndarray, shape (4, 4)
        Of the map's grid.
    target : Grid

    Returns
    -------
    ndarray, shape (*target.shape, 3), float32
    """
    moved = coordinates - grid_points(coordinates.shape[:3], affine).T.reshape(coordinates.shape)
    missing = ~np.isfinite(moved).all(axis=-1)
    if missing.any():
        nearest = ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
        moved = moved[tuple(nearest)]
    world = grid_points(target.shape, target.affine)
    voxels = apply_affine(np.linalg.inv(affine), world)
    parts = [ndimage.map_coordinates(moved[..., axis], voxels, order=1, mode="nearest") for axis in range(3)]
    return (world + np.array(parts)).T.reshape(*target.shape, 3).astype(np.float32)


def _mapped(matrix: np.ndarray, field: np.ndarray) -> np.ndarray:
    return field.astype(float) @ matrix[:3, :3].T + matrix[:3, 3]
