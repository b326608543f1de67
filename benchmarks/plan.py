"""Planning: a study of 100 subjects with 9 runs each, from `snakemake -n`; and what the workflow adds to its rules.

    PYTHONPATH=. .venv/bin/python benchmarks/plan.py [--finished FOLDER --configfile FILE] [--log FILE]

The dataset is a BIDS tree of headers without data (sparse files). `--finished` is a folder in which a study has run
(the repository, after `make demo`): the time of a run with nothing to do. Its log and benchmark files give the share
of the run that was not the rules' own work.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
TR, VOLUMES, SHAPE, TEST, TRAIN = 1.5, 1475, (104, 104, 66), 36, 1750


def write_dataset(folder: Path, subjects: int, runs: int) -> None:
    """A BIDS tree whose volumes are holes in the file."""
    (folder / "stimuli").mkdir(parents=True)
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "wide", "BIDSVersion": "1.8.0"}))
    (folder / "task-faces_bold.json").write_text(json.dumps({"RepetitionTime": TR, "TaskName": "faces"}))
    latents = np.random.default_rng(0).standard_normal((TEST + TRAIN, 128), np.float32)
    np.save(folder / "stimuli/latents.npy", latents)
    numbers = np.arange(1, TEST + TRAIN + 1)
    test, train = numbers[:TEST], np.array_split(numbers[TEST:], runs - 1)
    for subject in range(1, subjects + 1):
        name = f"sub-{subject:03d}"
        for part in ("func", "anat"):
            (folder / name / part).mkdir(parents=True)
        write_sparse(folder / name / f"anat/{name}_T1w.nii", (176, 240, 256), None)
        for run in range(1, runs + 1):
            stem = folder / name / f"func/{name}_task-faces_run-{run}"
            write_sparse(Path(f"{stem}_bold.nii"), (*SHAPE, VOLUMES), TR)
            shown = np.tile(test, 5) if run == 1 else train[run - 2]
            rows = [f"{12 + 10 * trial:.1f}\t1.5\timages/{number:04d}.jpg" for trial, number in enumerate(shown)]
            Path(f"{stem}_events.tsv").write_text("\n".join(["onset\tduration\tstim_file", *rows, ""]))
    images = folder / "stimuli/images"
    images.mkdir()
    for number in numbers:
        (images / f"{number:04d}.jpg").touch()


def write_sparse(path: Path, shape: tuple[int, ...], tr: float | None) -> None:
    """A NIfTI file with a header and a hole of the size of its data."""
    header = nib.Nifti1Header()
    header.set_data_dtype(np.int16)
    header.set_data_shape(shape)
    header.set_zooms((2.0, 2.0, 2.0) if tr is None else (2.0, 2.0, 2.0, tr))
    header.set_xyzt_units("mm", "sec")
    header.set_sform(np.diag([2.0, 2.0, 2.0, 1.0]), code=1)
    header.set_data_offset(352)
    header["magic"] = b"n+1"
    path.write_bytes(header.binaryblock + bytes(4))
    os.truncate(path, 352 + 2 * int(np.prod(shape)))


TRIVIAL = """
rule all:
    input: [f"out/{{i}}_9.txt" for i in range({chains})]
rule step_0:
    output: "out/{{i}}_0.txt"
    shell: "touch {{output}}"
for k in range(1, 10):
    rule:
        name: f"step_{{k}}"
        input: f"out/{{{{i}}}}_{{k-1}}.txt"
        output: f"out/{{{{i}}}}_{{k}}.txt"
        shell: "touch {{output}}"
