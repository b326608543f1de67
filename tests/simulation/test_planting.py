import numpy as np
from nilearn.glm.first_level import compute_regressor

from hyper.preprocess.template import load_template
from hyper.simulation.planting import spline_blur
from hyper.simulation.regions import REGIONS, region_names
from hyper.simulation.scanner import response_courses


def test_regions_lie_behind_and_on_both_sides(phantom):
    assert set(phantom.regions) <= {f"{side} {region}" for side in ("left", "right") for region in REGIONS}
    assert len(set(phantom.regions)) == 2 * len(REGIONS)
    assert phantom.template_points[:, 1].max() < -30
    left = np.char.startswith(phantom.regions.astype(str), "left")
    assert (phantom.template_points[left, 0] < phantom.template_points[~left, 0].min() + 10).all()


def test_names_of_points():
    names = region_names(np.array([[42.0, -54, -18], [-42, -54, -18], [0, 40, 40]]).T)
    assert names.tolist() == ["right FFA", "left FFA", ""]


def test_planted_voxels_are_grey_matter(phantom):
    template = load_template(1.0)
    index = np.rint(np.linalg.inv(template.affine)[:3] @ np.c_[phantom.template_points, np.ones(len(phantom.voxels))].T)
    assert (template.gm[tuple(index.astype(int))] > 0.3).mean() > 0.95


def test_strength(phantom, settings):
    planted = phantom.planted
    assert abs(planted.mean.mean() - settings["response"]["mean"]) < 1e-3
    spread = np.linalg.norm(planted.weights, axis=1)
    assert abs(spread.mean() - settings["response"]["spread"]) < 1e-3
    assert spread.std() > 0.1 * spread.mean()


def test_responses_are_linear_in_latents(phantom):
    planted, rng = phantom.planted, np.random.default_rng(1)
    a, b = rng.standard_normal((2, 1, 12))
    shown = np.array([1])
    zero = planted.responses(np.zeros((1, 12)), shown, 0.0)
    evoked = [planted.responses(z, shown, 0.0) - zero for z in (a, b, 2 * a - 3 * b)]
    assert np.allclose(evoked[2], 2 * evoked[0] - 3 * evoked[1], atol=1e-5)
    assert np.allclose(zero[0], planted.mean)


def test_null_trials(phantom, latents):
    shown = np.array([0, 3])
    assert not phantom.planted.responses(latents, shown, 0.0)[0].any()
    assert np.allclose(phantom.planted.responses(latents, shown, 0.2)[0], 0.2 * phantom.planted.mean)


def test_response_course_is_the_canonical_one():
    courses = response_courses(np.array([12.0, 30.0]), 2.167, 60, 1.5)
    expected = compute_regressor(np.array([[12.0], [2.167], [1.0]]), "spm", np.arange(60) * 1.5)[0][:, 0]
    assert np.allclose(courses[:, 0] / courses[:, 0].max(), expected / expected.max())
    assert 0.9 < courses[:, 0].max() < 1.01
    assert np.allclose(courses[12:40, 1], courses[:28, 0], atol=1e-6)


def test_blur_of_a_uniform_change_is_uniform():
    shape, coefficients = (6, 6, 6), np.random.default_rng(0).uniform(0.9, 1.1, (6, 6, 6))
    inner = np.ravel_multi_index(np.indices((6, 6, 6)).reshape(3, -1), shape)
    centre = np.ravel_multi_index((3, 3, 3), shape)
    assert np.isclose((spline_blur(inner, shape, coefficients) @ np.ones(216))[centre], 1.0)
