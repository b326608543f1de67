import numpy as np
import pytest
import torch

from hyper.decoding.dense import DenseDecoder
from hyper.decoding.gluon import GluonAdam
from hyper.io.seeds import generator_of

N, VOXELS, LATENT, SEED = 70, 20, 6, 11
RATE, DECAY = 3e-3, 0.3


def make_data():
    rng = np.random.default_rng(5)
    return rng.normal(size=(N, VOXELS)), rng.normal(size=(N, LATENT))


def reference(x, z, epochs, decoupled, slopes=None):
    """The published arithmetic written out in NumPy, in double precision.

    `slopes` gives the derivative of each trial's loss in the predicted latents; by default that of the latents alone.
    """
    weight = generator_of(SEED, "start").uniform(-0.07, 0.07, (LATENT, VOXELS))
    parameters = [weight, np.zeros(LATENT)]
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    order = generator_of(SEED, "order")
    t = 0
    for _ in range(epochs):
        shuffled = order.permutation(N)
        for start in range(0, N, 30):
            batch = shuffled[start : start + 30]
            t += 1
            predicted = x[batch] @ parameters[0].T + parameters[1]
            slope = (slopes or latent_slopes)(predicted, z[batch]) / len(batch)
            gradients = [slope.T @ x[batch], slope.sum(axis=0)]
            rate = RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            for i, gradient in enumerate(gradients):
                if not decoupled:
                    gradient = gradient + DECAY * parameters[i]
                first[i] = 0.9 * first[i] + 0.1 * gradient
                second[i] = 0.999 * second[i] + 0.001 * gradient**2
                shrunk = parameters[i] * (1 - RATE * DECAY) if decoupled else parameters[i]
                parameters[i] = shrunk - rate * first[i] / (np.sqrt(second[i]) + 1e-8)
    return parameters


def latent_slopes(predicted, z):
    """Of half the mean square over the latents."""
    return (predicted - z) / z.shape[1]


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("epochs", [1, 2, 20])
def test_every_step_equals_an_independent_computation(epochs, decoupled):
    x, z = make_data()
    decoder = DenseDecoder(
        epochs=epochs,
        learning_rate=RATE,
        weight_decay=DECAY,
        decoupled=decoupled,
        scaling="none",
        device="cpu",
        seed=SEED,
    ).fit(x, z)
    weight, bias = reference(x, z, epochs, decoupled)
    moved = np.abs(weight - generator_of(SEED, "start").uniform(-0.07, 0.07, weight.shape)).max()
    assert moved > RATE
    assert np.abs(decoder.weight - weight).max() < 1e-5
    assert np.abs(decoder.bias - bias).max() < 1e-5


def test_the_bias_decays_like_the_weight():
    for decoupled, expected in ((False, 1 - 0.01), (True, 1 - 0.01 * 0.5)):
        parameters = [torch.ones(2, 3), torch.ones(2)]
        GluonAdam(parameters, 0.01, 0.5, decoupled).step([torch.zeros(2, 3), torch.zeros(2)])
        for values in parameters:
            assert torch.allclose(values, torch.full_like(values, expected), atol=1e-6)


def test_epsilon_is_added_to_the_uncorrected_root():
    """With gradients as small as epsilon the two conventions differ by a factor of about 30 in the first step."""
    gradient = 1e-8
    values = torch.zeros(1, dtype=torch.float64)
    GluonAdam([values], 1.0, 0.0, False).step([torch.full((1,), gradient, dtype=torch.float64)])
    root = np.sqrt(0.001) * gradient
    expected = -np.sqrt(0.001) / 0.1 * (0.1 * gradient) / (root + 1e-8)
    assert float(values) == pytest.approx(expected, rel=1e-6)


def test_curve():
    x, z = make_data()
    decoder = DenseDecoder(epochs=200, learning_rate=3e-3, device="cpu", seed=1).fit(x, z, watched=(x[:9], z[:9]))
    curve = decoder.curve
    assert curve.columns.tolist() == ["epoch", "train_loss", "test_loss_unused"]
    assert curve["epoch"].tolist() == list(range(1, 201))
    assert curve["train_loss"].iloc[-1] < 0.8 * curve["train_loss"].iloc[0]
    error = decoder.decode(x[:9]) - z[:9]
    assert curve["test_loss_unused"].iloc[-1] == pytest.approx((error**2).mean() / 2, rel=1e-4)
    blind = DenseDecoder(epochs=2, device="cpu").fit(x, z).curve
    assert blind["test_loss_unused"].isna().all()


def test_first_loss_is_gluons():
    """One batch holding all trials: the first loss is that of the start."""
    x, z = make_data()
    decoder = DenseDecoder(epochs=1, batch_size=100, scaling="none", device="cpu", seed=SEED).fit(x, z)
    start = generator_of(SEED, "start").uniform(-0.07, 0.07, (LATENT, VOXELS))
    assert decoder.curve["train_loss"][0] == pytest.approx(((x @ start.T - z) ** 2).mean() / 2, rel=1e-5)


def test_seed_decides():
    x, z = make_data()
    weights = [DenseDecoder(epochs=2, device="cpu", seed=seed).fit(x, z).weight for seed in (1, 1, 2)]
    assert np.array_equal(weights[0], weights[1])
    assert np.abs(weights[0] - weights[2]).max() > 0.01


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: agreement of CPU and GPU NOT tested")
def test_gpu_agrees():
    x, z = make_data()
    cpu, gpu = (DenseDecoder(epochs=50, device=device, seed=1).fit(x, z).weight for device in ("cpu", "cuda"))
    assert np.abs(cpu - gpu).max() < 1e-5
