import numpy as np
import pandas as pd
import pytest
from nilearn.glm.contrasts import compute_contrast
from nilearn.glm.first_level import run_glm
from scipy import stats

from hyper.errors import DataError
from hyper.glm.design import NULL, condition_names, contrast_matrix, design_matrix
from hyper.glm.single_trial import SingleTrialGLM
from hyper.glm.tails import TailTable, t_to_z
from hyper.preprocess.confound_names import MOTION

TR, VOLUMES = 1.5, 160


@pytest.fixture
def trials():
    onsets = 12 + 9.0 * np.arange(18)
    split = ["train"] * 18
    split[4] = split[11] = "null"
    return pd.DataFrame(
        {
            "series": "task-hyper_run-01",
            "trial": range(1, 19),
            "onset": onsets,
            "duration": 1.5,
            "trial_type": pd.NA,
            "split": split,
        }
    )


def noisy_run(design, voxels=50, offset=1e4, seed=0):
    rng = np.random.default_rng(seed)
    beta = rng.normal(size=(design.shape[1], voxels))
    return design.to_numpy() @ beta + rng.normal(size=(len(design), voxels)) + offset


def blocks_of(data, size=7):
    return (data[start : start + size] for start in range(0, len(data), size))


def test_equals_nilearn_trial_by_trial(trials):
    design = design_matrix(trials, condition_names(trials, "trial", "baseline"), VOLUMES, TR)
    data = noisy_run(design)
    contrasts, labels = contrast_matrix(design, condition_names(trials, "trial", "baseline"), {})
    assert len(labels) == 16
    glm = SingleTrialGLM(design.to_numpy()).fit(blocks_of(data))
    t, z = glm.t(contrasts), glm.z(contrasts)
    reference_labels, estimates = run_glm(data, design.to_numpy(), noise_model="ols")
    for row, contrast in enumerate(contrasts):
        reference = compute_contrast(reference_labels, estimates, contrast, stat_type="t")
        assert np.abs(t[row] - reference.stat()).max() < 1e-6
        small = np.abs(z[row]) < 8
        assert np.abs(z[row] - reference.z_score())[small].max() < 1e-4


def test_blocks_do_not_matter(trials):
    design = design_matrix(trials, condition_names(trials, "trial", "baseline"), VOLUMES, TR)
    data = noisy_run(design, voxels=5)
    contrasts = np.eye(design.shape[1])[:3]
    one = SingleTrialGLM(design.to_numpy()).fit(iter([data])).t(contrasts)
    many = SingleTrialGLM(design.to_numpy()).fit(blocks_of(data, 1)).t(contrasts)  # generators: in float64
    assert np.allclose(one, many, rtol=1e-9)


def test_null_trials_are_baseline_or_one_regressor(trials):
    names = condition_names(trials, "trial", "baseline")
    assert names.isna().sum() == 2
    modelled = condition_names(trials, "trial", "modelled")
    assert (modelled == NULL).sum() == 2
    design = design_matrix(trials, modelled, VOLUMES, TR)
    assert NULL in design
    assert NULL not in contrast_matrix(design, modelled, {})[1]
    dropped = condition_names(trials, "trial", "dropped")
    design = design_matrix(trials, dropped, VOLUMES, TR)
    assert {"null_0005", "null_0012"} <= set(design)
    assert contrast_matrix(design, dropped, {})[1] == contrast_matrix(design, names.dropna(), {})[1]


def test_what_null_trials_evoke_has_no_say_when_they_are_dropped(trials):
    rng = np.random.default_rng(1)
    dropped = condition_names(trials, "trial", "dropped")
    design = design_matrix(trials, dropped, VOLUMES, TR)
    contrasts, _ = contrast_matrix(design, dropped, {})
    data = rng.normal(size=(VOLUMES, 4))
    evoked = data + design[["null_0005", "null_0012"]].to_numpy() @ np.array([[50.0], [-90.0]])
    one, other = (SingleTrialGLM(design.to_numpy()).fit(iter([values])).t(contrasts) for values in (data, evoked))
    assert np.allclose(one, other)


def test_derivatives_and_finite_impulse_responses(trials):
    names = condition_names(trials, "trial", "baseline")
    design = design_matrix(trials, names, VOLUMES, TR, hrf="spm + derivative")
    matrix, labels = contrast_matrix(design, names, {})
    assert len(labels) == 16
    assert "trial_0001_derivative" in design
    assert (matrix.sum(axis=1) == 1).all()
    assert design.columns[matrix.argmax(axis=1)].tolist() == labels
    design = design_matrix(trials, names, VOLUMES, TR, hrf="fir", fir_delays=[2, 4])
    matrix, labels = contrast_matrix(design, names, {})
    assert labels[0] == "trial_0001"
    assert design.columns[matrix[0] > 0].tolist() == ["trial_0001_delay_2", "trial_0001_delay_4"]
    assert matrix[0].max() == 0.5
    assert design["trial_0001_delay_2"].to_numpy().nonzero()[0].tolist() == [10]


