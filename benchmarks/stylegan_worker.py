"""One official StyleGAN with random weights: its pickle, what it computes of the same latents, and how fast.

    python benchmarks/stylegan_worker.py CHECKOUT KIND OUT [--full] [--embeddings N]

Run by `stylegan.py` in a process of its own. OUT gets ``network.pkl``, written by the checkout's own persistence
class, and ``computed.npz``: latents, classes, styles, images and layers, by its CPU path (``ref``).
"""

import argparse
import os
import pickle
import sys
import time
from pathlib import Path

import numpy as np
import torch

SMALL = {"channel_base": 256, "channel_max": 8}


def of_kind(kind: str, full: bool, folder: Path) -> torch.nn.Module:
    """Make the network with the classes of the checkout."""
    if kind == "stylegan2":
        from training.networks import Generator

        synthesis = {"num_fp16_res": 4, "conv_clamp": 256} | ({} if full else SMALL)
        size = 1024 if full else 32
        return Generator(
            z_dim=512 if full else 12, c_dim=0 if full else 3, w_dim=512 if full else 16, img_resolution=size,
            img_channels=3, mapping_kwargs={"num_layers": 8 if full else 3}, synthesis_kwargs=synthesis,
        )  # fmt: skip
    if kind in ("stylegan3-t", "stylegan3-r"):
        from training.networks_stylegan3 import Generator

        radial = kind.endswith("r")
        kwargs = {"channel_base": 65536, "channel_max": 1024} if radial and full else {} if full else SMALL
        kwargs |= {"conv_kernel": 1, "use_radial_filters": True} if radial else {"conv_kernel": 3}
        if not full:
            kwargs |= {"num_layers": 6, "margin_size": 4}
        return Generator(
            z_dim=512 if full else 12, c_dim=0, w_dim=512 if full else 16, img_resolution=1024 if full else 32,
            img_channels=3, mapping_kwargs={"num_layers": 2}, magnitude_ema_beta=0.99, **kwargs,
        )  # fmt: skip
    from training.networks_stylegan3_resetting import Generator, SuperresGenerator

    kwargs = {"channel_base": 65536, "channel_max": 1024} if full else SMALL | {"margin_size": 4}
    network = Generator(
        z_dim=64 if full else 6, c_dim=1000 if full else 5, w_dim=512 if full else 16, img_resolution=16,
        img_channels=3, mapping_kwargs={"num_layers": 2, "rand_embedding": False}, conv_kernel=3,
        use_radial_filters=False, num_layers=10 if full else 5, **kwargs,
    )  # fmt: skip
    for resolution in (32, 64, 128, 256, 512) if full else (32, 64):
        fill(network)
        stem = folder / "stem.pkl"
        save(network, stem)
        network = SuperresGenerator(
            img_resolution=resolution, path_stem=str(stem), head_layers=7 if full else 4, up_factor=2
        )
        stem.unlink()
        network.path_stem = network._init_kwargs["path_stem"] = "stem.pkl"
    return network


@torch.no_grad()
def fill(network: torch.nn.Module) -> None:
    """Give random values to what training would have learned but starts out as a constant."""
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        kind = name.rsplit(".", 1)[-1]
        if kind == "magnitude_ema":
            value.uniform_(0.5, 2)
        elif kind == "noise_strength":
            value.normal_(0, 0.2)
        elif kind == "w_avg":
            value.normal_(0, 0.5)
        elif name.endswith("input.affine.weight"):
            value.normal_(0, 0.3)
        elif kind == "bias" and "mapping" not in name:
            value.add_(torch.randn_like(value) * 0.2)


def save(network: torch.nn.Module, path: Path) -> None:
    """Write a snapshot as the training loops do; StyleGAN-XL's does it by dill."""
    content = {"G": None, "D": None, "G_ema": network.eval().requires_grad_(False)}
    content |= {"augment_pipe": None, "training_set_kwargs": {"path": "none.zip"}}
    content["G"] = content["G_ema"]
    try:
        import dill as writer
    except ImportError:
        writer = pickle
    path.write_bytes((writer if "stem" in path.name or hasattr(network, "path_stem") else pickle).dumps(content))


def layers_of(network: torch.nn.Module, run) -> dict[str, np.ndarray]:
    """Activations of every layer, by the official name."""
    found: dict[str, np.ndarray] = {}
    hooks = []
    for name, module in network.synthesis.named_children():
        if name.startswith(("L", "input", "b")):

            def keep(_module, _inputs, output, name=name):
                found[name] = (output[0] if isinstance(output, tuple) else output).numpy().copy()

            hooks.append(module.register_forward_hook(keep))
    run()
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("kind", choices=("stylegan2", "stylegan3-t", "stylegan3-r", "stylegan-xl"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--full", action="store_true", help="the published size")
    parser.add_argument("--fixture", action="store_true", help="as for the tests: no source code, few values")
    parser.add_argument("--rounds", type=int, default=1, help="times the images are made")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(options.checkout.resolve()))
    torch.set_num_threads(1)
    torch.manual_seed(3)
    if options.kind == "stylegan-xl" and not options.full:  # the classes' embedding is read from the working folder
        (out / "in_embeddings").mkdir(exist_ok=True)
        with open(out / "in_embeddings/tf_efficientnet_lite0.pkl", "wb") as file:
            pickle.dump({"embed": torch.nn.Embedding(5, 7)}, file)
        os.chdir(out)
    else:
        os.chdir(options.checkout)
    network = of_kind(options.kind, options.full, out)
    fill(network)
    if options.fixture:
        from torch_utils import persistence

        for cls in persistence._decorators:
            cls._orig_module_src = "# removed"
    save(network, out / "network.pkl")
    count = 1 if options.full else 3
    z = np.random.RandomState(6).randn(count, network.z_dim).astype(np.float32)
    labels = np.arange(count) % max(network.c_dim, 1)
    c = torch.eye(network.c_dim)[labels] if network.c_dim else None
    computed = {"latents": z, "labels": labels}
    for psi in (1.0, 0.7):
        computed[f"w_{psi}"] = network.mapping(torch.from_numpy(z), c, truncation_psi=psi).numpy()
    ws = torch.from_numpy(computed["w_0.7"])
    constant = {"noise_mode": "const", "force_fp32": True}  # StyleGAN2's takes half precision on the CPU too

    def run() -> torch.Tensor:
        return network.synthesis(ws, **constant)

    if not options.full:
        computed |= {f"layer_{name}": value for name, value in layers_of(network, run).items()}
    spent = []
    for _ in range(options.rounds):
        start = time.perf_counter(), time.process_time()
        computed["images"] = run().numpy()
        spent.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    computed["seconds"] = np.array(spent) / count
    if options.fixture:
        computed["images"] = computed["images"][:2]
        computed |= {key: value[:1, :, ::3, ::3] for key, value in computed.items() if key.startswith("layer_")}
    np.savez_compressed(out / "computed.npz", **computed)


if __name__ == "__main__":
    main()
