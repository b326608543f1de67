import numpy as np
import pytest

from hyper.errors import DataError
from hyper.io.spaces import grid_points
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import draw_anatomy
from hyper.simulation.t1w import grid_around, t1w_image

TEMPLATE = load_template(4.0)
BRAIN = grid_points(TEMPLATE.brain.shape, TEMPLATE.affine, TEMPLATE.brain)


def test_there_and_back(person):
    _, anatomy = person
    back = anatomy.to_template(anatomy.to_subject(BRAIN))
    assert np.linalg.norm(back - BRAIN, axis=0).max() < 0.001


def test_there_and_back_on_a_grid(person):
    head, anatomy = person
    shape, affine = grid_around(head, anatomy, 3.0)
    points = anatomy.to_template_on_grid(shape, affine).astype(float)
    chosen = np.random.default_rng(0).choice(points.shape[1], 20000)
    world = grid_points(shape, affine)[:, chosen]
    assert np.linalg.norm(anatomy.to_subject(points[:, chosen]) - world, axis=0).max() < 0.1


@pytest.mark.parametrize("subject", ["01", "02", "03"])
def test_the_warp_has_its_size_and_folds_nothing(settings, subject):
    anatomy = draw_anatomy(settings["anatomy"], TEMPLATE.brain, TEMPLATE.affine, 3, subject)
    displacement = anatomy.displacement(BRAIN)
    assert np.sqrt((displacement**2).sum(axis=0).mean()) == pytest.approx(2.5, rel=1e-6)
    assert np.abs(displacement.mean(axis=1)).max() < 1e-6
    jacobian = anatomy.jacobian(BRAIN)
    assert jacobian.min() > 0.3
    assert jacobian.max() < 2
    assert 0.7 < np.linalg.det(anatomy.affine[:3, :3]) < 1.4


def test_people_differ_and_a_seed_repeats(settings):
    drawn = [draw_anatomy(settings["anatomy"], TEMPLATE.brain, TEMPLATE.affine, 3, s) for s in ("01", "01", "02")]
    assert np.array_equal(drawn[0].warp, drawn[1].warp)
    assert not np.allclose(drawn[0].affine, drawn[2].affine)


def test_a_warp_that_folds_is_refused(settings):
    steep = {**settings["anatomy"], "warp": 12.0, "warp_smoothness": 25.0}
    with pytest.raises(DataError, match="folds space"):
        draw_anatomy(steep, TEMPLATE.brain, TEMPLATE.affine, 3, "01")


def test_contrasts(person):
    head, _ = person
    tissues, layers = head.tissues(BRAIN), head.layers(BRAIN)
    t1, epi = head.t1(BRAIN), head.epi(BRAIN)
    deep = layers["brain"] > 0.99
    upper = deep & (BRAIN[2] > 0)
    pure = {name: upper & (part > 0.8) for name, part in tissues.items()}
    assert all(chosen.sum() > 20 for chosen in pure.values())
    assert epi[pure["csf"]].mean() > 1.1 > epi[pure["gm"]].mean() > 0.9 > epi[pure["wm"]].mean() > 0.6
    assert t1[pure["csf"]].mean() < t1[pure["gm"]].mean() < t1[pure["wm"]].mean()


def test_signal_drops_out_above_the_sinuses(person):
    head, _ = person
    place = np.array([[0.0, 0.0], [34.0, -60.0], [-22.0, -22.0]])
    gone, kept = head.epi(place)
    assert gone < 0.4 * kept


def test_t1w_has_a_scalp_a_dark_skull_and_air(person, settings):
    head, anatomy = person
    image, affine = t1w_image(head, anatomy, settings["anatomy"], 3, "01")
    assert image.dtype == np.int16
    layers = head.layers(anatomy.to_template_on_grid(image.shape, affine))
    level = {name: image.ravel()[part > 0.9].mean() for name, part in layers.items() if (part > 0.9).sum() > 50}
    air = image.ravel()[sum(layers.values()) < 0.01]
    assert level["scalp"] > 4 * level["skull"]
    assert level["brain"] > 3 * level["skull"]
    assert air.mean() < 60
    again, _ = t1w_image(head, anatomy, settings["anatomy"], 3, "01")
    assert np.array_equal(image, again)
