"""A study that starts at decoding, from response matrices of numbers, with a small generator of its own."""

import h5py
import numpy as np
import torch

from hyper.generators.checkpoints.own import write_own
from hyper.generators.pggan import PGGAN
from hyper.responses.matrices import Responses
from tests.generators.checkpoint_cases import DATA

LATENTS, VOXELS = 48, 40


def write_study(folder, names):
    """Write matrices and generator to a folder; return the settings of a study of them."""
    network, noise = PGGAN(LATENTS, (16, 12, 8)), torch.Generator().manual_seed(3)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=noise) / max(1, weight[0].numel()) ** 0.5
    write_own(folder / "generator.safetensors", network, DATA / "generator_small32_plain.params", "gluon")
    for number, name in enumerate(names):
        write_responses(folder / f"{name}.h5", seed=number)
    return {
        "study": {"name": "given", "seed": 7},
        "dataset": {"responses": {name: f"{name}.h5" for name in names}},
        "generators": {"generator": "generator.safetensors"},
        "baselines": {"trivial": []},
    }


def write_responses(path, seed):
    """Noisy projections of latents: 24 training trials in two runs, six test stimuli."""
    rng = np.random.default_rng(seed)
    latents = np.random.default_rng(0).normal(size=(30, LATENTS))
    weights = rng.normal(size=(LATENTS, VOXELS))
    train = (latents[:24] @ weights + rng.normal(size=(24, VOXELS))).astype(np.float32)
    test = (latents[24:] @ weights + rng.normal(size=(6, VOXELS))).astype(np.float32)
    names = np.array([f"{number:04d}.jpg" for number in range(30)])
    Responses(
        train=train, test=test, train_stimuli=names[:24], test_stimuli=names[24:],
        train_series=np.repeat(["run-1", "run-2"], 12), train_latents=latents[:24], test_latents=latents[24:],
        test_repeats=np.full(6, 4), ijk=np.zeros((VOXELS, 3), int), affine=np.eye(4), mean=train.mean(0),
        std=train.std(0),
    ).save(path)  # fmt: skip


def break_responses(path):
    """Make a value of the matrices no number, which shows when they are read and not before."""
    with h5py.File(path, "r+") as file:
        file["train"][3, 5] = np.nan
