"""One run of the published size through realignment and resampling: time, memory, and what was recovered.

    python benchmarks/full_size.py FOLDER [--cores 2] [--volumes 1475] [--dtype int16]

A person with known anatomy and motion is simulated in FOLDER (about 4 GB for 104 x 104 x 66 x 1475 voxels of 2 mm) and
the workflow's own rules bring the run to MNI space at 2 mm. Time and memory are those of Snakemake's benchmark files;
memory is the peak of the resident set, files mapped into memory included. What was found is compared with what was
planted: framewise displacement, the place of each point of the brain in the first volume, and, for volumes spread over
the run, the values: the raw volume, interpolated through the planted transforms, against the output.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from scipy import ndimage

from hyper.io.arrays import read_arrays
from hyper.io.spaces import apply_affine, grid_points
from hyper.io.volumes import iterate_volumes, load_image
from hyper.preprocess.template import load_template
from hyper.simulation.anatomy import Anatomy
from hyper.simulation.recovery import Chain, compare_points, compare_run

ROOT = Path(__file__).resolve().parents[1]
STEPS = ("realign", "align_run", "extract_brain", "register_anatomical", "register_bold", "resample")
SERIES = "task-hyper_run-01"
# onset of the first trial and of the last, s: 179 steps of 12 s on average
FIRST, LAST = 12.0, 12.0 + 179 * 12.0


def settings(volumes: int, dtype: str) -> dict:
    """A study of one person, a long run and a short one."""
    return {
        "study": {"name": "full", "simulated": True, "seed": 1},
        "simulation": {
            "subjects": 1,
            "design": {
                "test_runs": 1,
                "test_faces": 12,
                "test_steps": [12.0],
                "train_runs": 1,
                "train_faces": 2,
                "train_nulls": 0,
                "rest": 1.5 * volumes - LAST,
                "rest_jitter": 0.0,
            },
        },
        "preprocess": {"resample": {"dtype": dtype}},
    }


def main() -> None:
    """Run it and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--volumes", type=int, default=1475)
    parser.add_argument("--dtype", choices=["int16", "float32"], default="int16")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    config = options.folder / "full.yaml"
    config.write_text(yaml.safe_dump(settings(options.volumes, options.dtype)))
    func = "results/full/preprocess/sub-01/func/sub-01_"
    output = f"{func}{SERIES}_space-MNI152NLin2009aSym_desc-preproc_bold.nii.gz"
    snakemake = [str(Path(sys.executable).with_name("snakemake")), "--snakefile", str(ROOT / "Snakefile")]
    snakemake += ["--workflow-profile", str(ROOT / "profiles/default"), "--configfile", config.name]
    subprocess.run(
        [*snakemake, "--cores", str(options.cores), "--quiet", "all", "--", output, "results/full/dataset/truth.h5"],
        cwd=options.folder,
        check=True,
    )
    results = options.folder / "results/full"
    for step in STEPS:
        name = f"{step}/sub-01_{SERIES}.tsv" if step in ("realign", "align_run", "resample") else f"{step}/sub-01.tsv"
        found = pd.read_csv(results / "benchmarks" / name, sep="\t").iloc[0]
        print(f"{step:<22}{found['s']:>8.0f} s{found['cpu_time']:>8.0f} s processor{found['max_rss']:>8.0f} MB at most")
    for name, value, unit in recovered(results):
        print(f"{name:<50}{value:>10.4f} {unit}")
    judge_values(results, options.folder / output)


def recovered(results: Path) -> list[tuple[str, float, str]]:
    """Errors of motion and registration."""
    stem = results / "preprocess/sub-01"
    warp = stem / "anat/sub-01_from-MNI152NLin2009aSym_to-T1w_xfm.nii.gz"
    chain = Chain(results / "dataset/truth.h5", "01", warp, stem / "func/sub-01_from-T1w_to-reference_xfm.h5")
    matrices = stem / f"func/sub-01_{SERIES}_from-boldref_to-volume_xfm.h5"
    to_boldref = stem / f"func/sub-01_{SERIES}_from-reference_to-boldref_xfm.h5"
    rows = compare_points("template_to_t1w", chain.planted, chain.estimated)
    return rows + compare_run(results / "dataset/truth.h5", "01", SERIES, matrices, to_boldref, chain)


def judge_values(results: Path, output: Path, count: int = 8) -> None:
    """Compare volumes of the output with the raw ones brought over by the planted transforms."""
    names = [f"sub-01/{name}" for name in ("affine", "warp", "warp_affine", f"{SERIES}/motion")]
    truth = read_arrays(results / "dataset/truth.h5", names)[0]
    anatomy, motion = Anatomy(*(truth[name] for name in names[:3])), truth[names[3]]
    raw, made = results / f"dataset/sub-01/func/sub-01_{SERIES}_bold.nii.gz", load_image(output)
    template = load_template(2.0)
    brain = ndimage.binary_erosion(template.brain, iterations=2)
    head = anatomy.to_subject(grid_points(brain.shape, template.affine, brain))
    wanted = np.linspace(0, made.shape[3] - 1, count).round().astype(int)
    to_voxels = np.linalg.inv(load_image(raw).affine)
    expected = {
        index: ndimage.map_coordinates(volume, apply_affine(to_voxels @ motion[index], head), order=3, mode="mirror")
        for index, volume in chosen_volumes(raw, wanted)
    }
    for index, volume in chosen_volumes(output, wanted):
        found = volume[brain]
        error = np.sqrt(np.mean((found - expected[index]) ** 2)) / expected[index].mean()
        together = np.corrcoef(found, expected[index])[0, 1]
        print(f"volume {index:>5}: correlation {together:.4f}, difference {error:.2%} of the mean (root mean square)")


def chosen_volumes(path: Path, wanted: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Some volumes of a run, which is read once."""
    done = 0
    for block in iterate_volumes(path):
        for index in wanted[(wanted >= done) & (wanted < done + block.shape[3])]:
            yield int(index), block[..., index - done].astype(np.float32)
        done += block.shape[3]


if __name__ == "__main__":
    main()
