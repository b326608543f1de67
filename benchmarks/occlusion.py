"""Searchlight-occlusion beside the plain loop over voxels.

    python benchmarks/occlusion.py [--voxels 4096] [--stimuli 36] [--threads 2] [--sample 8] [--plan pggan-face]
        [--device cpu] [--mixed]

The plain loop is what a person writes: for every voxel the cube is set to the mean, the whole decoder is applied and
the generator is run up to the layer, four times. It is timed on a sample of voxels and multiplied; the sample's errors
are compared with ours. `exact` computes every voxel, `screened` only those whose winner an expansion leaves open; the
share of them, and of equal winners, is printed. Multiply-adds of the convolutions and dense layers are counted (two
operations each) and, on a GPU, divided by the peak that a matrix product of 8192 x 8192 reaches there.

``--plan 512`` takes a generator of 512 latents and 512 channels with random weights, the published size. The mask is a
compact blob, the decoders are ridge regressions on simulated responses whose tuning is smooth over voxels.
"""

import argparse
import time

import numpy as np
import pandas as pd
import torch
from scipy.ndimage import gaussian_filter

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


@torch.no_grad()
def run_plainly(
    generator: Generator, responses: Responses, decoders: list[DenseDecoder], around: np.ndarray, voxels: np.ndarray
) -> np.ndarray:
    """Errors of some voxels by the plain loop, shape (layer, voxel, stimulus)."""
    device = next(iter(generator.parameters())).device
    latents = torch.tensor(responses.test_latents, dtype=torch.float32, device=device)
    true = [generator.activations(latents, layer) for layer in LAYERS]
    found = np.empty((len(LAYERS), len(voxels), len(latents)))
    for place, voxel in enumerate(voxels):
        occluded = responses.test.copy()
        occluded[:, members_of(around[voxel])] = responses.mean[members_of(around[voxel])]
        for number, decoder in enumerate(decoders):
            z = torch.tensor(decoder.decode(occluded), dtype=torch.float32, device=device)
            error = (generator.activations(z, LAYERS[number]) - true[number]).square().flatten(1).mean(dim=1)
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
    for name, default in (("voxels", 4096), ("stimuli", 36), ("threads", 2), ("sample", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--plan", default="pggan-face")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--modes", nargs="+", default=["screened", "exact"])
    parser.add_argument("--mixed", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    generator = make_generator(options.plan).to(torch.device(options.device))
    responses, decoders = simulate(options.voxels, options.stimuli, generator.latent_dim)
    around, everything = cubes(responses.ijk, EDGES), np.arange(options.voxels)
    orders = permutations(options.stimuli, 200, 0)
    sample = np.random.default_rng(1).choice(options.voxels, min(options.sample, options.voxels), replace=False)
    run_plainly(generator, responses, decoders, around, sample[:1])
    due, clock, processor = timed(run_plainly, generator, responses, decoders, around, sample)
    share = options.voxels / len(sample)
    rows = [{"method": "plain loop", "clock_s": clock * share, "processor_s": processor * share}]
    found: dict[str, Occlusion] = {}
    counts = operations(generator)
    for mode in options.modes:
        how = Searchlight(mode=mode, mixed=options.mixed)
        result, clock, processor = timed(occlude, decoders, generator, responses, around, everything, orders, how)
        found[mode] = result
        done = sum(float(seen) * counts[str(name)] for seen, name in zip(result.evaluations, LAYERS, strict=True))
        known = result.exact[:, sample]
        error = np.abs(result.errors[:, sample] - due)[known].max(initial=0)
        row = {"method": mode, "clock_s": clock, "processor_s": processor, "tera_operations": done / 1e12}
        rows.append(row | {"computed": result.exact.mean(), "error": error})
    table = pd.DataFrame(rows)
    table["times_faster"] = table["clock_s"].iloc[0] / table["clock_s"]
    table["times_faster_processor"] = table["processor_s"].iloc[0] / table["processor_s"]
    print(table.round(7).to_string(index=False))
    if len(found) == 2:
        best = {mode: own.effects("similarity").mean(axis=2).argmax(axis=0) for mode, own in found.items()}
        print(f"same winners: {(best['exact'] == best['screened']).mean():.4f}")
    if options.device == "cuda":
        peak = matrix_peak(torch.device("cuda"), torch.bfloat16 if options.mixed else torch.float32)
        for row in rows[1:]:
            print(f"{row['method']}: {row['tera_operations'] * 1e12 / row['clock_s'] / peak:.1%} of the matrix peak")


if __name__ == "__main__":
    main()
