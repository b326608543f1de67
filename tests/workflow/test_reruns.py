"""Which rules a change runs again: one line per setting, in reruns.yaml, by Snakemake's own decision.

A finished study is faked (faked.py): its outputs are stand-ins that Snakemake has recorded as the work of its rules.
"""

import copy
import os
import shutil
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
import yaml

from hyper.preprocess.engines.programs import PROGRAMS
from hyper.settings import code_version
from hyper.settings.load import overlay
from tests.conftest import write_bold, write_events
from tests.workflow.faked import FakedStudy, first_rules, rules
from tests.workflow.leaves import leaves

HERE = Path(__file__).parent
TABLE = yaml.safe_load((HERE / "reruns.yaml").read_text())
PARTS = sorted({place.rpartition(".")[0] for place in TABLE})


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The finished studies, by name."""
    folder = tmp_path_factory.mktemp("finished studies")
    write_files(folder)
    write_dataset(folder / "ds")
    shutil.copytree(folder / "ds", folder / "other-ds")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
        for name, config in with_folder(yaml.safe_load((HERE / "reruns_studies.yaml").read_text()), folder).items():
            (folder / name).mkdir()
            found[name] = FakedStudy(folder / name, config)
            found[name].finish()
        yield found


def write_files(folder):
    """What the studies name beside their dataset, and the programs of every engine, as empty as the checks allow."""
    for name in ("region", "other-region", "atlas", "t1w", "mask", "bold"):
        nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), folder / f"{name}.nii")
    for name in ("atlas.tsv", "other.tsv", "a.model", "b.model", "a.pth", "b.pth", "other.safetensors"):
        (folder / name).write_text(name)
    with h5py.File(folder / "a.h5", "w") as file:
        for name, shape in {"train": (3, 2), "test": (1, 2), "train_latents": (3, 6), "test_latents": (1, 6)}.items():
            file[name] = np.ones(shape)
    (folder / "bin").mkdir()
    for program in {name for steps in PROGRAMS.values() for names in steps.values() for name in names}:
        (folder / "bin" / program).touch(mode=0o755)


def write_dataset(root):
    """Two subjects with a test run and a training run each."""
    (root / "stimuli/images").mkdir(parents=True)
    for number in range(34):
        (root / f"stimuli/images/{number:04d}.jpg").write_bytes(b"jpeg")
    np.save(root / "stimuli/latents.npy", np.zeros((33, 6)))
    np.save(root / "stimuli/other.npy", np.zeros((33, 6)))
    (root / "task-hyper_bold.json").write_text('{"RepetitionTime": 1.5}')
    for subject in ("sub-01", "sub-02"):
        for part in ("func", "anat"):
            (root / subject / part).mkdir(parents=True)
        nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), root / subject / f"anat/{subject}_T1w.nii")
        for run, stimuli in {"1": [1, 2, 3, 0, 1, 2, 3], "2": [0, *range(4, 34)]}.items():
            stem = root / subject / f"func/{subject}_task-hyper_run-{run}"
            write_events(Path(f"{stem}_events.tsv"), stimuli)
            write_bold(Path(f"{stem}_bold.nii"), volumes=20 + 7 * len(stimuli))


def with_folder(value, folder):
    return yaml.safe_load(yaml.safe_dump(value, sort_keys=False).replace("FOLDER", str(folder)))


def changed(study, place, value, also=None):
    """The study's configuration with one setting changed; a decoder of another kind has no setting of the old."""
    if place.endswith(".kind"):
        config = copy.deepcopy(study.config)
        config["decoding"]["decoders"][place.split(".")[2]] = {"kind": value}
        return config
    change = value
    for key in reversed(place.split(".")):
        change = {key: change}
    return with_folder(overlay(overlay(study.config, change), also or {}), study.folder.parent)


def told(workflow):
    """The rules that re-run for a reason of their own, as the table tells them."""
    names = first_rules(workflow)
    everything = {job.rule.name for job in workflow.dag.jobs} - {"all", "write_report", "write_provenance"}
    return "everything" if set(rules(workflow)) >= everything and len(names) > 30 else " ".join(sorted(names))


def test_every_setting_has_its_line():
    assert list(TABLE) == [place for place, _ in leaves()]


def test_nothing_is_to_be_done(studies):
    for study in studies.values():
        assert rules(study.plan()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_a_setting_reruns_what_reads_it(studies, part):
    expected, found = {}, {}
    for place, line in TABLE.items():
        if place.rpartition(".")[0] == part:
            study = studies[line.get("study", "simulated")]
            expected[place] = line["runs"]
            found[place] = told(study.plan(changed(study, place, line["to"], line.get("also"))))
    assert found == expected
