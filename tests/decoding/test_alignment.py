import numpy as np
import pytest

from hyper.decoding.alignment import fit_shared_space
from hyper.decoding.ridge import RidgeDecoder
from hyper.errors import DataError

NAMES = np.array([f"{i:04d}" for i in range(120)])


def draw(voxels=(40, 60, 50), trials=120, seed=0, noise=1.5):
    rng = np.random.default_rng(1)
    maps = [rng.normal(size=(8, count)) for count in voxels]
    rng = np.random.default_rng(seed)
    latents = rng.normal(size=(trials, 8))
    return [latents @ a + noise * rng.normal(size=(trials, a.shape[1])) + 3 for a in maps], latents


def fit(responses, **options):
    subjects = [f"0{i}" for i in range(len(responses))]
    return fit_shared_space(dict(zip(subjects, responses, strict=True)), dict.fromkeys(subjects, NAMES), **options)


def test_maps_are_orthonormal_and_subjects_agree():
    responses, _ = draw()
    space = fit(responses, dimensions=8)
    for weights in space.maps.values():
        assert np.allclose(weights.T @ weights, np.eye(8), atol=1e-10)
    new, _ = draw(seed=5)
    a, b = space.project("00", new[0]), space.project("01", new[1])
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.6
    assert abs(np.corrcoef(a.ravel(), b[::-1].ravel())[0, 1]) < 0.2


def test_others_help_a_subject():
    """A decoder of the shared responses, applied to one subject's test responses, beats the subject's own."""
    responses, latents = draw(voxels=(40,) * 6, noise=5)
    new, true = draw(voxels=(40,) * 6, noise=2, seed=7)
    space = fit(responses, dimensions=8)
    shared = RidgeDecoder(scaling="none", device="cpu").fit(space.shared, latents)
    own = RidgeDecoder(device="cpu").fit(responses[0], latents)

    def cosine(decoded):
        return ((decoded * true).sum(axis=1) / np.linalg.norm(decoded, axis=1) / np.linalg.norm(true, axis=1)).mean()

    assert cosine(shared.decode(space.project("00", new[0]))) > cosine(own.decode(new[0]))


def test_test_responses_pass_through_unscaled():
    """What one test response becomes depends on no other."""
    responses, _ = draw()
    space = fit(responses)
    new, _ = draw(seed=5)
    assert np.allclose(space.project("02", new[2])[3:4], space.project("02", new[2][3:4]))


def test_order_and_repeats_of_stimuli_play_no_part():
    responses, _ = draw()
    space = fit(responses, dimensions=8)
    order = np.random.default_rng(0).permutation(120)
    again = fit_shared_space(
        {"00": responses[0][order], "01": responses[1], "02": responses[2]},
        {"00": NAMES[order], "01": NAMES, "02": NAMES},
        dimensions=8,
    )
    assert np.allclose(space.shared, again.shared, atol=1e-8)


def test_misfits_are_refused():
    responses, _ = draw()
    with pytest.raises(DataError, match="one subject alone"):
        fit(responses[:1])
    with pytest.raises(DataError, match="0 training stimuli were seen by all"):
        fit_shared_space({"a": responses[0], "b": responses[1]}, {"a": NAMES, "b": np.char.add(NAMES, "x")})
    space = fit(responses)
    with pytest.raises(DataError, match="no shared space"):
        space.project("09", responses[0])
    with pytest.raises(DataError, match="40 voxels"):
        space.project("00", responses[1])