def test_conditions_and_contrasts(trials):
    typed = trials.assign(trial_type=["face", "house"] * 9)
    names = condition_names(typed, "condition", "baseline")
    design = design_matrix(typed, names, VOLUMES, TR)
    matrix, labels = contrast_matrix(design, names, {"faces": "face - house"})
    assert labels == ["faces"]
    assert matrix[0, design.columns.get_loc("face")] == 1
    assert matrix[0, design.columns.get_loc("house")] == -1
    assert np.abs(matrix).sum() == 2
    with pytest.raises(DataError, match="trial_type"):
        condition_names(trials, "condition", "baseline")


def test_trials_that_cannot_be_told_apart_are_refused(trials):
    twice = pd.concat([trials, trials.iloc[[0]].assign(trial=99)], ignore_index=True)
    with pytest.raises(DataError, match="cannot be told apart"):
        design_matrix(twice, condition_names(twice, "trial", "baseline"), VOLUMES, TR)


@pytest.mark.parametrize("dof", [1, 4, 30, 1200])
def test_t_to_z_has_no_infinity_and_keeps_the_sign(dof):
    t = np.linspace(-50, 50, 2001)
    z = t_to_z(t, dof)
    assert np.isfinite(z).all()
    assert np.array_equal(np.sign(z), np.sign(t))
    assert (np.diff(z) > 0).all()
    middle = np.abs(z) < 6
    assert np.allclose(z[middle], stats.norm.isf(stats.t.sf(t[middle], dof)), atol=1e-6)


def test_the_far_tail_joins_smoothly():
    t = np.linspace(30, 50, 4001)
    z = t_to_z(t, 1200)
    steps = np.diff(z)
    assert steps.min() > 0
    assert steps.max() < 2 * np.median(steps)


@pytest.mark.parametrize("dof", [1, 2, 10, 1200, 100_000])
def test_the_table_is_the_conversion(dof):
    t = np.concatenate([np.linspace(-60, 60, 99_991), [0.0, -0.0, 1e-9, -50, 50, 300, -1e4]])
    z, exact = TailTable(dof)(t), t_to_z(t, dof)
    assert z.dtype == np.float32
    assert np.isfinite(z).all()
    assert np.array_equal(np.sign(z), np.sign(t))
    off = np.abs(z - exact) / (1e-6 + 2e-7 * np.abs(exact))
    assert off[np.abs(exact) < 36].max() < 2
    assert np.abs(z / exact - 1)[np.abs(exact) >= 36].max(initial=0) < 1e-5  # where Wallace's approximation takes over


def test_z_is_nilearns_definition():
    for dof in (3, 40, 1200):
        t = np.linspace(-30, 30, 601)
        upper = np.clip(stats.t.sf(t, dof), 1e-300, 1 - 1e-16)
        lower = np.clip(stats.t.cdf(t, dof), 1e-300, 1 - 1e-16)
        z = stats.norm.isf(upper)
        z = np.where(z < 0, stats.norm.ppf(lower), z)
        assert np.abs(TailTable(dof)(t) - z).max() < 1e-5


def test_constant_voxels_give_zero_and_faults_are_refused(trials):
    design = design_matrix(trials, condition_names(trials, "trial", "baseline"), VOLUMES, TR)
    contrasts = np.eye(design.shape[1])[:2]
    data = np.full((VOLUMES, 3), 700.0)
    assert (SingleTrialGLM(design.to_numpy()).fit([data]).t(contrasts) == 0).all()
    with pytest.raises(DataError, match="volumes"):
        SingleTrialGLM(design.to_numpy()).fit([data[:-1]])
    data[3, 1] = np.nan
    with pytest.raises(DataError, match="not finite"):
        SingleTrialGLM(design.to_numpy()).fit([data])
    with pytest.raises(DataError, match="regressors for"):
        SingleTrialGLM(np.eye(4))


def test_confounds_enter_centred_and_a_missing_value_is_the_mean(trials):
    rng = np.random.default_rng(3)
    confounds = pd.DataFrame({"trans_x": rng.normal(size=VOLUMES), "csf_derivative1": rng.normal(5, 2, size=VOLUMES)})
    confounds.loc[0, "csf_derivative1"] = np.nan
    names = condition_names(trials, "trial", "baseline")
    design = design_matrix(trials, names, VOLUMES, TR, confounds=confounds)
    assert design["csf_derivative1"].iloc[0] == 0
    assert np.allclose(design[["trans_x", "csf_derivative1"]].mean(), 0, atol=1e-12)
    assert np.allclose(design[["trans_x", "csf_derivative1"]].std(ddof=0), 1)
    bare = design_matrix(trials, names, VOLUMES, TR, confounds=confounds[[]])
    assert list(bare.columns) == [name for name in design.columns if name not in confounds]
    with pytest.raises(DataError, match="csf_derivative1 has no value"):
        design_matrix(trials, names, VOLUMES, TR, confounds=confounds.assign(csf_derivative1=np.nan))


def test_six_motion_parameters_give_the_very_design_of_before(trials):
    """The formula the published setting has always had, to the last bit."""
    table = pd.DataFrame(
        np.random.default_rng(4).normal(size=(VOLUMES, 7)), columns=[*MOTION, "framewise_displacement"]
    )
    values = table[list(MOTION)].to_numpy(float)
    expected = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-9)
    names = condition_names(trials, "trial", "baseline")
    design = design_matrix(trials, names, VOLUMES, TR, confounds=table[list(MOTION)])
    assert np.array_equal(design[list(MOTION)].to_numpy(), expected)
