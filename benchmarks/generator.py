"""Images per second and peak memory of PGGAN at 1024 x 1024, side by side with reference implementations in PyTorch.

    python benchmarks/generator.py [--interfacegan DIR] [--gan-zoo DIR] [--rounds 5] [--out FILE.tsv]

DIR is a checkout of genforce/interfacegan or facebookresearch/pytorch_GAN_zoo; a peer that is not given is left out.
All hold the same random weights, and each runs in a process of its own, so that its memory is its own. In every round
each makes one batch, in turn and then in the reverse order. A time is the median over the rounds, in seconds an image:
by the clock, and of the processor, which other programs on the machine disturb less. The noise is half the distance of
the quartiles over the median. Memory is the peak of the process in MB, and how far that is above the loaded network; on
a GPU, what torch allocated.
"""

import argparse
import importlib
import importlib.util
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import product
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from hyper.generators.pggan import PGGAN
from hyper.io.tables import write_table

LATENT, CHANNELS = 512, (512, 512, 512, 512, 256, 128, 64, 32, 16)
Cost = dict[str, Any]


def random_network(seed: int) -> PGGAN:
    """Return the full PGGAN with random weights; the first bias is one per channel, as in InterFaceGAN's."""
    network, noise = PGGAN(LATENT, CHANNELS), torch.Generator().manual_seed(seed)
    for weight in network.parameters():
        scale = sqrt(2 / weight[0].numel()) if weight.ndim > 1 else 0.1
        weight.data = torch.randn(weight.shape, generator=noise) * scale
    network.dense.bias.data = network.dense.bias.data[::16].repeat_interleave(16)
    return network


