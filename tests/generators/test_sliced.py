"""The sliced Wasserstein distance: small between equals, larger for each fault, at the level of the fault."""

import numpy as np
import pytest

from hyper.errors import DataError
from hyper.generators.training.sliced import sliced_wasserstein


@pytest.fixture(scope="module")
def images():
    random = np.random.default_rng(0)
    coarse = random.integers(60, 196, (120, 3, 8, 8)).repeat(4, 2).repeat(4, 3)
    return np.clip(coarse + random.normal(0, 20, (120, 3, 32, 32)), 0, 255).astype(np.uint8)


def test_same_images_are_nearer_than_others(images):
    floor = sliced_wasserstein(images[:60], images[60:])
    assert list(floor) == [32, 16]
    smooth = images[60:].reshape(60, 3, 16, 2, 16, 2).mean((3, 5)).repeat(2, 2).repeat(2, 3).astype(np.uint8)
    blurred = sliced_wasserstein(images[:60], smooth)
    assert blurred[32] > 1.5 * floor[32]
    assert blurred[16] < 1.2 * floor[16]


def test_projections_of_known_shift():
    """Patches of constant images, normalised per colour, differ by nothing: the distance is exactly 0."""
    images = np.zeros((4, 3, 16, 16), np.uint8)
    assert sliced_wasserstein(images, images) == {16: 0.0}


def test_sets_must_match(images):
    with pytest.raises(DataError, match="cannot be compared"):
        sliced_wasserstein(images[:3], images[:4])
