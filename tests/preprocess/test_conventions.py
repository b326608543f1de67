"""Transforms of other programs, against numbers worked out by hand or by the arithmetic of nitransforms."""

import numpy as np
import pytest
from scipy.io import savemat

from hyper.errors import EngineError
from hyper.io.spaces import apply_affine, grid_points
from hyper.preprocess.engines.conventions import (
    Grid,
    cardinal_affine,
    from_afni,
    from_flirt,
    from_fsl_field,
    from_itk_field,
    from_spm,
    from_spm_header,
    fsl_coordinates,
    onto_grid,
    read_itk_affine,
)
from hyper.preprocess.motion import matrix_of

RAS = np.array([[2.0, 0, 0, -10], [0, 2, 0, -20], [0, 0, 3, -30], [0, 0, 0, 1]])
LAS = np.array([[-2.5, 0, 0, 40], [0, 2.5, 0, -50], [0, 0, 4, -60], [0, 0, 0, 1]])
OBLIQUE = np.array([[2.0, 0, 0, -10], [0, 1.6, -1.2, -20], [0, 1.2, 1.6, -30], [0, 0, 0, 1]])
MOVING, REFERENCE = Grid((11, 12, 13), RAS), Grid((21, 22, 23), LAS)


def test_spm_parameters_bring_a_volume_to_the_first():
    # a quarter turn about z: spm_matrix([1 2 3 0 0 pi/2]) takes (x, y, z) to (y + 1, -x + 2, z + 3)
    pulled = from_spm(np.array([[1.0, 2, 3, 0, 0, np.pi / 2]]))[0]
    assert np.allclose(apply_affine(pulled, np.array([[6.0], [-2], [8]])).T, [[4, 5, 5]], atol=1e-12)


def test_spm_header_tells_the_map_of_worlds():
    shift = np.eye(4)
    shift[:3, 3] = [4, -5, 6]
    assert np.allclose(from_spm_header(LAS, shift @ LAS), shift, atol=1e-12)


def test_fsl_flips_the_first_axis_of_a_right_handed_grid_only():
    corner = np.array([[0.0], [1], [2]])
    assert np.array_equal(apply_affine(fsl_coordinates(MOVING), corner).T, [[20, 2, 6]])
    assert np.array_equal(apply_affine(fsl_coordinates(REFERENCE), corner).T, [[0, 2.5, 8]])


def test_flirt_by_hand():
    # reference voxel (4, 6, 5) has FSL coordinates (10, 15, 20); a matrix that takes away (2, 3, 5) put it there from
    # (12, 18, 25) of the moving volume, whose voxel is (10 - 12 / 2, 18 / 2, 25 / 3)
    matrix = np.eye(4)
    matrix[:3, 3] = [-2, -3, -5]
    pulled = from_flirt(matrix, MOVING, REFERENCE)
    start = apply_affine(LAS, np.array([[4.0], [6], [5]]))
    expected = apply_affine(RAS, np.array([[4.0], [9], [25 / 3]]))
    assert np.allclose(apply_affine(pulled, start), expected, atol=1e-12)


def test_fsl_field_holds_coordinates_of_the_moving_volume():
    field = np.full((2, 2, 2, 3), [12.0, 18.0, 25.0])
    expected = apply_affine(RAS, np.array([[4.0], [9], [25 / 3]])).ravel()
    assert np.allclose(from_fsl_field(field, MOVING), expected, atol=1e-12)


def test_afni_rows_are_lps_from_base_to_input():
    rows = np.array([[1.0, 0, 0, 1.5, 0, 1, 0, -2.5, 0, 0, 1, 3.5]])
    assert np.allclose(from_afni(rows, MOVING, RAS)[0][:3, 3], [-1.5, 2.5, 3.5])


def test_afni_on_an_oblique_grid_sees_the_cardinal_one():
    cardinal = cardinal_affine(OBLIQUE)
    assert np.allclose(cardinal, [[2, 0, 0, -10], [0, 2, 0, -20], [0, 0, 2, -30], [0, 0, 0, 1]])
    # two voxels along the second axis: (0, 4, 0) mm as AFNI sees it, (0, 3.2, 2.4) mm in the scanner
    rows = np.array([[1.0, 0, 0, 0, 0, 1, 0, -4, 0, 0, 1, 0]])
    assert np.allclose(from_afni(rows, Grid((9, 9, 9), OBLIQUE), cardinal)[0][:3, 3], [0, 3.2, 2.4], atol=1e-12)


