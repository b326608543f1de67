import numpy as np

from hyper.decoding.interpolation import interpolate


def test_ends_are_exact_and_the_way_is_even():
    rng = np.random.default_rng(0)
    start, end = rng.normal(size=(3, 8)), 2 * rng.normal(size=(3, 8))
    way = interpolate(start, end, 5)
    assert way.shape == (3, 5, 8)
    assert np.array_equal(way[:, 0], start)
    assert np.array_equal(way[:, -1], end)
    lengths = np.linalg.norm(way, axis=2)
    assert np.allclose(np.diff(lengths, 2, axis=1), 0, atol=1e-12)
    unit = way / lengths[..., None]
    turns = np.arccos((unit[:, 1:] * unit[:, :-1]).sum(axis=2))
    assert np.allclose(turns, turns[:, :1], atol=1e-7)
    assert np.allclose(turns.sum(axis=1), np.arccos((unit[:, 0] * unit[:, -1]).sum(axis=1)))


def test_zero_and_parallel_latents_go_straight():
    start = np.array([[0.0, 0], [1, 0], [1, 0]])
    end = np.array([[2.0, 0], [3, 0], [-1, 0]])
    assert np.allclose(interpolate(start, end, 3)[:, 1], [[1, 0], [2, 0], [0, 0]])
