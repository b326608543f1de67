"""Searchlight-occlusion beside the plain loop over voxels.

    python benchmarks/occlusion.py [--voxels 4096] [--stimuli 36] [--threads 2] [--plain 4] [--sample 96]
        [--plan pggan-face] [--device cpu] [--precisions single mixed] [--wrong 0.02]

The plain loop is what a person writes: for every voxel the cube is set to the mean, the whole decoder is applied and
the network is run up to the layer, in plain torch (enlarge, convolve, activate, normalise), four times. It is timed on
`--plain` voxels, `exact` on `--sample` voxels drawn at random, both multiplied; `plain, our network` is the plain loop
with this project's faster network. `screened` is run on all voxels. Its winners and its bound are compared with
`exact`, in single precision, on the sample. Multiply-adds of the convolutions and dense layers are counted (two
operations each) and, on a GPU, divided by the peak that a matrix product of 8192 x 8192 reaches there.

``--plan 512`` takes a generator of 512 latents and 512 channels with random weights, the published size. The mask is a
compact blob, the decoders are ridge regressions on simulated responses whose tuning is smooth over voxels.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import gaussian_filter
from torch.nn import functional

from hyper.decoding.dense import DenseDecoder
from hyper.generators.base import Generator
from hyper.generators.load import load_generator
from hyper.generators.pggan import PGGAN
from hyper.mapping.neighbourhoods import cubes, members_of
from hyper.mapping.occlusion import Occlusion, Searchlight, occlude
from hyper.mapping.statistics import permutations
from hyper.responses.matrices import Responses

LAYERS, TRIALS, EDGES = ("L1", "L2", "L3", "L4"), 400, np.full(3, 7)


def make_generator(plan: str) -> Generator:
    if plan != "512":
        return load_generator(plan)
    network, noise = PGGAN(512, (512,) * 5), torch.Generator().manual_seed(0)
    for weight in network.parameters():
        weight.data = torch.randn(weight.shape, generator=noise) * (2 / max(2, weight[0].numel())) ** 0.5
    return network


def simulate(voxels: int, stimuli: int, latents: int) -> tuple[Responses, list[DenseDecoder]]:
    """Responses of a compact blob of voxels with smooth tuning, and a decoder for each layer."""
    rng = np.random.default_rng(0)
    side = int(np.ceil(voxels ** (1 / 3))) + 2
    distance = np.square(np.argwhere(np.ones((side,) * 3)) - (side - 1) / 2).sum(axis=1)
    ijk = np.argwhere(np.ones((side,) * 3))[np.sort(np.argsort(distance, kind="stable")[:voxels])]
    fields = rng.standard_normal((latents, side, side, side))
    tuning = np.stack([gaussian_filter(field, 1.5)[tuple(ijk.T)] for field in fields])
    tuning /= tuning.std()
    z, z_test = rng.standard_normal((TRIALS, latents)), rng.standard_normal((stimuli, latents))
    noise = 2 * latents**0.5
    train = z @ tuning + noise * rng.standard_normal((TRIALS, voxels))
    test = z_test @ tuning + noise / 3 * rng.standard_normal((stimuli, voxels))
    names = np.arange(max(TRIALS, stimuli)).astype(str)
    responses = Responses(
        train.astype(np.float32), test.astype(np.float32), names[:TRIALS], names[:stimuli], names[:TRIALS], z, z_test,
        np.full(stimuli, 9), ijk, np.diag([2.0, 2.0, 2.0, 1.0]), train.mean(axis=0), train.std(axis=0),
    )  # fmt: skip
    scaled = (responses.train - responses.mean) / responses.std
    decoders = []
    for layer, penalty in zip(LAYERS, (1e2, 3e2, 1e3, 3e3), strict=True):
        decoder = DenseDecoder(layer=layer, latents=False, device="cpu")
        weights = scaled.T @ np.linalg.solve(scaled @ scaled.T + penalty * np.eye(TRIALS), z)
        decoder.weight = (weights.T + 0.002 * rng.standard_normal(weights.T.shape)).astype(np.float32)
        decoder.bias, decoder.mean, decoder.std = np.zeros(latents, np.float32), responses.mean, responses.std
        decoders.append(decoder)
    return responses, decoders


def plain_activation(generator: PGGAN, z: torch.Tensor, layer: str) -> torch.Tensor:
    """Activation of L1 to L4, step by step."""

    def normalised(x: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)

    def activated(x: torch.Tensor) -> torch.Tensor:
        return normalised(functional.leaky_relu(x, 0.2))

    x = activated(generator.dense(normalised(z)).unflatten(1, (generator.channels[0], 4, 4)))
    first, *rest = (cast(torch.nn.Conv2d, conv) for conv in generator.convs)
    x = activated(functional.conv2d(x, first.weight, first.bias, padding=1))
    for number, conv in enumerate(rest[: 2 * LAYERS.index(layer)]):
        if number % 2 == 0:
            x = functional.interpolate(x, scale_factor=2.0)
        x = activated(functional.conv2d(x, conv.weight, conv.bias, padding=1))
    return x


@torch.no_grad()
def run_plainly(
    activation: Callable[[torch.Tensor, str], torch.Tensor], true: list[torch.Tensor], responses: Responses,
    decoders: list[DenseDecoder], around: np.ndarray, voxels: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Errors of some voxels by the plain loop, shape (layer, voxel, stimulus)."""
    weights, offsets, mean, std, test = (
        [torch.tensor(values, dtype=torch.float32, device=true[0].device) for values in own]
        for own in (
            [decoder.weight.T for decoder in decoders], [decoder.bias for decoder in decoders],
            [decoder.mean for decoder in decoders], [decoder.std for decoder in decoders], [responses.test],
        )
    )  # fmt: skip
    found = np.empty((len(LAYERS), len(voxels), len(responses.test)))
    for place, voxel in enumerate(voxels):
        members = torch.as_tensor(members_of(around[voxel]))
        for number, layer in enumerate(LAYERS):
            occluded = test[0].clone()
            occluded[:, members] = mean[number][members]
            z = (occluded - mean[number]) / std[number] @ weights[number] + offsets[number]
            error = (activation(z, layer) - true[number]).square().flatten(1).mean(dim=1)
            found[number, place] = error.cpu().numpy()
    return found


