"""Decoders whose loss goes through the generator, against a generator and its derivatives written out in NumPy."""

import numpy as np
import pytest
import torch

from hyper.decoding import layer_loss
from hyper.decoding.dense import DenseDecoder
from hyper.decoding.layer_loss import FrozenLayer
from hyper.errors import DataError, GeneratorError, SettingsError
from hyper.generators.pggan import PGGAN
from tests.decoding.test_dense import DECAY, RATE, SEED, latent_slopes, make_data, reference

LATENT = 6


@pytest.fixture(scope="module")
def generator():
    network, noise = PGGAN(LATENT, (5, 4)), torch.Generator().manual_seed(8)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=noise) / max(2, weight[0].numel()) ** 0.5
    return network


def activation(network, z, layer):
    """L1 or L2 in NumPy, of latents that may be complex: the derivative by a complex step is exact."""
    weights = {name: values.double().numpy() for name, values in network.state_dict().items()}
    x = pixel_norm(z) @ weights["dense.weight"].T + weights["dense.bias"]
    x = active(x.reshape(len(z), -1, 4, 4))
    x = active(convolved(x, weights["convs.0.weight"], weights["convs.0.bias"]))
    if layer == "L2":
        x = x.repeat(2, axis=2).repeat(2, axis=3)
        for number in (1, 2):
            x = active(convolved(x, weights[f"convs.{number}.weight"], weights[f"convs.{number}.bias"]))
    return x


def pixel_norm(x):
    return x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-8)


def active(x):
    return pixel_norm(np.where(x.real > 0, x, 0.2 * x))


def convolved(x, kernel, bias):
    height, width = x.shape[2:]
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    shifts = (
        np.einsum("nchw,oc->nohw", padded[:, :, i : i + height, j : j + width], kernel[:, :, i, j])
        for i in range(3)
        for j in range(3)
    )
    return sum(shifts) + bias[:, None, None]


def layer_slopes(network, layer, window, latents):
    """Derivative of half the mean square over the window of the layer's map, plus that of the latents."""

    def slopes(predicted, z):
        true, found = activation(network, z, layer)[window], np.empty_like(predicted)
        for place in range(LATENT):
            stepped = predicted + 1e-30j * (np.arange(LATENT) == place)
            error = activation(network, stepped, layer)[window] - true
            loss = (error**2).reshape(len(z), -1).mean(axis=1) / 2
            found[:, place] = loss.imag / 1e-30
        return found + (latent_slopes(predicted, z) if latents else 0)

    return slopes


def test_the_numpy_generator_is_the_generator(generator):
    z = np.random.default_rng(1).normal(size=(3, LATENT))
    for layer in ("L1", "L2"):
        due = generator.activations(torch.tensor(z, dtype=torch.float32), layer).numpy()
        assert np.abs(activation(generator, z, layer) - due).max() < 1e-5


@pytest.mark.parametrize(
    ("layer", "latents", "centre", "window"),
    [
        ("L1", True, None, slice(1, 3)),
        ("L2", True, None, slice(2, 6)),
        ("L2", True, 0.25, slice(3, 5)),
        ("L2", False, None, slice(0, 8)),
        ("L1", False, 1.0, slice(0, 4)),
    ],
)
def test_every_step_equals_an_independent_computation(generator, layer, latents, centre, window):
    x, z = make_data()
    settings = {"learning_rate": RATE, "weight_decay": DECAY, "scaling": "none", "device": "cpu", "seed": SEED}
    decoder = DenseDecoder(epochs=3, layer=layer, latents=latents, centre=centre, **settings)
    decoder.generator = generator
    decoder.fit(x, z)
    slopes = layer_slopes(generator, layer, (..., window, window), latents)
    weight, bias = reference(x, z, 3, False, slopes)
    alone, _ = reference(x, z, 3, False)
    assert np.abs(alone - weight).max() > RATE
    assert np.abs(decoder.weight - weight).max() < 2e-5
    assert np.abs(decoder.bias - bias).max() < 2e-5


def test_the_curve_is_the_loss(generator):
    x, z = make_data()
    decoder = DenseDecoder(epochs=2, layer="L2", latents=False, learning_rate=RATE, device="cpu")
    decoder.generator = generator
    decoder.fit(x, z, watched=(x[:40], z[:40]))
    error = activation(generator, decoder.decode(x[:40]), "L2") - activation(generator, z[:40], "L2")
    assert decoder.curve["test_loss_unused"].iloc[-1] == pytest.approx((error**2).mean() / 2, rel=1e-4)
    assert decoder.curve["train_loss"].iloc[-1] < decoder.curve["train_loss"].iloc[0]


def test_streamed_activations_are_the_same(generator, monkeypatch):
    x, z = make_data()
    weights = []
    for limit in (layer_loss.IN_MEMORY, 0):
        monkeypatch.setattr(layer_loss, "IN_MEMORY", limit)
        decoder = DenseDecoder(epochs=2, layer="L1", device="cpu")
        decoder.generator = generator
        weights.append(decoder.fit(x, z).weight)
    assert np.array_equal(*weights)


def test_mixed_precision_stays_near(generator):
    """Rounding to bfloat16 turns what is decoded by less than 2 per cent in 30 epochs."""
    x, z = make_data()
    decoded = []
    for precision in ("single", "mixed"):
        decoder = DenseDecoder(epochs=30, layer="L2", learning_rate=1e-4, precision=precision, device="cpu")
        decoder.generator = generator
        decoded.append(decoder.fit(x, z).decode(x))
    assert not np.array_equal(*decoded)
    cosines = (decoded[0] * decoded[1]).sum(axis=1) / np.prod([np.linalg.norm(w, axis=1) for w in decoded], axis=0)
    assert np.sqrt(1 - cosines.min() ** 2) < 0.02


def test_misfits_are_refused(generator):
    x, z = make_data()
    with pytest.raises(SettingsError, match="nothing is left of the loss"):
        DenseDecoder(latents=False)
    with pytest.raises(DataError, match="needs a generator"):
        DenseDecoder(epochs=1, layer="L1", device="cpu").fit(x, z)
    decoder = DenseDecoder(epochs=1, layer="L7", device="cpu")
    decoder.generator = generator
    with pytest.raises(GeneratorError, match="none called 'L7'"):
        decoder.fit(x, z)
    decoder = DenseDecoder(epochs=1, layer="L1", device="cpu")
    decoder.generator = generator
    with pytest.raises(GeneratorError, match="5"):
        decoder.fit(x, z[:, :5])


def test_the_whole_map_counts_where_the_share_is_one(generator):
    z = torch.randn(2, LATENT, generator=torch.Generator().manual_seed(0))
    whole = generator.activations(z, "L2")
    assert torch.allclose(FrozenLayer(generator, "L2")(z), whole, atol=1e-5)
    assert torch.allclose(FrozenLayer(generator, "L2", 0.5)(z), whole[:, :, 2:6, 2:6], atol=1e-5)
    assert torch.equal(FrozenLayer(generator, "L1", 0.1)(z), generator.activations(z, "L1")[:, :, 1:2, 1:2])
    assert FrozenLayer(generator, "L2", 0.5).remember(z)[torch.tensor([1])].shape == (1, 4, 4, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: agreement of CPU and GPU NOT tested")
def test_gpu_agrees(generator):
    x, z = make_data()
    weights = []
    for device in ("cpu", "cuda"):
        decoder = DenseDecoder(epochs=20, layer="L2", device=device)
        decoder.generator = generator
        weights.append(decoder.fit(x, z).weight)
    generator.to(torch.device("cpu"))
    assert np.abs(weights[0] - weights[1]).max() < 1e-5
