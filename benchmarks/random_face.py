"""The photorealistic generator against OpenVINO on the same files: difference and images per second, one image a time.

    python benchmarks/random_face.py [--images 8] [--threads 1]

Both take turns. Processor time is reported beside the time that passed, as it depends less on what else runs.
"""

import argparse
import importlib.util
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from hyper.generators.load import load_generator

Function = Callable[[np.ndarray], np.ndarray]


def by_hyper(threads: int) -> tuple[Function, Function]:
    """Styles from latents and images from styles, by this package."""
    torch.set_num_threads(threads)
    network = load_generator("random-face")

    def styles(z: np.ndarray) -> np.ndarray:
        return network.full_styles(torch.from_numpy(z)).numpy()

    def images(w: np.ndarray) -> np.ndarray:
        return network.activations_of_styles(torch.from_numpy(w), "image").numpy()

    return styles, images


def by_openvino(threads: int) -> tuple[Function, Function]:
    """The same by OpenVINO in single precision."""
    import openvino

    folder = Path(importlib.util.find_spec("random_face").origin).parent / "data"
    options = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(threads), "NUM_STREAMS": "1"}
    core = openvino.Core()

    def compiled(name: str) -> Function:
        model = core.compile_model(folder / f"{name}Network.xml", "CPU", options)
        return lambda values: next(iter(model(values).values())).copy()

    return compiled("Mapping"), compiled("Synthesis")


def main() -> None:
    """Make the same images by both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    methods = {"hyper": by_hyper(options.threads)}
    if importlib.util.find_spec("openvino") is None:
        print("openvino is not installed: nothing to compare with")
    else:
        methods["openvino"] = by_openvino(options.threads)
    z = np.random.default_rng(0).standard_normal((options.images, 512)).astype(np.float32)
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in methods}
    differences = []
    for latent in z:
        made = []
        w = 0.7 * methods["hyper"][0](latent[None])
        for name, (styles, images) in methods.items():
            start = time.perf_counter(), time.process_time()
            image = images(w)
            spent[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
            made.append((styles(latent[None]), image))
        differences.append([np.abs(a - b).max() for a, b in zip(made[0], made[-1], strict=True)])
    print(f"{options.images} images, {options.threads} threads; largest difference: ", end="")
    print("styles {:.1e}, images {:.1e}".format(*np.max(differences, axis=0)))
    print(f"{'':<10}{'median s':>12}{'processor s':>14}{'images / s':>14}")
    for name, times in spent.items():
        passed, worked = np.median(times[1:], axis=0)
        print(f"{name:<10}{passed:>12.3f}{worked:>14.3f}{1 / passed:>14.2f}")


if __name__ == "__main__":
    main()
