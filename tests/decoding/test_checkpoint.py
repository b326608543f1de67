"""A training that was killed goes on, to the same bits."""

import numpy as np
import pytest
import torch

from hyper.decoding import training
from hyper.decoding.checkpoint import Checkpoint
from hyper.decoding.dense import DenseDecoder
from hyper.generators.pggan import PGGAN
from tests.decoding.test_dense import make_data

EPOCHS = 11


class Killed(Exception):
    pass


@pytest.fixture(autouse=True)
def short_rounds(monkeypatch):
    monkeypatch.setattr(training, "ROUND", 2)


def make(path=None, layer=None, **settings):
    decoder = DenseDecoder(**({"epochs": EPOCHS, "learning_rate": 1e-3, "device": "cpu", "layer": layer} | settings))
    decoder.checkpoint, decoder.interval = path, 0.0
    if layer:
        decoder.generator = PGGAN(6, (5, 4))
        for number, weight in enumerate(decoder.generator.parameters()):
            weight.data = torch.randn(weight.shape, generator=torch.Generator().manual_seed(number)) / 3
    return decoder


def kill_after(monkeypatch, count):
    """The process ends right after the checkpoint of this number was written."""
    save, calls = Checkpoint.save, []

    def saved(self, layer):
        save(self, layer)
        calls.append(layer.epoch)
        if len(calls) == count:
            raise Killed

    monkeypatch.setattr(Checkpoint, "save", saved)
    return calls


@pytest.mark.parametrize("layer", [None, "L1"])
def test_a_killed_training_goes_on_bit_for_bit(tmp_path, monkeypatch, layer):
    x, z = make_data()
    path, watched = tmp_path / "training.safetensors", (x[:9], z[:9])
    whole = make(layer=layer).fit(x, z, watched=watched)
    with monkeypatch.context() as patch:
        kill_after(patch, 3)
        with pytest.raises(Killed):
            make(path, layer).fit(x, z, watched=watched)
    assert path.exists()
    with monkeypatch.context() as patch:
        epochs = kill_after(patch, 99)
        resumed = make(path, layer).fit(x, z, watched=watched)
    assert epochs == [8, 10]
    assert np.array_equal(resumed.weight, whole.weight)
    assert np.array_equal(resumed.bias, whole.bias)
    assert resumed.curve.equals(whole.curve)
    assert not path.exists()


@pytest.mark.parametrize("change", ["seed", "data", "code", "damage"])
def test_what_does_not_fit_is_not_gone_on_with(tmp_path, monkeypatch, change):
    x, z = make_data()
    path = tmp_path / "training.safetensors"
    with monkeypatch.context() as patch:
        kill_after(patch, 2)
        with pytest.raises(Killed):
            make(path).fit(x, z)
    settings = {"seed": 5} if change == "seed" else {}
    x = x + 1e-3 if change == "data" else x
    if change == "damage":
        path.write_bytes(path.read_bytes()[:-50])
    again = make(path, **settings)
    again.code = "new" if change == "code" else ""
    again.fit(x, z)
    assert np.array_equal(again.weight, make(**settings).fit(x, z).weight)
    assert again.curve["epoch"].tolist() == list(range(1, EPOCHS + 1))


def test_rounds_and_threads_leave_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=(50, 30)), rng.normal(size=(50, 150))
    threads, weights = torch.get_num_threads(), []
    try:
        for number, length in ((1, 2), (2, 2), (2, 5)):
            torch.set_num_threads(number)
            monkeypatch.setattr(training, "ROUND", length)
            weights.append(make().fit(x, z).weight)
            assert torch.get_num_threads() == number
    finally:
        torch.set_num_threads(threads)
    shared_out = make()
    shared_out.threads = 3
    weights.append(shared_out.fit(x, z).weight)
    assert all(np.array_equal(weights[0], other) for other in weights[1:])
