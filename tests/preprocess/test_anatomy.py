import importlib.util

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from hyper.errors import DataError, DatasetError
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import write_image
from hyper.preprocess.brain import bold_brain_mask, brain_mask, correct_bias
from hyper.preprocess.coregistration import register_bold
from hyper.preprocess.motion import matrix_of
from hyper.preprocess.normalisation import coordinates_of, register_to_template
from hyper.preprocess.template import TemplateFiles, load_template
from hyper.preprocess.warp import Flow, Image, register_warp


@pytest.fixture(scope="module")
def subject(head):
    """T1w brain of a subject on an LAS grid, and the known map from template to subject (mm)."""
    turn = matrix_of(np.array([6, -5, 4, 0.08, -0.05, 0.06]))
    turn[:3, :3] = turn[:3, :3] @ np.diag([1.05, 0.96, 1.03])

    def displacement(points):
        x, y, z = points / 22
        return 2.5 * np.array([np.sin(y + 0.4 * z), np.cos(z - 0.5 * x), np.sin(x + 0.7 * y)])

    def to_subject(points):
        return apply_affine(turn, points + displacement(points))

    shape, affine = (70, 84, 74), np.diag([-2.5, 2.5, 2.5, 1.0])
    affine[:3, 3] = apply_affine(turn, np.array([[0], [-18], [8.0]]))[:, 0] - np.diag(affine)[:3] * np.array(shape) / 2
    still = apply_affine(np.linalg.inv(turn), grid_points(shape, affine))
    points = still.copy()
    for _ in range(30):
        points = still - displacement(points)
    brain = head.sample(head.brain, points, order=1).reshape(shape) > 0.5
    return head.sample(head.t1, points).reshape(shape) * brain, affine, brain, to_subject, turn


def error_of(coordinates, to_subject, resolution):
    template = load_template(resolution)
    true = to_subject(grid_points(template.brain.shape, template.affine, template.brain))
    return np.linalg.norm(coordinates[template.brain].T - true, axis=0).mean()


@pytest.mark.parametrize("engine", ["hyper", "dipy"])
def test_known_warp_is_found(subject, engine):
    t1w, affine, brain, to_subject, turn = subject
    options = {"warp_resolution_mm": 4.0, "affine_iterations": (60, 30), "warp_iterations": (20, 20), "engine": engine}
    coordinates, template_affine = register_to_template(t1w, affine, brain, resolution_mm=4.0, **options)
    template = load_template(4.0)
    np.testing.assert_array_equal(template_affine, template.affine)
    points = grid_points(template.brain.shape, template.affine)
    linear = apply_affine(turn, points).T.reshape(coordinates.shape)
    error = error_of(coordinates, to_subject, 4.0)
    assert error < 1.0
    assert error < 0.5 * error_of(linear, to_subject, 4.0)


def test_quick_takes_fewer_steps_and_still_warps(subject):
    t1w, affine, brain, to_subject, _turn = subject
    options = {"warp_resolution_mm": 6.0, "affine_iterations": (30,), "resolution_mm": 6.0}
    quick = register_to_template(t1w, affine, brain, quick=True, warp_iterations=(8, 12), **options)[0]
    same = register_to_template(t1w, affine, brain, warp_iterations=(4, 6), **options)[0]
    none = register_to_template(t1w, affine, brain, warp_iterations=(), **options)[0]
    assert np.array_equal(quick, same)
    assert error_of(quick, to_subject, 6.0) < error_of(none, to_subject, 6.0)


@pytest.mark.parametrize("engine", ["hyper", "dipy"])
def test_registration_repeats(subject, engine):
    t1w, affine, brain, *_ = subject
    options = {"warp_resolution_mm": 8.0, "affine_iterations": (5, 5), "warp_iterations": (5, 5), "engine": engine}
    first, second = (register_to_template(t1w, affine, brain, resolution_mm=8.0, **options)[0] for _ in range(2))
    assert np.array_equal(first, second)


def test_the_warp_is_the_same_with_any_number_of_threads_and_does_not_fold(subject):
    t1w, affine, brain, _, turn = subject
    template = load_template(4.0)
    fixed, moving = Image(template.t1, template.affine, template.brain), Image(t1w, affine, brain)
    one, two = (register_warp(fixed, moving, turn, [(8.0, 10), (5.0, 10)], Flow(), threads) for threads in (1, 2))
    assert np.array_equal(one.field, two.field)
    assert np.abs(one.field).max() > 1
    assert one.least_jacobian() > 0