def operations(generator: Generator) -> dict[str, float]:
    """Operations of one latent up to each layer of a PGGAN, two per multiply-add, up-scaling not fused."""
    sizes = generator.channels
    total = 2.0 * 16 * sizes[0] * (generator.latent_dim + 9 * sizes[0])
    found = {"L1": total}
    for level in range(1, 4):
        total += 2.0 * 9 * (4 * 2**level) ** 2 * sizes[level] * (sizes[level - 1] + sizes[level])
        found[f"L{level + 1}"] = total
    return found


def tera_operations(generator: Generator, found: Occlusion) -> float:
    """Operations in the generator, 10^12."""
    counts = operations(generator)
    return sum(float(seen) * counts[str(name)] for seen, name in zip(found.evaluations, LAYERS, strict=True)) / 1e12


def matrix_peak(device: torch.device, dtype: torch.dtype) -> float:
    """Operations per second of a large matrix product."""
    a = torch.randn(8192, 8192, device=device, dtype=dtype)
    a @ a
    torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(20):
        a @ a
    torch.cuda.synchronize()
    return 20 * 2 * 8192.0**3 / (time.perf_counter() - start)


def timed(function, *arguments):
    clock, processor = time.perf_counter(), time.process_time()
    result = function(*arguments)
    return result, time.perf_counter() - clock, time.process_time() - processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("voxels", 4096), ("stimuli", 36), ("threads", 2), ("plain", 4), ("sample", 96)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--plan", default="pggan-face")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precisions", nargs="+", choices=("single", "mixed"), default=["single", "mixed"])
    parser.add_argument("--wrong", type=float, default=0.02)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    device = torch.device(options.device)
    generator = make_generator(options.plan).to(device)
    responses, decoders = simulate(options.voxels, options.stimuli, generator.latent_dim)
    around, orders = cubes(responses.ijk, EDGES), permutations(options.stimuli, 200, 0)
    drawn = np.random.default_rng(1).permutation(options.voxels)
    plain, sample = drawn[: options.plain], drawn[: options.sample]
    latents = torch.tensor(responses.test_latents, dtype=torch.float32, device=device)
    rows, due = [], np.empty(0)
    networks = {"plain loop": partial(plain_activation, generator), "plain, our network": generator.activations}
    for name, network in networks.items():
        task = network, [network(latents, layer) for layer in LAYERS], responses, decoders, around
        run_plainly(*task, plain[:1])
        due, clock, processor = timed(run_plainly, *task, plain)
        share = options.voxels / len(plain)
        rows.append({"method": name, "clock_s": clock * share, "processor_s": processor * share, "computed": 1.0})
        print(rows[-1], flush=True)
    study = decoders, generator, responses, around
    exact, clock, processor = timed(occlude, *study, sample, orders, Searchlight())
    share = options.voxels / len(sample)
    error = np.abs(exact.errors[:, : len(plain)] - due).max()
    rows.append({"method": "exact", "clock_s": clock * share, "processor_s": processor * share, "computed": 1.0})
    rows[-1]["tera_operations"] = share * tera_operations(generator, exact)
    print(rows[-1], f"largest difference of an error to the plain loop's: {error:.1e}", flush=True)
    effect = exact.effects("similarity").mean(axis=2)
    for precision in options.precisions:
        how = Searchlight(mode="screened", mixed=precision == "mixed", wrong=options.wrong)
        found, clock, processor = timed(occlude, *study, np.arange(options.voxels), orders, how)
        own = found.effects("similarity").mean(axis=2)[:, sample]
        row = {"method": f"screened, {precision}", "clock_s": clock, "processor_s": processor}
        row |= {"computed": found.exact.mean(), "tera_operations": tera_operations(generator, found)}
        row |= {"same_winner": (own.argmax(axis=0) == effect.argmax(axis=0)).mean()}
        row |= {"most_frequent_winner": np.bincount(effect.argmax(axis=0)).max() / len(sample)}
        row |= {"beyond_bound": (np.abs(own - effect) > found.bound[:, sample] + 1e-5).mean()}
        rows.append(row)
        print(row, flush=True)
    table = pd.DataFrame(rows)
    table["times_faster"] = table["clock_s"].iloc[0] / table["clock_s"]
    table["times_faster_processor"] = table["processor_s"].iloc[0] / table["processor_s"]
    print(table.round(4).to_string(index=False))
    if options.device == "cuda":
        for row in rows[2:]:
            peak = matrix_peak(device, torch.bfloat16 if "mixed" in str(row["method"]) else torch.float32)
            print(f"{row['method']}: {row['tera_operations'] * 1e12 / row['clock_s'] / peak:.1%} of the matrix peak")


if __name__ == "__main__":
    main()
