"""Subjects without a T1-weighted volume, and a template of one's own: what would run."""

import nibabel as nib
import numpy as np
import pytest
import yaml

from .conftest import Study

STRAIGHT = {"extract_bold_brain", "normalise_bold"}
THROUGH = {"extract_brain", "register_anatomical", "register_bold"}


@pytest.fixture
def dataset(tmp_path):
    """Two people, two runs each; the second has no T1w volume."""
    root = tmp_path / "bids"
    for subject in ("01", "02"):
        for run in ("1", "2"):
            stem = root / f"sub-{subject}/func/sub-{subject}_task-faces_run-{run}"
            stem.parent.mkdir(parents=True, exist_ok=True)
            image = nib.Nifti1Image(np.ones((6, 6, 6, 20), np.int16), np.eye(4))
            image.header.set_zooms((3, 3, 3, 2))
            image.header.set_xyzt_units("mm", "sec")
            nib.save(image, f"{stem}_bold.nii.gz")
            rows = [("onset", "duration", "trial_type"), (2, 4, "face"), (12, 4, "house"), (22, 4, "face")]
            text = "\n".join("\t".join(map(str, row)) for row in rows)
            (root / f"{stem}_events.tsv").write_text(text + "\n")
    (root / "sub-01/anat").mkdir()
    nib.save(nib.Nifti1Image(np.ones((6, 6, 6), np.int16), np.eye(4)), root / "sub-01/anat/sub-01_T1w.nii.gz")
    (root / "dataset_description.json").write_text('{"Name": "two", "BIDSVersion": "1.9.0"}')
    (root / "task-faces_bold.json").write_text('{"RepetitionTime": 2.0, "TaskName": "faces"}')
    return root


def study_of(dataset, tmp_path, **preprocess):
    config = {
        "study": {"name": "two", "last_stage": "glm"},
        "dataset": {"path": str(dataset), "latents": None, "stimuli": None},
        "glm": {"regressors": "condition"},
        "preprocess": preprocess,
    }
    (tmp_path / "two.yaml").write_text(yaml.safe_dump(config))
    return Study(tmp_path, tmp_path / "two.yaml")


def test_each_subject_takes_the_way_there_is(dataset, tmp_path):
    planned = study_of(dataset, tmp_path).planned()
    assert {name: planned[name] for name in STRAIGHT | THROUGH} == dict.fromkeys(STRAIGHT | THROUGH, 1)
    assert planned["resample"] == 4
    assert planned["mask_bold"] == planned["plot_registration"] == 2


def test_the_t1w_can_be_left_aside(dataset, tmp_path):
    planned = study_of(dataset, tmp_path, via="bold").planned()
    assert {name: planned.get(name) for name in STRAIGHT} == dict.fromkeys(STRAIGHT, 2)
    assert not THROUGH & set(planned)


def test_the_t1w_can_be_demanded(dataset, tmp_path):
    done = study_of(dataset, tmp_path, via="T1w").snakemake("-n")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "sub-02: the subject has no T1-weighted image" in said
    assert "preprocess.via" in said


def test_the_space_label_follows_the_template(dataset, tmp_path):
    nib.save(nib.Nifti1Image(np.ones((6, 6, 6), np.int16), np.eye(4)), tmp_path / "atlas.nii.gz")
    own = {"space": "NMT2Sym", "t1w": str(tmp_path / "atlas.nii.gz"), "bold": str(tmp_path / "atlas.nii.gz")}
    done = study_of(dataset, tmp_path, template=own).snakemake("-n")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert "sub-02_from-NMT2Sym_to-reference_xfm.nii.gz" in said
    assert "sub-01_from-NMT2Sym_to-T1w_xfm.nii.gz" in said
    assert "sub-01_task-faces_run-1_space-NMT2Sym_desc-preproc_bold.nii.gz" in said
    assert "MNI152" not in said


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ({"t1w": "a.nii.gz"}, "give the label of your template"),
        ({"space": "NMT2Sym"}, "needs its files"),
        ({"mask": "a.nii.gz"}, "belong to a template of your own"),
    ],
)
def test_contradictions_of_the_template_are_told(dataset, tmp_path, template, said):
    done = study_of(dataset, tmp_path, template=template).snakemake("-n")
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
