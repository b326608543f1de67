import numpy as np
import pytest

from hyper.preprocess.motion import framewise_displacement, matrix_of, motion_table, parameters_of
from hyper.preprocess.template import load_template


def test_parameters_and_matrices_are_inverse():
    parameters = np.random.default_rng(0).normal(scale=0.3, size=(20, 6))
    matrices = matrix_of(parameters)
    np.testing.assert_allclose(parameters_of(matrices), parameters, atol=1e-12)
    rotations = matrices[:, :3, :3]
    np.testing.assert_allclose(
        rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), (20, 3, 3)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(rotations), 1)


def test_matrix_of_single_parameters_has_no_leading_axis():
    matrix = matrix_of(np.array([1, 2, 3, 0, 0, np.pi / 2]))
    assert matrix.shape == (4, 4)
    np.testing.assert_allclose(matrix @ [1, 0, 0, 1], [1, 1, 3, 1], atol=1e-12)


def test_framewise_displacement_is_powers():
    parameters = np.zeros((3, 6))
    parameters[1] = [1, -2, 0, 0.01, 0, 0]
    displacement = framewise_displacement(parameters)
    assert np.isnan(displacement[0])
    np.testing.assert_allclose(displacement[1:], [3 + 50 * 0.01, 3 + 50 * 0.01])


def test_motion_table_has_the_columns_of_the_contract():
    table = motion_table(np.repeat(np.eye(4)[None], 2, 0))
    assert list(table) == ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z", "framewise_displacement"]
    assert table["framewise_displacement"].isna().tolist() == [True, False]


@pytest.mark.parametrize("resolution", [1.0, 2.5, 4.0])
def test_template_of_any_resolution(resolution):
    template = load_template(resolution)
    np.testing.assert_allclose(np.diag(template.affine)[:3], resolution)
    assert template.t1.shape == template.brain.shape == template.gm.shape == template.wm.shape
    assert 1.8e6 < template.brain.sum() * resolution**3 < 1.95e6
    with pytest.raises(ValueError, match="read-only"):
        template.t1[0, 0, 0] = 1
