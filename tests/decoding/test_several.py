from dataclasses import replace

import numpy as np
import pytest

from hyper.decoding.alignment import check_common
from hyper.decoding.registry import make_decoder
from hyper.decoding.several import shared_responses
from hyper.errors import DataError
from hyper.responses.matrices import Responses, scaling_of

TRIALS, LATENTS, TEST = 200, 30, 40


def draw(subjects=2, noise=8.0, seed=0, voxels=150, repeats=10):
    """Subjects who encode the same 5 of 30 directions of the latent, weakly, each in voxels and an order of its own."""
    rng = np.random.default_rng(seed)
    latents, new = rng.normal(size=(TRIALS, LATENTS)), rng.normal(size=(TEST, LATENTS))
    encoded = np.linalg.qr(rng.normal(size=(LATENTS, LATENTS)))[0][:, :5]
    names = np.array([f"{i:04d}" for i in range(TRIALS)])
    drawn = {}
    for number in range(subjects):
        weights, order = encoded @ rng.normal(size=(5, voxels + number)), rng.permutation(TRIALS)
        train = latents @ weights + noise * rng.normal(size=(TRIALS, voxels + number))
        test = new @ weights + noise / np.sqrt(repeats) * rng.normal(size=(TEST, voxels + number))
        mean, std = scaling_of(train)
        drawn[f"0{number + 1}"] = Responses(
            train=train[order].astype(np.float32),
            test=test.astype(np.float32),
            train_stimuli=names[order],
            test_stimuli=np.array([f"t{i}" for i in range(TEST)]),
            train_series=np.repeat(["a", "b", "c", "d"], TRIALS // 4),
            train_latents=latents[order],
            test_latents=new,
            test_repeats=np.full(TEST, repeats),
            ijk=np.argwhere(np.ones((1, 1, voxels + number))),
            affine=np.eye(4),
            mean=mean,
            std=std,
        )
    return drawn


def cosine(responses, kind):
    decoder = make_decoder(kind, seed=0).fit(
        responses.train,
        responses.train_latents,
        scaling=(responses.mean, responses.std),
        series=responses.train_series,
    )
    decoded, true = decoder.decode(responses.test, responses.test_repeats), responses.test_latents
    return ((decoded * true).sum(axis=1) / np.linalg.norm(decoded, axis=1) / np.linalg.norm(true, axis=1)).mean()


@pytest.mark.parametrize("kind", ["ridge", "noise-aware"])
def test_a_second_subject_helps_where_both_encode_few_directions(kind):
    own = draw()
    shared = shared_responses(own, dimensions=10)
    assert all(cosine(shared[name], kind) > 1.02 * cosine(own[name], kind) for name in own)


def test_corrupted_test_responses_change_nothing_that_is_learned():
    own = draw()
    before = shared_responses(own, dimensions=10)
    spoilt = replace(own["01"], test=own["01"].test[::-1] * 100 + 7)
    after = shared_responses({**own, "01": spoilt}, dimensions=10)
    for name in own:
        for field in ("train", "train_latents", "train_stimuli", "train_series", "mean", "std"):
            assert np.array_equal(getattr(after[name], field), getattr(before[name], field)), field
    assert np.array_equal(after["02"].test, before["02"].test)
    assert not np.allclose(after["01"].test, before["01"].test)


def test_training_trials_of_all_and_the_own_test():
    own = draw(subjects=3)
    shared = shared_responses(own, dimensions=10)
    for name, responses in shared.items():
        assert responses.train.shape == (3 * TRIALS, 10)
        assert np.array_equal(responses.train_latents[TRIALS : 2 * TRIALS], own["02"].train_latents)
        assert np.array_equal(responses.test_latents, own[name].test_latents)
        assert np.array_equal(responses.test_repeats, own[name].test_repeats)
    assert not np.allclose(shared["01"].test, shared["02"].test)


def test_a_left_out_run_takes_its_stimuli_from_all_subjects():
    shared = shared_responses(draw(), dimensions=10)["02"]
    runs = dict(zip(shared.train_stimuli[:TRIALS], shared.train_series[:TRIALS], strict=True))
    assert set(runs.values()) == {"a", "b", "c", "d"}
    assert shared.train_series.tolist() == [runs[name] for name in shared.train_stimuli]


def test_saved_and_loaded(tmp_path):
    shared = shared_responses(draw(), dimensions=10)["01"]
    shared.save(tmp_path / "shared.h5", subject="01")
    again = Responses.load(tmp_path / "shared.h5")
    assert np.array_equal(again.train, shared.train)
    assert np.array_equal(again.test, shared.test)
    assert (again.ijk == -1).all()


def test_a_stimulus_that_is_not_the_same_for_all_is_refused():
    own = draw()
    other = replace(own["02"], train_latents=own["02"].train_latents[::-1])
    with pytest.raises(DataError, match=r"training stimulus 0\d+.*its latent for sub-02 is not that for sub-01"):
        shared_responses({"01": own["01"], "02": other})


def test_too_little_in_common_is_refused():
    training = {name: (responses.train_stimuli, responses.train_latents) for name, responses in draw().items()}
    check_common(training)
    training["02"] = np.char.add("x", training["02"][0]), training["02"][1]
    with pytest.raises(DataError, match="0 training stimuli were seen by all subjects"):
        check_common(training)