def test_antspyx_is_an_engine_or_says_how_to_get_it(subject):
    t1w, affine, brain, to_subject, _turn = subject
    options = {"warp_resolution_mm": 4.0, "warp_iterations": (20, 20), "engine": "antspyx", "resolution_mm": 4.0}
    if importlib.util.find_spec("ants") is None:
        with pytest.raises(DataError, match="pip install antspyx"):
            register_to_template(t1w, affine, brain, **options)
        return
    first, second = (register_to_template(t1w, affine, brain, **options)[0] for _ in range(2))
    assert np.array_equal(first, second)
    assert error_of(first, to_subject, 4.0) < 1.2


def test_bold_alone_reaches_the_template(subject, head):
    """The mean BOLD volume with its inverted contrast, straight to the template in EPI contrast."""
    _t1w, affine, brain, to_subject, turn = subject
    still = grid_points(brain.shape, affine)
    points = apply_affine(np.linalg.inv(turn), still)
    for _ in range(30):
        moved = to_subject(points)
        points = points - apply_affine(np.linalg.inv(turn), moved) + apply_affine(np.linalg.inv(turn), still)
    epi = head.sample(head.epi, points).reshape(brain.shape)
    epi = np.abs(epi + np.random.default_rng(0).normal(0, 8, epi.shape))
    mask = bold_brain_mask(epi, affine)
    assert 2 * (mask & brain).sum() / (mask.sum() + brain.sum()) > 0.94
    options = {"warp_resolution_mm": 3.0, "affine_iterations": (60, 30), "warp_iterations": (20, 20)}
    found, _ = register_to_template(np.where(mask, epi, 0), affine, mask, contrast="bold", resolution_mm=4.0, **options)
    points = grid_points(load_template(4.0).brain.shape, load_template(4.0).affine)
    linear = apply_affine(turn, points).T.reshape(found.shape)
    assert error_of(found, to_subject, 4.0) < 0.67 * error_of(linear, to_subject, 4.0)


def test_a_template_of_ones_own(subject, tmp_path):
    """A template that is the packaged one, moved: the map takes its points where the packaged one's would go."""
    t1w, affine, brain, to_subject, _ = subject
    fine, shift = load_template(2.0), np.eye(4)
    shift[:3, 3] = [7, -3, 5]
    write_image(tmp_path / "t1w.nii.gz", 500 * fine.t1, shift @ fine.affine)
    write_image(tmp_path / "mask.nii.gz", fine.brain.astype(np.uint8), shift @ fine.affine)
    files = TemplateFiles.of({"t1w": str(tmp_path / "t1w.nii.gz"), "mask": str(tmp_path / "mask.nii.gz")})
    options = {"warp_resolution_mm": 4.0, "affine_iterations": (60, 30), "warp_iterations": (15, 15)}
    found, grid = register_to_template(t1w, affine, brain, resolution_mm=4.0, files=files, **options)
    own = load_template(4.0, files)
    points = apply_affine(np.linalg.inv(shift), grid_points(own.brain.shape, grid, own.brain))
    assert np.linalg.norm(found[own.brain].T - to_subject(points), axis=0).mean() < 1.2
    with pytest.raises(DataError, match=r"preprocess\.template\.bold"):
        register_to_template(t1w, affine, brain, contrast="bold", files=files)
    with pytest.raises(DatasetError, match="not stripped"):
        write_image(tmp_path / "head.nii.gz", 1 + fine.t1, fine.affine)
        load_template(4.0, TemplateFiles(str(tmp_path / "head.nii.gz")))


def test_composition_with_a_known_affine_is_exact():
    from dipy.align.imwarp import DiffeomorphicMap

    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = [-30, -36, -20]
    prealign = matrix_of(np.array([5, -7, 3, 0.2, 0.1, -0.15])) @ np.diag([1.1, 0.9, 1.0, 1])
    warp = DiffeomorphicMap(3, (20, 24, 18), disp_grid2world=affine, prealign=prealign)
    warp.allocate()
    fine = affine @ np.diag([0.5, 0.5, 0.5, 1])
    found = coordinates_of(warp, (40, 48, 36), fine)
    true = apply_affine(prealign, grid_points((40, 48, 36), fine))
    np.testing.assert_allclose(found.reshape(-1, 3).T, true, atol=2e-3)


