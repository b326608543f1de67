"""The real scanner run, block by block, beside nilearn's FirstLevelModel."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import FirstLevelModel

from hyper.glm.design import design_matrix
from hyper.glm.single_trial import SingleTrialGLM
from hyper.io.volumes import MaskedSeries

RUN = "sub-01/func/sub-01_task-localizer_run-1"
FOLDER = Path(__file__).resolve().parents[3] / "shared/data/studyforrest-localizer"
TR = 2.0


@pytest.fixture(scope="module")
def localizer():
    if not FOLDER.is_dir():
        pytest.skip(f"the real localizer run (studyforrest, public domain) is not at {FOLDER}: real data NOT tested")
    return FOLDER


def blocks_as_trials(path):
    """Stimuli of one category in a row are one trial."""
    events = pd.read_csv(path, sep="\t")
    block = (events["trial_type"] != events["trial_type"].shift()).cumsum()
    ends = events["onset"] + events["duration"]
    return pd.DataFrame(
        {"series": "run", "onset": events["onset"].groupby(block).min(), "end": ends.groupby(block).max()}
    )


@pytest.mark.parametrize(("noise_model", "tolerance"), [("ols", 1e-4), ("ar1", 1e-2)])
def test_z_equals_nilearns_on_the_real_run(localizer, tmp_path, noise_model, tolerance):
    bold = localizer / f"{RUN}_bold.nii.gz"
    image = nib.load(bold)
    mean = np.mean(image.dataobj, axis=3)
    inside = mean > 0.4 * np.percentile(mean, 98)
    inside[:, :, ::2] = False  # half the slices say as much
    table = blocks_as_trials(localizer / f"{RUN}_events.tsv").reset_index(drop=True)
    table["duration"] = table["end"] - table["onset"]
    names = pd.Series([f"trial_{number:04d}" for number in range(len(table))])
    design = design_matrix(table, names, image.shape[3], TR)
    contrasts = np.eye(design.shape[1])[: len(names)]
    series = MaskedSeries(bold, inside)
    glm = SingleTrialGLM(design.to_numpy(), range(len(names)), noise_model).fit(series)
    ours = series.unmask(glm.z(contrasts))[inside].T
    mask = nib.Nifti1Image(inside.astype(np.uint8), image.affine)
    model = FirstLevelModel(t_r=TR, mask_img=mask, noise_model=noise_model).fit(image, design_matrices=[design])
    theirs = np.stack([model.compute_contrast(c, output_type="z_score").get_fdata()[inside] for c in contrasts])
    alike = np.ones(inside.sum(), bool)
    if noise_model == "ar1":
        own = series.unmask(np.trunc(glm.autocorrelation()[None] * 100))[inside][:, 0]
        alike = np.rint(model.labels_[0].astype(float) * 100) == own
        assert alike.mean() > 0.9999  # nilearn scales float32 data first: a voxel at the edge of a bin may fall over it
    middle = (np.abs(theirs) < 8) & alike
    assert middle.sum() > 1e5
    assert np.abs(ours - theirs)[middle].max() < tolerance
