"""Many subjects through the whole workflow: does it end, with how much memory, and what does it leave behind?

    python benchmarks/load.py FOLDER [--subjects 20] [--runs 9] [--cores 2]

A study of as many people, simulated small (8 mm voxels, few faces), passes every stage to the report. While it runs,
the resident memory of Snakemake and of all its jobs together is sampled, and the files that Snakemake holds open; at
the end what is left in the folders of temporaries is counted, and the page's size told. FOLDER/samples.tsv holds every
sample; a run that was interrupted goes on where it was when the same command is given again.

The sum of resident memory counts pages that processes share once for each of them: it is an upper bound.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pandas as pd
import psutil
import yaml

ROOT = Path(__file__).resolve().parents[1]
TEST_SHARE = 3  # every third run is a test run
SHARED_MEMORY = Path("/dev/shm")


def settings(subjects: int, runs: int) -> dict:
    """A study in which each person does little, and nothing is left out that a group's rules gather."""
    test_runs = max(1, runs // TEST_SHARE)
    train_runs = runs - test_runs
    return {
        "study": {"name": "load", "simulated": True, "seed": 1},
        "simulation": {
            "subjects": subjects,
            "stimuli": {"size": 64},
            "design": {
                "test_runs": test_runs,
                "test_faces": 2 * test_runs,
                "test_trials": 5,
                "repeats": [2, 2],
                "test_nulls": 1,
                "train_runs": train_runs,
                "train_faces": 6 * train_runs,
                "train_nulls": 1,
                "test_steps": [4.5],
                "train_steps": [4.5],
                "first_onset": 6.0,
                "rest": 12.0,
                "rest_jitter": 3.0,
            },
            "anatomy": {"t1w_voxel": 4.0},
            "scanner": {"shape": [24, 26, 20], "voxel": 8.0, "phantom_grid": 6.0},
        },
        "preprocess": {
            "template": {"resolution_mm": 8.0},
            "anatomical": {"warp_resolution_mm": 8.0, "affine_iterations": [20, 10], "warp_iterations": [5, 5]},
        },
        "responses": {"voxels": 40},
        "decoding": {"decoders": {"ridge": {"kind": "ridge"}}, "interpolation": {"stimuli": 1, "steps": 3}},
        "baselines": {"trivial": ["trivial-zero"], "eigenface": None},
        "evaluation": {"permutations": 100, "resamples": 100, "attributes": {"sefa": 0, "boundaries": None}},
        "report": {"brain": {"slices": 3, "resolution": 4.0}, "dpi": 150},
    }


def sample(snakemake: psutil.Process) -> dict[str, float]:
    """Memory (MB), processes and open files at this moment."""
    with snakemake.oneshot():
        own, handles, threads = snakemake.memory_info().rss, snakemake.num_fds(), snakemake.num_threads()
    jobs = 0
    children = snakemake.children(recursive=True)
    for child in children:
        try:
            jobs += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    megabyte = 1e6
    return {
        "snakemake_mb": own / megabyte,
        "tree_mb": (own + jobs) / megabyte,
        "children": len(children),
        "open_files": handles,
        "threads": threads,
    }


def run(folder: Path, options: argparse.Namespace) -> tuple[int, pd.DataFrame]:
    """Run Snakemake and sample it; return its exit code and the samples."""
    config = folder / "load.yaml"
    config.write_text(yaml.safe_dump(settings(options.subjects, options.runs), sort_keys=False))
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", folder]
    command += ["--workflow-profile", ROOT / "profiles/default", "--configfile", config, "--cores", options.cores]
    environment = os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(ROOT)}
    written = folder / "samples.tsv"
    rows = pd.read_csv(written, sep="\t").to_dict("records") if written.exists() else []
    with (folder / "snakemake.log").open("a") as log:
        began = time.monotonic() - (rows[-1]["s"] if rows else 0)
        process = subprocess.Popen(
            list(map(str, [*command, "--nocolor"])), cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            try:
                rows.append({"s": time.monotonic() - began} | sample(watched))
            except psutil.Error:
                break
            time.sleep(options.every)
            if len(rows) % 60 == 0:
                save(rows, written)
        code = process.wait()
    return code, save(rows, written)


def save(rows: list[dict[str, float]], path: Path) -> pd.DataFrame:
    """Write the samples and return them."""
    samples = pd.DataFrame(rows)
    samples.to_csv(path, sep="\t", index=False, float_format="%.1f")
    return samples


def left_over(folder: Path, shared_before: set[Path]) -> dict[str, list[Path]]:
    """Files that nothing will read again, by where they lie."""
    results = folder / "results"
    state = folder / ".snakemake"
    return {
        "partial files among the results": list(results.rglob(".partial-*")),
        "files in the folder of temporaries": [path for path in (folder / "tmp").rglob("*") if path.is_file()],
        "scripts of jobs": [path for path in (state / "scripts").rglob("*") if path.is_file()],
        "locks": [path for path in (state / "locks").rglob("*") if path.is_file()],
        "jobs marked as incomplete": [path for path in (state / "incomplete").rglob("*") if path.is_file()],
        "blocks of shared memory": sorted(set(SHARED_MEMORY.glob("*")) - shared_before),
    }


def largest_jobs(results: Path) -> pd.DataFrame:
    """Peak memory, wall and processor time of each rule, as Snakemake measured them."""
    found = defaultdict(list)
    for path in sorted((results / "benchmarks").rglob("*.tsv")):
        rule = path.relative_to(results / "benchmarks").parts[0].removesuffix(".tsv")
        found[rule].append(pd.read_csv(path, sep="\t").iloc[0])
    rows = {
        rule: {
            "jobs": len(jobs),
            "peak_mb": pd.DataFrame(jobs)["max_rss"].max(),
            "s": pd.DataFrame(jobs)["s"].sum(),
            "cpu_s": pd.DataFrame(jobs)["cpu_time"].sum(),
        }
        for rule, jobs in found.items()
    }
    return pd.DataFrame(rows).T.sort_values("peak_mb", ascending=False)


def tell(folder: Path, code: int, samples: pd.DataFrame, left: dict[str, list[Path]]) -> None:
    """Print what was measured."""
    results = folder / "results/load"
    log = (folder / "snakemake.log").read_text()
    done = re.findall(r"(\d+) of (\d+) steps", log)
    print(f"exit code {code}, {' of '.join(done[-1]) if done else 'no'} jobs, {samples['s'].iloc[-1]:.0f} s")
    thirds = [part for _, part in samples.groupby(pd.qcut(samples["s"], 3, labels=False))]
    for name in ("tree_mb", "snakemake_mb", "open_files", "threads", "children"):
        parts = ", ".join(f"{part[name].median():.0f}" for part in thirds)
        print(f"{name:<14} most {samples[name].max():>6.0f}; median of each third of the time {parts}")
    print(largest_jobs(results).head(12).to_string(float_format="%.0f"))
    for name, files in left.items():
        print(f"{len(files)} {name}", *[f"  {path}" for path in files[:5]], sep="\n")
    files = [path for path in results.rglob("*") if path.is_file()]
    print(f"{len(files)} files of {sum(path.stat().st_size for path in files) / 1e6:.0f} MB")
    page = results / "report/index.html"
    if page.exists():
        print(f"the page: {page.stat().st_size / 1e6:.1f} MB")
    provenance = results / "provenance.json"
    if provenance.exists():
        print(f"{len(json.loads(provenance.read_text())['files'])} deliverables")


def main() -> int:
    """Run it and print what was measured; 0 where the study ended and left nothing behind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--subjects", type=int, default=20)
    parser.add_argument("--runs", type=int, default=9, help="of each subject; a third of them are test runs")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between samples")
    options = parser.parse_args()
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    shared = set(SHARED_MEMORY.glob("*"))
    code, samples = run(folder, options)
    left = left_over(folder, shared)
    tell(folder, code, samples, left)
    return int(bool(code or any(left.values())))


if __name__ == "__main__":
    sys.exit(main())
