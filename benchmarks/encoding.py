"""Encoding models at the size of the published study, beside scikit-learn's KernelRidge in the loop of the notebook.

    PYTHONPATH=. .venv/bin/python benchmarks/encoding.py [--features 512 25088] [--peer] [--sample] [--threads 2]

960 channels in three regions, 4,000 training and 100 test images, features from 512 to 25,088 in an HDF5 file. Each
feature and method runs in a process of its own: wall time from the file to predictions, and peak memory. The peer
builds the kernel, finds the penalties by a singular value decomposition of it, and fits and predicts one KernelRidge
per penalty and region, as the published notebook does; penalties and criterion are the paper's in both.

With --sample the peer runs part of its loop, which takes long at 25,088 features: for each region one KernelRidge, that
of the penalty which was chosen, and one singular value decomposition for all. The time of each is counted as often as
the loop would run it: a fit takes as long whatever its penalty. Predictions are compared all the same.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np

TRAIN, TEST, REGIONS = 4000, 100, {"V1": 448, "V4": 256, "IT": 256}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--features", type=int, nargs="+", default=[512, 768, 25088])
    parser.add_argument("--images", type=int, default=TRAIN)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--peer", action="store_true", help="run the loop of the notebook too")
    parser.add_argument("--sample", action="store_true", help="of that loop, and multiplied; see above")
    parser.add_argument("--only", type=int, nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--worker", nargs=3, metavar=("METHOD", "DATA", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return work(*options.worker, options.only)
    with tempfile.TemporaryDirectory() as folder:
        total = {}
        for width in options.features:
            data = Path(folder) / f"{width}.h5"
            draw(data, options.images, width)
            found = {"hyper": measure("hyper", data, options.threads)}
            if options.peer or options.sample:
                only = found["hyper"]["chosen"] if options.sample else ()
                found["peer"] = measure("peer", data, options.threads, only)
            report(width, found)
            for name, one in found.items():
                total[name] = total.get(name, 0) + one["seconds"]
            data.unlink()
        if "peer" in total:
            print(f"over all features {total['peer'] / total['hyper']:.1f} times as fast")
    return None


def draw(path, images, width):
    """Features with a spectrum that falls as that of networks, and responses that carry some of them."""
    rng = np.random.default_rng(width)
    rank = min(width, 1500)
    scores = rng.standard_normal((images + TEST, rank), np.float32) * (np.arange(1, rank + 1) ** -0.6).astype(
        np.float32
    )
    features = scores @ rng.standard_normal((rank, width), np.float32) / np.float32(width**0.5)
    features += np.float32(0.02) * rng.standard_normal(features.shape, np.float32)
    channels = sum(REGIONS.values())
    signal = scores @ rng.standard_normal((rank, channels), np.float32)
    responses = signal / signal.std(axis=0) + rng.standard_normal(signal.shape, np.float32)
    with h5py.File(path, "w") as file:
        file.create_dataset("features", data=features, chunks=(64, min(width, 2048)))
        file["responses"] = responses[:images]


def measure(method, data, threads, only=()):
    out = data.with_suffix(f".{method}.npz")
    variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(threads))
    command = [sys.executable, __file__, "--worker", method, str(data), str(out)]
    command += ["--only", *map(str, only)] if len(only) else []
    done = subprocess.run(command, env=os.environ | variables, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1]) | dict(np.load(out))


def work(method, data, out, only):
    run = {"hyper": by_hyper, "peer": by_scikit_learn}[method]
    # neither is charged for its imports
    import_module("hyper.encoding.kernel_ridge" if method == "hyper" else "sklearn.kernel_ridge")
    before = peak()
    start, cpu = time.perf_counter(), time.process_time()
    predicted, penalties, chosen, left_out = run(data, only) if only else run(data)
    run_for = time.perf_counter() - start
    seconds, busy = run_for + left_out[0], time.process_time() - cpu + left_out[1]
    np.savez(out, predicted=predicted, penalties=penalties, chosen=chosen)
    print(json.dumps({"seconds": seconds, "cpu": busy, "gigabytes": peak(), "before": before, "run": run_for}))


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


def labels():
    return np.repeat(list(REGIONS), list(REGIONS.values()))


def by_hyper(data):
    from hyper.encoding.kernel_ridge import encode
    from hyper.encoding.kernels import gram, split_kernel

    with h5py.File(data) as file:
        whole, responses, width = gram(file["features"]), file["responses"][:], file["features"].shape[1]
    train, test = np.arange(len(responses)), np.arange(len(responses), len(whole))
    kernels = split_kernel(whole, train, test, centre=False, width=width)
    del whole
    predicted, fits = encode(kernels, responses, labels(), variant="published", intercept=False)
    chosen = [fit.chosen for fit in fits]
    return predicted, np.array([fit.penalties[fit.chosen] for fit in fits]), chosen, (0.0, 0.0)


def by_scikit_learn(data, only=None):
    """The published loop: penalties anew for every region, one KernelRidge for each; the paper's criterion.

    With `only`, the place of one penalty for each region, no other is fitted, and the kernel is decomposed once; what
    was left out, in wall and processor seconds, comes last.
    """
    from sklearn.kernel_ridge import KernelRidge

    from hyper.encoding.penalties import criterion, penalty_grid

    with h5py.File(data) as file:
        features, responses = file["features"][:].astype(float), file["responses"][:].astype(float)
    train, test = features[: len(responses)], features[len(responses) :]
    kernel, predicted, penalties, places = train @ train.T, [], [], []
    grid, left_out = None, np.zeros(2)
    for number, region in enumerate(REGIONS):
        own = responses[:, labels() == region]
        start = now()
        if grid is None or not only:
            grid = penalty_grid(np.linalg.svd(kernel)[1])
            left_out += (now() - start) * (len(REGIONS) - 1) * bool(only)
        # nothing is left to judge a fit by that interpolates all trials
        tried = [place for place, penalty in enumerate(grid.penalties) if penalty or grid.rank < len(train)]
        best = (np.inf, 0, KernelRidge())
        start = now()
        for place in [only[number]] if only else tried:
            penalty, degrees = grid.penalties[place], grid.degrees[place]
            # scikit-learn's solver refuses a singular kernel; so small a penalty changes nothing else
            model = KernelRidge(alpha=max(penalty, 1e-10 * kernel.trace() / len(kernel))).fit(train, own)
            squares = np.array([np.square(own - model.predict(train)).sum()])
            found = float(criterion(squares, np.array([degrees]), len(train))[0])
            if found < best[0]:
                best = (found, place, model)
        left_out += (now() - start) * (len(tried) - 1) * bool(only)
        penalties.append(grid.penalties[best[1]])
        predicted.append(best[2].predict(test))
        places.append(best[1])
    return np.concatenate(predicted, axis=1), np.array(penalties), places, left_out.tolist()


def now():
    """Wall and processor time, s."""
    return np.array([time.perf_counter(), time.process_time()])


def report(width, found):
    for name, one in found.items():
        sampled = f"  (of a sample of its loop that took {one['run']:.1f} s)" if one["run"] < one["seconds"] else ""
        print(
            f"{width:6d} features  {name:6s} {one['seconds']:8.1f} s wall  {one['cpu']:8.1f} s CPU  "
            f"{one['gigabytes']:5.2f} GB peak{sampled}",
            flush=True,
        )
    if "peer" in found:
        own, peer = found["hyper"], found["peer"]
        apart = np.abs(own["predicted"] - peer["predicted"]).max() / np.abs(peer["predicted"]).max()
        print(
            f"       {peer['seconds'] / own['seconds']:.1f} times as fast ({peer['cpu'] / own['cpu']:.1f} by CPU); "
            f"predictions differ by {apart:.1e} of the largest; penalties {own['penalties']} and {peer['penalties']}",
            flush=True,
        )


if __name__ == "__main__":
    main()