def interfacegan(folder: Path) -> nn.Module:
    """InterFaceGAN's network, whose file needs no other of its package."""
    path = folder / "models/pggan_generator_model.py"
    spec = importlib.util.spec_from_file_location("interfacegan_model", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise SystemExit(f"{path} is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PGGANGeneratorModel(4 * 2 ** (len(CHANNELS) - 1))


def interfacegan_state(network: PGGAN, state: dict[str, Tensor]) -> None:
    """Put the weights of ours into its state; of its RGB layers, only the last is used."""
    kernel = network.dense.weight * sqrt(8 * LATENT)
    state["layer0.conv.weight"] = kernel.unflatten(0, (CHANNELS[0], 4, 4)).permute(0, 3, 1, 2).flip(2, 3)
    state["layer0.wscale.bias"] = network.dense.bias[::16]
    for number, conv in enumerate(network.convs, 1):
        state[f"layer{number}.conv.weight"] = conv.weight / sqrt(2 / conv.weight[0].numel())
        state[f"layer{number}.wscale.bias"] = conv.bias
    last = f"output{len(CHANNELS) - 1}"
    state[f"{last}.conv.weight"] = network.rgb[0].weight * sqrt(CHANNELS[-1])
    state[f"{last}.wscale.bias"] = network.rgb[0].bias


def gan_zoo(folder: Path) -> nn.Module:
    """Return pytorch_GAN_zoo's network."""
    sys.path.insert(0, str(folder))
    try:
        peer = importlib.import_module("models.networks.progressive_conv_net").GNet(LATENT, CHANNELS[0])
    except ImportError as fault:
        raise SystemExit(f"{folder} is no checkout of pytorch_GAN_zoo ({fault})") from fault
    for width in CHANNELS[1:]:
        peer.addScale(width)
    return peer


def gan_zoo_state(network: PGGAN, state: dict[str, Tensor]) -> None:
    """Put the weights of ours into its state, biases scaled as well; of its RGB layers, only the last is used."""
    places = [f"scaleLayers.{level}.{index}" for level in range(len(CHANNELS) - 1) for index in (0, 1)]
    places = ["formatLayer", "groupScale0.0", *places, f"toRGBLayers.{len(CHANNELS) - 1}"]
    for place, layer in zip(places, [network.dense, *network.convs, network.rgb[0]], strict=True):
        scale = sqrt(2 / layer.weight[0].numel())
        state[f"{place}.module.weight"], state[f"{place}.module.bias"] = layer.weight / scale, layer.bias / scale


STRUCTURES: dict[str, Callable[[Path], nn.Module]] = {
    "ours": lambda _: PGGAN(LATENT, CHANNELS),
    "interfacegan": interfacegan,
    "gan_zoo": gan_zoo,
}
STATES = {"ours": lambda network, state: None, "interfacegan": interfacegan_state, "gan_zoo": gan_zoo_state}


def load(name: str, weights: Path, checkout: Path) -> nn.Module:
    """Return a network without ever holding its weights twice, so that loading does not set the peak."""
    with torch.device("meta"):
        network = STRUCTURES[name](checkout)
    network.load_state_dict(torch.load(weights, weights_only=True), assign=True)
    return network


def serve(options: argparse.Namespace) -> None:
    """Load one network, then make a batch for every line that comes in; the cost of each goes out as JSON."""
    torch.set_num_threads(options.threads)
    device, dtype = torch.device(options.device), torch.float16 if options.precision == "fp16" else torch.float32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = options.precision == "tf32"
    network = load(options.worker, options.weights, options.checkout).to(device, dtype).eval().requires_grad_(False)
    noise = torch.Generator().manual_seed(options.seed)
    z = torch.randn(options.batch, LATENT, generator=noise).to(device, dtype)
    print(json.dumps({"loaded": memory(device)[0]}), flush=True)
    for line in sys.stdin:
        print(json.dumps(make(network, z, options.layer, Path(line.strip()) if line.strip() else None)), flush=True)


def make(network: nn.Module, z: Tensor, layer: str, keep: Path | None) -> Cost:
    """Make a batch; return its cost."""
    cuda = z.device.type == "cuda"
    if cuda:
        torch.cuda.synchronize()
    clock, processor = time.perf_counter(), time.process_time()
    with torch.inference_mode():
        made = network(z) if layer == "image" else network.activations(z, layer)  # type: ignore[operator]
    if cuda:
        torch.cuda.synchronize()
    cost = {"clock": (time.perf_counter() - clock) / len(z), "processor": (time.process_time() - processor) / len(z)}
    if keep:
        np.save(keep, made.float().cpu().numpy())
    return {**cost, "peak": memory(z.device)[1]}


def memory(device: torch.device) -> tuple[float, float]:
    """Memory in use now and at the most, MB."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated() / 1e6, torch.cuda.max_memory_allocated() / 1e6
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


class Worker:
    """A process with one network.

    Parameters
    ----------
    name : str
        ``ours`` or a peer.
    case : dict
        Device, precision, threads, batch, layer.
    weights : Path
        Its weights.
    checkout : Path
        Of a peer.
    """

    def __init__(self, name: str, case: dict[str, Any], weights: Path, checkout: Path) -> None:
        self.name, self.image = name, weights.with_suffix(".npy")
        self.costs: list[Cost] = []
        given = {**case, "worker": name, "weights": weights, "checkout": checkout}
        self._process = subprocess.Popen(
            [sys.executable, __file__, *(str(part) for key, value in given.items() for part in (f"--{key}", value))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.loaded = self._answer()["loaded"]

    def _answer(self) -> Cost:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            raise SystemExit(f"{self.name} ended with status {self._process.wait()}")
        return json.loads(line)

    def run(self, keep: bool = False) -> Cost:
        """Make a batch."""
        self._process.stdin.write(f"{self.image if keep else ''}\n")  # type: ignore[union-attr]
        self._process.stdin.flush()  # type: ignore[union-attr]
        return self._answer()

    def stop(self) -> None:
        """End the process."""
        self._process.communicate()


def measure(networks: dict[str, tuple[Path, Path]], case: dict[str, Any], rounds: int) -> pd.DataFrame:
    """Run one case; return a row per network."""
    workers = [Worker(name, case, *paths) for name, paths in networks.items()]
    for worker in workers:
        worker.run()
    for number in range(rounds):
        for worker in workers if number % 2 == 0 else workers[::-1]:
            worker.costs.append(worker.run())
    for worker in workers:
        worker.run(keep=True)
        worker.stop()
    due = np.load(workers[0].image)
    rows = []
    for worker in workers:
        clock, processor = (np.array([cost[kind] for cost in worker.costs]) for kind in ("clock", "processor"))
        low, middle, high = np.quantile(clock, (0.25, 0.5, 0.75))
        rows.append(
            {
                **{key: value for key, value in case.items() if key != "seed"},
                "network": worker.name,
                "images_per_s": 1 / middle,
                "s_per_image": middle,
                "noise": (high - low) / 2 / middle,
                "processor_s": np.median(processor),
                "peak_mb": worker.costs[-1]["peak"],
                "work_mb": worker.costs[-1]["peak"] - worker.loaded,
                "difference": np.abs(np.load(worker.image) - due).max(),
            }
        )
    table = pd.DataFrame(rows)
    for kind, column in (("ratio", "s_per_image"), ("processor_ratio", "processor_s")):
        table[kind] = table[column] / table[column][0]
    return table


def cases(options: argparse.Namespace) -> list[dict[str, Any]]:
    """What is measured: the CPU in single precision, and a GPU where there is one."""
    on_cpu = [{"device": "cpu", "precision": "fp32", "threads": threads, "batch": batch, "layer": "image"}
              for threads, batch in product(options.threads, options.batches)]  # fmt: skip
    on_gpu = [{"device": "cuda", "precision": precision, "threads": 1, "batch": batch, "layer": "image"}
              for precision, batch in product(("fp32", "tf32", "fp16"), options.batches)]  # fmt: skip
    chosen = on_cpu + (on_gpu if torch.cuda.is_available() else [])
    return [{**case, "seed": options.seed} for case in [*chosen, *({**case, "layer": "L4"} for case in chosen)]]


def worker_options() -> argparse.Namespace:
    """Arguments of a `Worker`."""
    parser = argparse.ArgumentParser()
    for name, kind in (("worker", str), ("weights", Path), ("checkout", Path), ("device", str), ("precision", str),
                       ("layer", str), ("threads", int), ("batch", int), ("seed", int)):  # fmt: skip
        parser.add_argument(f"--{name}", type=kind)
    return parser.parse_args()


def user_options() -> argparse.Namespace:
    """Arguments of the script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interfacegan", type=Path, metavar="DIR", help="checkout of genforce/interfacegan")
    parser.add_argument("--gan-zoo", type=Path, metavar="DIR", help="checkout of facebookresearch/pytorch_GAN_zoo")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("generator.tsv"), metavar="FILE.tsv")
    return parser.parse_args()


def write_weights(folder: Path, options: argparse.Namespace) -> dict[str, tuple[Path, Path]]:
    """Write the weights of every network; return their files and the checkouts of the peers."""
    network, networks = random_network(options.seed), {}
    for name, structure in STRUCTURES.items():
        checkout = getattr(options, name, Path())
        if checkout is None:
            print(f"{name} is left out: --{name.replace('_', '-')} is not given")
            continue
        state = network.state_dict() if name == "ours" else structure(checkout).state_dict()
        STATES[name](network, state)
        networks[name] = folder / f"{name}.pt", checkout
        torch.save({key: value.detach().clone() for key, value in state.items()}, networks[name][0])
    return networks


def main() -> None:
    """Measure every case and write the table."""
    options, tables = user_options(), []
    with tempfile.TemporaryDirectory() as folder:
        networks = write_weights(Path(folder), options)
        for case in cases(options):
            # the peers cannot stop at a layer
            running = networks if case["layer"] == "image" else {"ours": networks["ours"]}
            tables.append(measure(running, case, options.rounds))
            print(tables[-1].to_string(index=False, float_format=lambda value: f"{value:.4g}"), flush=True)
    write_table(options.out, pd.concat(tables))


if __name__ == "__main__":
    serve(worker_options()) if "--worker" in sys.argv else main()