def test_cardinal_affine_keeps_a_straight_one():
    assert np.array_equal(cardinal_affine(LAS), LAS)


def test_itk_affine_about_a_centre(tmp_path):
    # LPS: turn by 90 degrees about z through (10, 20, 30), then shift by (1, 2, 3); (11, 20, 30) goes to (11, 23, 33)
    turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    values = np.concatenate([turn.ravel(), [1, 2, 3]])[:, None]
    savemat(
        tmp_path / "x.mat",
        {"AffineTransform_double_3_3": values, "fixed": np.array([[10.0], [20], [30]])},
        format="4",
    )
    pulled = read_itk_affine(tmp_path / "x.mat")
    assert np.allclose(apply_affine(pulled, np.array([[-11.0], [-20], [30]])).T, [[-11, -23, 33]], atol=1e-12)


def test_itk_euler_angles(tmp_path):
    # numbers of SimpleITK: Euler3DTransform((1, 2, 3), 0.1, 0.2, 0.3, (4, 5, 6)) takes (7, 8, 9) to these
    parameters = np.array([[0.1], [0.2], [0.3], [4], [5], [6]])
    savemat(
        tmp_path / "x.mat",
        {"Euler3DTransform_double_3_3": parameters, "fixed": np.array([[1.0], [2], [3]])},
        format="4",
    )
    pulled = read_itk_affine(tmp_path / "x.mat")
    found = apply_affine(pulled, np.array([[-7.0], [-8], [9]])).ravel() * [-1, -1, 1]
    assert np.allclose(found, SIMPLE_ITK, atol=1e-9)


SIMPLE_ITK = [10.130593930381117, 14.346272134027936, 14.263961593167362]


def test_other_itk_transforms_are_refused(tmp_path):
    savemat(
        tmp_path / "x.mat", {"BSplineTransform_double_3_3": np.zeros((30, 1)), "fixed": np.zeros((3, 1))}, format="4"
    )
    with pytest.raises(EngineError, match="BSplineTransform"):
        read_itk_affine(tmp_path / "x.mat")


def test_itk_field_is_a_displacement_in_lps():
    field = np.zeros((3, 4, 5, 1, 3))
    field[1, 2, 3, 0] = [1, 2, 3]
    found = from_itk_field(field, RAS)
    assert np.array_equal(found[1, 2, 3], RAS[:3, :3] @ [1, 2, 3] + RAS[:3, 3] + [-1, -2, 3])
    assert np.array_equal(found[0, 0, 0], RAS[:3, 3])


def test_a_map_moves_to_another_grid_and_mends_holes():
    affine = matrix_of(np.array([1.0, 2, 3, 0.1, 0.2, 0.1]))
    affine[:3, :3] *= 1.1
    fine = np.diag([3.0, 3, 3, 1])
    coordinates = apply_affine(affine, grid_points((9, 9, 9), fine)).T.reshape(9, 9, 9, 3)
    target = Grid((5, 5, 5), np.array([[4.0, 0, 0, 2], [0, 4, 0, 3], [0, 0, 4, 1], [0, 0, 0, 1]]))
    found = onto_grid(coordinates, fine, target)
    assert (
        np.abs(found - apply_affine(affine, grid_points(target.shape, target.affine)).T.reshape(found.shape)).max()
        < 1e-4
    )
    holed = np.tile([5.0, 6, 7], (9, 9, 9, 1)) + grid_points((9, 9, 9), fine).T.reshape(9, 9, 9, 3)
    holed[:3] = np.nan
    outside = Grid((4, 4, 4), np.diag([20.0, 20, 20, 1]))
    moved = onto_grid(holed, fine, outside) - grid_points(outside.shape, outside.affine).T.reshape(4, 4, 4, 3)
    assert np.allclose(moved, [5, 6, 7])
