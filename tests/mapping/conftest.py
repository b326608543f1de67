"""A small study whose decoders and responses are made up, and a small generator."""

import numpy as np
import pytest
import torch

from hyper.decoding.dense import DenseDecoder
from hyper.generators.pggan import PGGAN
from hyper.responses.matrices import Responses

LATENT = 12
LAYERS = ("L1", "L2", "L3", "L4")


def small_generator(channels=(10, 8, 8, 6), seed=3):
    network, noise = PGGAN(LATENT, channels), torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=noise) * (2 / max(2, weight[0].numel())) ** 0.5
    return network


def made_responses(ijk, train, test, latents, test_latents, affine=None):
    """Response matrices of given trials."""
    n = len(test)
    std = train.std(axis=0)
    return Responses(
        train=train.astype(np.float32), test=test.astype(np.float32),
        train_stimuli=np.array([f"{i:04d}" for i in range(len(train))]),
        test_stimuli=np.array([f"{i + 1000:04d}" for i in range(n)]), train_series=np.full(len(train), "run-1"),
        train_latents=latents, test_latents=test_latents, test_repeats=np.full(n, 6), ijk=np.asarray(ijk),
        affine=np.diag([2.0, 2.0, 2.0, 1.0]) if affine is None else affine, mean=train.mean(axis=0), std=std,
    )  # fmt: skip


def made_decoder(responses, layer, weight, bias=None, centre=None):
    """A decoder with given weights, as if trained on one layer alone."""
    decoder = DenseDecoder(layer=layer, latents=False, centre=centre, device="cpu")
    decoder.weight = np.asarray(weight, np.float32)
    decoder.bias = np.zeros(len(weight), np.float32) if bias is None else bias
    decoder.mean, decoder.std = responses.mean.astype(np.float64), responses.std.astype(np.float64)
    return decoder


def blob(count, rng, shape=(9, 8, 7)):
    """Places of an irregular mask."""
    return np.argwhere(np.ones(shape))[np.sort(rng.choice(np.prod(shape), count, replace=False))]


@pytest.fixture(scope="session")
def generator():
    return small_generator()


@pytest.fixture(scope="session")
def study(generator):
    """Responses that hold the latents in noise, and four decoders that differ."""
    rng = np.random.default_rng(4)
    ijk = blob(90, rng)
    tuning = rng.normal(size=(LATENT, len(ijk)))
    latents, test_latents = rng.normal(size=(40, LATENT)), rng.normal(size=(9, LATENT))
    train = latents @ tuning + 2 * rng.normal(size=(40, len(ijk))) + 5
    test = test_latents @ tuning + rng.normal(size=(9, len(ijk))) + 5
    responses = made_responses(ijk, train, test, latents, test_latents)
    weights = np.linalg.pinv(tuning / responses.std).T
    decoders = [
        made_decoder(responses, layer, weights + 0.02 * rng.normal(size=weights.shape), rng.normal(size=LATENT) / 5)
        for layer in LAYERS
    ]
    return responses, decoders
