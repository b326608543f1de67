"""Decoders at the published size, on simulated responses with known parameters.

    python benchmarks/decoders.py --seeds 0 1 2 --out decoders.tsv
    python benchmarks/decoders.py --seeds 7 --signals .08 --decoders published pls "cosine loss" ensemble
    python benchmarks/decoders.py --seeds 7 --signals .066 .098 .13 --choose --decoders published noise-aware

1050 single trials x 4096 voxels -> 512 latents; 36 test stimuli of 14 repeats. Voxels of very unequal strength
(standard deviation of the log: 1), encoding directions of unequal variance (1/k, in a random basis), 40 % of the noise
in 100 shared components of variance 1/k. `signal` is the root mean square of a voxel's response to latents over the
standard deviation of a trial's noise. Nothing is chosen on the test set, but the penalty of ``ridge (hindsight)``.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.decoding.choice import choose, decode_left_out, left_out_scores
from hyper.decoding.registry import make_decoder
from hyper.evaluation.metrics import METRICS

TRIALS, VOXELS, LATENTS, STIMULI, REPEATS, RUNS = 1050, 4096, 512, 36, 14, 6
SIGNALS = (0.05, 0.08, 0.13)
DECODERS: dict[str, dict[str, object]] = {
    "published": {"kind": "dense", "device": "auto"},
    "ols": {"kind": "ols"},
    "pcr": {"kind": "components", "method": "pcr"},
    "pls": {"kind": "components", "method": "pls"},
    "ridge": {"kind": "ridge", "lowest": 1e1, "highest": 1e7, "number": 25},
    "ridge, penalty per latent": {
        "kind": "ridge",
        "penalty": "per latent",
        "lowest": 1e1,
        "highest": 1e7,
        "number": 25,
    },
    "ridge, reliable voxels": {
        "kind": "ridge",
        "weighting": "reliability",
        "lowest": 1e-1,
        "highest": 1e7,
        "number": 33,
    },
    "ridge, generalised cross-validation": {"kind": "ridge", "selection": "gcv"},
    "cosine loss": {"kind": "direction", "penalties": [1.0]},
    "noise-aware": {"kind": "noise-aware"},
    "noise-aware, weights taken as known": {"kind": "noise-aware", "weight_uncertainty": False},
    "noise-aware, private noise alone": {"kind": "noise-aware", "components": 0},
    "noise-aware, Ledoit and Wolf": {"kind": "noise-aware", "noise": "ledoit-wolf"},
    "ensemble": {"kind": "ensemble", "members": [{"kind": "noise-aware"}, {"kind": "direction", "penalties": [1.0]}]},
}
QUICK = tuple(name for name in DECODERS if name not in ("published", "pls", "cosine loss", "ensemble"))
CANDIDATES = ("ridge", "noise-aware", "noise-aware, weights taken as known")
SCORES = ("latent_similarity", "latent_cosine", "identification_2way_latent")


def simulate(seed: int, signal: float) -> dict[str, np.ndarray]:
    """Draw parameters, training trials and averaged test responses."""
    rng = np.random.default_rng(seed)
    scale = np.arange(1, LATENTS + 1) ** -0.5
    scale /= np.sqrt(np.mean(scale**2))
    basis = np.linalg.qr(rng.standard_normal((LATENTS, LATENTS)))[0]
    strength = np.exp(rng.standard_normal(VOXELS))
    strength *= signal / np.sqrt(np.mean(strength**2))
    weights = (rng.standard_normal((VOXELS, LATENTS)) * scale) @ basis.T * (strength / np.sqrt(LATENTS))[:, None]
    shared = rng.standard_normal((VOXELS, 100)) * np.arange(1, 101) ** -0.5
    shared *= np.sqrt(0.4 / np.mean((shared**2).sum(axis=1)))
    private = np.exp(0.3 * rng.standard_normal(VOXELS))
    private *= 0.6 / private.mean()
    data = {"weights": weights, "shared": shared, "private": private}
    for split, rows, repeats in (("train", TRIALS, 1), ("test", STIMULI, REPEATS)):
        latents = rng.standard_normal((rows, LATENTS))
        noise = rng.standard_normal((rows, 100)) @ shared.T + rng.standard_normal((rows, VOXELS)) * np.sqrt(private)
        data[split], data[f"{split}_latents"] = latents @ weights.T + noise / np.sqrt(repeats), latents
    return data


def ceiling(data: dict[str, np.ndarray]) -> np.ndarray:
    """Posterior mean with the true parameters."""
    private, shared = data["private"] / REPEATS, data["shared"] / np.sqrt(REPEATS)
    scaled = shared / private[:, None]
    gain = data["weights"] / private[:, None]
    gain -= scaled @ np.linalg.solve(np.eye(100) + shared.T @ scaled, shared.T @ gain)
    return np.linalg.solve(np.eye(LATENTS) + data["weights"].T @ gain, (data["test"] @ gain).T).T


def ridge_in_hindsight(data: dict[str, np.ndarray]) -> np.ndarray:
    """Ridge with the one penalty that is best on the test set."""
    mean, std = data["train"].mean(axis=0), data["train"].std(axis=0)
    x, new = (data["train"] - mean) / std, (data["test"] - mean) / std
    offset = data["train_latents"].mean(axis=0)
    values, vectors = np.linalg.eigh(x @ x.T)
    left, right = new @ x.T @ vectors, vectors.T @ (data["train_latents"] - offset)
    paths = [(left / (np.maximum(values, 0) + penalty)) @ right + offset for penalty in np.geomspace(10, 1e7, 61)]
    return max(paths, key=lambda decoded: score(data, decoded)["latent_cosine"])


def score(data: dict[str, np.ndarray], decoded: np.ndarray) -> dict[str, float]:
    """Metrics of the project, and length over true length."""
    true = data["test_latents"]
    row = {name: np.diag(s.matrix).mean() / s.unit for name in SCORES for s in [METRICS[name].scores(true, decoded)]}
    return row | {"scale": np.linalg.norm(decoded) / np.linalg.norm(true)}


def measure(data: dict[str, np.ndarray], names: Sequence[str]) -> list[dict[str, object]]:
    """One row per decoder."""
    rows: list[dict[str, object]] = [{"decoder": "true parameters", **score(data, ceiling(data))}]
    rows.append({"decoder": "ridge (hindsight)", **score(data, ridge_in_hindsight(data))})
    rows.append({"decoder": "zero", **score(data, np.zeros_like(data["test_latents"]))})
    series = np.repeat([f"run-{i}" for i in range(RUNS)], TRIALS // RUNS)
    for name in names:
        start, busy = time.perf_counter(), time.process_time()
        decoder = make_decoder(seed=0, **DECODERS[name]).fit(data["train"], data["train_latents"], series=series)
        decoded = decoder.decode(data["test"], REPEATS)
        times = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - busy}
        rows.append({"decoder": name, **score(data, decoded), **times})
        print(rows[-1], flush=True)
    return rows


def chosen(data: dict[str, np.ndarray]) -> pd.DataFrame:
    """Choice among `CANDIDATES` by leaving training runs out."""
    series = np.repeat([f"run-{i}" for i in range(RUNS)], TRIALS // RUNS)
    rows = []
    for name in CANDIDATES:
        decoded = decode_left_out(
            lambda name=name: make_decoder(seed=0, **DECODERS[name]),
            data["train"], data["train_latents"], series, REPEATS,
        )  # fmt: skip
        rows.append({"decoder": name, **left_out_scores(data["train_latents"], decoded, REPEATS)})
    return choose(pd.DataFrame(rows))


def main() -> None:
    """Run every level and seed, write all rows and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--signals", type=float, nargs="+", default=SIGNALS)
    parser.add_argument("--out", type=Path, default=Path("decoders.tsv"))
    parser.add_argument("--decoders", nargs="+", choices=DECODERS, default=QUICK, help="default: those of seconds")
    parser.add_argument("--choose", action="store_true", help="leave runs out and print the choice")
    options = parser.parse_args()
    rows = []
    for seed in options.seeds:
        for signal in options.signals:
            data = simulate(seed, signal)
            rows += [{"signal": signal, "seed": seed, **row} for row in measure(data, options.decoders)]
            pd.DataFrame(rows).to_csv(options.out, sep="\t", index=False)
            if options.choose:
                print(chosen(data).to_string(), flush=True)
    table = pd.DataFrame(rows)
    order = list(dict.fromkeys(table["decoder"]))
    means = table.drop(columns="seed").groupby(["signal", "decoder"]).mean().reindex(order, level="decoder")
    print(means.round(4).to_string())


if __name__ == "__main__":
    main()
