"""The published training, 1500 epochs of 1050 x 4096 -> 512, beside the authors' loop written plainly in PyTorch.

    python benchmarks/decode.py [--epochs 1500] [--threads 2] [--voxels 4096] [--latents 512] [--out FILE.tsv]

The plain loop is what a person writes: ``nn.Linear``, the loss differentiated by autograd, ``torch.optim.Adam`` with
weight decay (and MXNet's epsilon, so that both compute the same). Both start from the same weights and see the trials
in the same order, each in a process of its own, one after the other. Times are by the clock, and of the processor,
which other programs on the machine disturb less. The difference is the largest between any two weights, beside the
largest distance that a weight moved in the training.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from hyper.decoding.dense import DenseDecoder
from hyper.decoding.gluon import start_weight
from hyper.io.seeds import generator_of
from hyper.io.tables import write_table

TRIALS, BATCH, RATE, DECAY, SEED = 1050, 30, 1e-5, 0.01, 1


def simulate(voxels: int, latents: int) -> tuple[np.ndarray, np.ndarray]:
    """Responses that hold the latents in noise."""
    rng = np.random.default_rng(0)
    z = rng.standard_normal((TRIALS, latents))
    x = z @ rng.standard_normal((latents, voxels)) / latents**0.5 + rng.standard_normal((TRIALS, voxels))
    return x.astype(np.float32), z.astype(np.float32)


def train_plainly(x: np.ndarray, z: np.ndarray, epochs: int) -> np.ndarray:
    """The authors' loop in PyTorch."""
    responses, latents = torch.from_numpy(x), torch.from_numpy(z)
    layer = torch.nn.Linear(x.shape[1], z.shape[1])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(start_weight(SEED, *layer.weight.shape)))
        layer.bias.zero_()
    adam = torch.optim.Adam(layer.parameters(), lr=RATE, weight_decay=DECAY)
    order, steps = generator_of(SEED, "order"), 0
    for _ in range(epochs):
        for batch in torch.from_numpy(order.permutation(TRIALS)).split(BATCH):
            steps += 1
            adam.param_groups[0]["eps"] = 1e-8 / (1 - 0.999**steps) ** 0.5
            adam.zero_grad()
            loss = ((layer(responses[batch]) - latents[batch]) ** 2 / 2).mean(dim=1).mean()
            loss.backward()
            adam.step()
    return layer.weight.detach().numpy()


def train_hyper(x: np.ndarray, z: np.ndarray, epochs: int) -> np.ndarray:
    decoder = DenseDecoder(
        epochs=epochs, learning_rate=RATE, batch_size=BATCH, weight_decay=DECAY, scaling="none", device="cpu", seed=SEED
    )
    return decoder.fit(x, z).weight


LOOPS = {"plain": train_plainly, "hyper": train_hyper}


def measure(name: str, options: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Run one loop in a process of its own."""
    sizes = [str(value) for value in (options.epochs, options.threads, options.voxels, options.latents)]
    subprocess.run([sys.executable, __file__, "--worker", name, str(folder), *sizes], check=True)
    clock, processor = np.load(folder / f"{name}-times.npy")
    return {"clock_s": clock, "processor_s": processor}


def work(name: str, folder: str, *sizes: str) -> None:
    epochs, threads, voxels, latents = map(int, sizes)
    torch.set_num_threads(threads)
    x, z = simulate(voxels, latents)
    LOOPS[name](x, z, 1)  # the first call of a library loads and chooses
    clock, processor = time.perf_counter(), time.process_time()
    weight = LOOPS[name](x, z, epochs)
    np.save(Path(folder) / f"{name}-times.npy", [time.perf_counter() - clock, time.process_time() - processor])
    np.save(Path(folder) / f"{name}.npy", weight)


def main() -> None:
    if sys.argv[1:2] == ["--worker"]:
        return work(*sys.argv[2:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--voxels", type=int, default=4096)
    parser.add_argument("--latents", type=int, default=512)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [{"loop": loop, **measure(loop, options, folder)} for loop in LOOPS]
        plain, ours = (np.load(folder / f"{loop}.npy") for loop in LOOPS)
    table = pd.DataFrame(rows)
    for column in ("clock_s", "processor_s"):
        table[f"times_faster_{column[:-2]}"] = table[column].iloc[0] / table[column]
    table["largest_difference"] = np.abs(plain - ours).max()
    table["largest_move"] = np.abs(plain - start_weight(SEED, *plain.shape)).max()
    print(table.to_string(index=False))
    if options.out:
        write_table(options.out, table)


if __name__ == "__main__":
    main()
