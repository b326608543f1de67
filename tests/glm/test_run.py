"""From a preprocessed file to maps, tables and their summary on disk."""

import json
import logging

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import FirstLevelModel

from hyper.errors import DataError
from hyper.glm.run import fit_run
from hyper.io.volumes import write_image, write_series
from hyper.preprocess.confound_names import MOTION
from hyper.settings.glm import Glm

SHAPE, VOLUMES, TR = (6, 7, 5), 220, 1.5


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    data = rng.normal(1000, 10, (*SHAPE, VOLUMES)) + np.linspace(0, 30, VOLUMES)
    write_series(tmp_path / "bold.nii.gz", [data], data.shape, np.diag([2, 2, 2, 1]), TR)
    write_image(tmp_path / "mask.nii.gz", (rng.random(SHAPE) < 0.7).astype(np.uint8), np.diag([2, 2, 2, 1]))
    return tmp_path


@pytest.fixture
def trials():
    split = ["train"] * 20
    split[6] = "null"
    columns = {"series": "run", "trial": range(1, 21), "onset": 12 + 13.5 * np.arange(20), "duration": 2.167}
    return pd.DataFrame(columns | {"split": split, "trial_type": pd.NA, "stimulus": [f"{n % 10}" for n in range(20)]})


def fit(files, trials, **model):
    confounds = pd.DataFrame(np.random.default_rng(1).normal(size=(VOLUMES, 6)), columns=list(MOTION))
    names = [files / name for name in ("z.nii.gz", "trials.tsv", "design.tsv", "glm.json")]
    fit_run(
        files / "bold.nii.gz", files / "mask.nii.gz", trials, TR, confounds, Glm(**model).model_dump(), *names
    )  # fmt: skip
    z = nib.load(names[0]).get_fdata()
    return z, pd.read_csv(names[1], sep="\t"), pd.read_csv(names[2], sep="\t"), json.loads(names[3].read_text())


@pytest.mark.parametrize("noise_model", ["ols", "ar1"])
def test_maps_are_those_of_nilearns_model(files, trials, noise_model):
    z, table, design, _ = fit(files, trials, estimator="lsa", noise_model=noise_model)
    assert z.shape == (*SHAPE, 19)
    assert table["trial"].tolist() == [n for n in range(1, 21) if n != 7]
    model = FirstLevelModel(t_r=TR, mask_img=str(files / "mask.nii.gz"), noise_model=noise_model)
    model.fit(str(files / "bold.nii.gz"), design_matrices=[design])
    for volume, label in enumerate(table["map"]):
        theirs = model.compute_contrast(label, output_type="z_score").get_fdata()
        assert np.abs(z[..., volume] - theirs).max() < (1e-4 if noise_model == "ols" else 1e-2)


@pytest.mark.parametrize(
    "model",
    [
        {"estimator": "published"},
        {"estimator": "lss"},
        {"estimator": "ridge"},
        {"estimator": "ridge", "penalty": "repeats", "noise_components": 2},
        {"estimator": "lsa", "hrf": "fir", "fir_delays": [3, 4]},
        {"estimator": "lsa", "hrf": "glover + derivative"},
        {"estimator": "lsa", "null_trials": "dropped"},
    ],
)
def test_every_recipe_gives_a_map_per_trial_and_says_how(files, trials, model):
    z, table, _, summary = fit(files, trials, **model)
    inside = nib.load(files / "mask.nii.gz").get_fdata() > 0
    assert z.shape == (*SHAPE, 19)
    assert len(table) == 19
    assert np.isfinite(z).all()
    assert (z[~inside] == 0).all()
    assert 0.5 < z[inside].std() < 2
    assert summary["estimator"] == ("lsa" if model["estimator"] == "published" else model["estimator"])
    assert summary["variance_inflation"]["largest"] >= 1


def test_a_run_does_not_depend_on_another(files, trials):
    """Each run is estimated by itself, whatever its estimator learns of it."""
    one = fit(files, trials, estimator="ridge")[0]
    assert np.array_equal(one, fit(files, trials, estimator="ridge")[0])


def test_trials_that_can_hardly_be_told_apart_are_named(files, trials, caplog):
    close = trials.assign(onset=np.where(trials["trial"] == 4, trials["onset"].iloc[2] + 0.75, trials["onset"]))
    with caplog.at_level(logging.WARNING):
        _, _, _, summary = fit(files, close, estimator="lsa")
    assert "hardly be told apart" in caplog.text
    assert "trial_0003" in caplog.text
    assert summary["variance_inflation"]["of"] in ("trial_0003", "trial_0004")


def test_a_mask_of_another_grid_is_refused(files, trials):
    write_image(files / "mask.nii.gz", np.ones((3, 3, 3), np.uint8), np.eye(4))
    with pytest.raises(DataError, match="grid"):
        fit(files, trials, estimator="lsa")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"estimator": "published", "noise_model": "ar1"}, "published has noise_model: ols"),
        ({"estimator": "ridge", "hrf": "fir"}, "only estimator: lsa"),
        ({"estimator": "lsa", "noise_components": 11}, "between 0 and 10"),
        ({"regressors": "condition", "hrf": "library"}, "regressors: trial"),
        ({"estimator": "lsa", "hrf": "fir", "noise_components": 3}, "response of one regressor"),
    ],
)
def test_contradictions_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        Glm(**model)
