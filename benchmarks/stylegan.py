"""StyleGAN2, StyleGAN3 and StyleGAN-XL against their official code on the same random weights: difference and time.

    python benchmarks/stylegan.py --stylegan3 DIR [--stylegan2 DIR] [--stylegan-xl DIR] [--full] [--rounds 3]

DIR are checkouts of NVlabs/stylegan3, NVlabs/stylegan2-ada-pytorch and autonomousvision/stylegan-xl, which need the
packages click, dill, requests and setuptools < 81. Each official network runs in a process of its own
(`stylegan_worker.py`), by its reference path, the only one without a GPU, on one thread, and writes its pickle; that is
read here by the reader of the package, converted, and compared.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from hyper.generators.checkpoints.own import read_own, write_own
from hyper.generators.checkpoints.recognise import read_checkpoint

WORKER = Path(__file__).with_name("stylegan_worker.py")


def compare(kind: str, checkout: Path, folder: Path, full: bool, rounds: int) -> str:
    """Return a row of the table."""
    command = [sys.executable, str(WORKER), str(checkout), kind, str(folder), "--rounds", str(rounds)]
    subprocess.run(command + ["--full"] * full, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    network, form = read_checkpoint(folder / "network.pkl")
    write_own(folder / "own.safetensors", network, folder / "network.pkl", form)
    network = read_own(folder / "own.safetensors")
    network.psi = 0.7
    due = np.load(folder / "computed.npz")
    w = network.styles(torch.from_numpy(due["latents"]), torch.from_numpy(due["labels"]))
    styles = np.abs(w[:, None].numpy() - due["w_0.7"]).max()
    spent = []
    for _ in range(rounds):
        start = time.perf_counter(), time.process_time()
        images = network.activations_of_styles(torch.from_numpy(due["w_0.7"]), "image")
        spent.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    difference = np.abs(images[: len(due["images"])].numpy() - due["images"]).max()
    ours, theirs = np.median(spent, axis=0)[1] / len(w), np.median(due["seconds"], axis=0)[1]
    size = network.layers[-1].shape[-1]
    scale = np.abs(due["images"]).max()
    error = f"{kind:<12}{size:>6}{styles:>11.1e}{difference:>11.1e}{scale:>9.2f}"
    return f"{error}{ours:>9.3f}{theirs:>9.3f}{theirs / ours:>8.1f}"


def main() -> None:
    """Compare every network whose checkout is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stylegan2", type=Path, metavar="DIR")
    parser.add_argument("--stylegan3", type=Path, metavar="DIR")
    parser.add_argument("--stylegan-xl", type=Path, metavar="DIR")
    parser.add_argument("--full", action="store_true", help="the published sizes, many minutes each")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    kinds = {
        "stylegan2": options.stylegan2, "stylegan3-t": options.stylegan3, "stylegan3-r": options.stylegan3,
        "stylegan-xl": options.stylegan_xl,
    }  # fmt: skip
    print("largest difference of styles and images, largest value of the images, processor seconds an image")
    print(f"{'':<12}{'size':>6}{'styles':>11}{'images':>11}{'largest':>9}{'hyper':>9}{'official':>9}{'ratio':>8}")
    for kind, checkout in kinds.items():
        if checkout is None:
            print(f"{kind:<12}no checkout given")
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(compare(kind, checkout, Path(folder), options.full, options.rounds), flush=True)


if __name__ == "__main__":
    main()