"""


def floor(folder: Path, jobs: int) -> tuple[float, float, float, str]:
    """Plan chains of ten jobs that do nothing, as many jobs in all: what Snakemake itself needs at the least."""
    folder.mkdir()
    (folder / "Snakefile").write_text(TRIVIAL.format(chains=round(jobs / 10)))
    return plan(folder, None, folder / "Snakefile")


def plan(folder: Path, config: Path | None, snakefile: Path = ROOT / "Snakefile") -> tuple[float, float, float, str]:
    """Run `snakemake -n`, every job printed: seconds, processor seconds, peak memory in MB, and what it said."""
    command = [sys.executable, "-m", "snakemake", "-n", "--snakefile", str(snakefile), "--cores", "2"]
    command += ["--directory", str(folder)]
    command += ["--configfile", str(config)] if config else []
    started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    return seconds, processor, used.ru_maxrss / 1024, done.stdout + done.stderr


def number_of_jobs(said: str) -> int:
    """The total of the table of jobs; none without a table."""
    found = re.search(r"^total +(\d+)$", said, flags=re.MULTILINE)
    return int(found[1]) if found else 0


def overhead(log: Path, benchmarks: Path, cores: int) -> str:
    """Share of cores times duration of a run that no rule held; a rule of two threads holds two cores."""
    stamps = re.findall(r"^\[(\w{3} \w{3} +\d+ [\d:]+ \d{4})\]$", log.read_text(), flags=re.MULTILINE)
    times = [datetime.strptime(stamp, "%a %b %d %H:%M:%S %Y") for stamp in stamps]
    wall = (times[-1] - times[0]).total_seconds()
    held, threads = 0.0, threads_of_rules()
    for path in sorted(benchmarks.rglob("*.tsv")):
        rule = path.stem if path.parent == benchmarks else path.parent.name
        seconds = float(path.read_text().split("\n")[1].split("\t")[0])
        held += seconds * min(cores, threads.get(rule, 1))
    return f"{wall:.0f} s on {cores} cores, rules held {held:.0f} core seconds: {1 - held / (cores * wall):.0%} between"


def threads_of_rules() -> dict[str, int]:
    """Threads of the rules that state a number."""
    text = "".join(path.read_text() for path in sorted((ROOT / "workflow/rules").glob("*.smk")))
    blocks = re.split(r"^(?:use )?rule (?:\w+ as )?(\w+)(?: with)?:", text, flags=re.MULTILINE)[1:]
    found = {
        name: re.search(r"^    threads: (\d+)$", block, re.MULTILINE)
        for name, block in zip(blocks[::2], blocks[1::2], strict=True)
    }
    return {name: int(match[1]) for name, match in found.items() if match}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="How long Snakemake plans.")
    parser.add_argument("--subjects", type=int, default=100)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--finished", type=Path, help="folder in which a study has run")
    parser.add_argument("--configfile", type=Path, default=ROOT / "config/demo.yaml", help="its configuration")
    parser.add_argument("--log", type=Path, help="what Snakemake printed in that run")
    parser.add_argument("--cores", type=int, default=2, help="cores of that run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_dataset(folder / "ds", options.subjects, options.runs)
        config = folder / "wide.yaml"
        latents = {"path": str(folder / "ds"), "latents": "stimuli/latents.npy"}
        config.write_text(yaml.safe_dump({"study": {"name": "wide"}, "dataset": latents}))
        print(f"{options.subjects} subjects x {options.runs} runs")
        for what in ("the first time", "again, the dataset unchanged"):
            seconds, processor, memory, said = plan(folder, config)
            print(
                f"-n of {number_of_jobs(said)} jobs, {what}: {seconds:.1f} s ({processor:.1f} s of processor), "
                f"{memory:.0f} MB at most"
            )
        seconds, processor, memory, said = floor(folder / "trivial", number_of_jobs(said))
        print(f"-n of {number_of_jobs(said)} jobs that do nothing: {seconds:.1f} s ({processor:.1f} s of processor)")
    if options.finished:
        seconds, processor, _, said = plan(options.finished, options.configfile)
        nothing = "nothing to be done" if "Nothing to be done" in said else f"{number_of_jobs(said)} jobs to be done"
        print(f"{options.configfile.name}, {nothing}: {seconds:.1f} s ({processor:.1f} s of processor)")
        if options.log:
            study = yaml.safe_load(options.configfile.read_text())["study"]["name"]
            print(overhead(options.log, options.finished / "results" / study / "benchmarks", options.cores))


if __name__ == "__main__":
    main()