def test_empty_brain_is_refused():
    with pytest.raises(DataError, match="empty"):
        register_to_template(np.zeros((9, 9, 9)), np.eye(4), np.zeros((9, 9, 9), bool))
    with pytest.raises(DatasetError, match="constant"):
        bold_brain_mask(np.ones((9, 9, 9)), np.eye(4))


@pytest.mark.parametrize("seed", [0, 1])
def test_bold_is_registered_to_the_brain_despite_inverted_contrast(head, bold_grid, seed):
    random = np.random.default_rng(seed)
    pose = matrix_of(np.concatenate([random.uniform(-25, 25, 3), np.deg2rad(random.uniform(-8, 8, 3))]))
    affine = bold_grid[1]
    boldref = head.run(bold_grid, np.eye(4)[None], snr=200, seed=seed)[..., 0]
    template = load_template(2.0)
    found = register_bold(boldref, pose @ affine, 900 * template.t1, template.affine, template.brain)
    points = grid_points(template.brain.shape, template.affine, template.brain)[:, ::100]
    error = np.linalg.norm(apply_affine(found, points) - apply_affine(pose, points), axis=0).mean()
    assert error < 0.35


def test_the_boundary_refines_what_mutual_information_finds(head, bold_grid):
    """The receive field and dropout of an EPI volume pull mutual information, not the boundary of white matter."""
    affine, template = bold_grid[1], load_template(2.0)
    boldref = head.run(bold_grid, np.eye(4)[None], snr=200, seed=2)[..., 0]
    away = grid_points(boldref.shape, affine) - np.array([[0], [40], [-20.0]])
    boldref = boldref * (1 - 0.8 * np.exp(-(away**2).sum(0) / (2 * 18**2))).reshape(boldref.shape)
    pose = matrix_of(np.array([5, -4, 3, 0.05, -0.03, 0.04]))
    points = grid_points(template.brain.shape, template.affine, template.brain)[:, ::100]
    errors = []
    for boundary_mm in (0.0, 2.0):
        t1w = 900 * template.t1
        found = register_bold(boldref, pose @ affine, t1w, template.affine, template.brain, boundary_mm=boundary_mm)
        errors.append(np.linalg.norm(apply_affine(found, points) - apply_affine(pose, points), axis=0).mean())
    assert errors[1] < min(0.35, 0.4 * errors[0])


def test_stripped_volume_keeps_its_mask(subject):
    t1w, affine, brain, *_ = subject
    mask = brain_mask(t1w, affine, "none")
    assert 2 * (mask & brain).sum() / (mask.sum() + brain.sum()) > 0.99


def test_volume_with_skull_is_refused_without_extraction():
    with pytest.raises(DatasetError, match="not stripped"):
        brain_mask(np.random.default_rng(0).uniform(1, 2, (20, 20, 20)), np.eye(4), "none")


def test_deepbet_finds_the_brain(subject):
    pytest.importorskip("deepbet", reason="deepbet is not installed")
    t1w, affine, brain, *_ = subject
    mask = brain_mask(t1w, affine, "deepbet")
    assert 2 * (mask & brain).sum() / (mask.sum() + brain.sum()) > 0.95
    assert nib.aff2axcodes(affine) == ("L", "A", "S")


def test_receive_field_is_divided_out(subject):
    t1w, affine, brain, *_ = subject
    inside = ndimage.binary_erosion(brain, iterations=2) & (t1w > 100)
    world = grid_points(brain.shape, affine).reshape(3, *brain.shape)
    field = np.exp(0.006 * world[0] - 0.004 * world[2])
    corrected = correct_bias(t1w * field, affine, brain, order=2)
    left = (corrected / np.maximum(t1w, 1))[inside]
    assert left.std() / left.mean() < 0.4 * field[inside].std() / field[inside].mean()
    assert (corrected[~brain] == 0).all()
    np.testing.assert_array_equal(correct_bias(t1w, affine, brain, order=0), np.where(brain, t1w, 0).astype(np.float32))
