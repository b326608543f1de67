"""Every fault that the audit looks for is planted once and must be found."""

from dataclasses import replace

import nibabel as nib
import numpy as np
import pytest

from hyper.errors import DataError
from hyper.io.tables import read_table, write_table
from hyper.io.volumes import write_image
from hyper.responses.audit import audit, demand, report
from hyper.responses.maps import RunMaps, fingerprints
from hyper.responses.matrices import average, scaling_of
from hyper.responses.selection import select_voxels
from tests.responses.small_study import AFFINE, COUNT, SEED


def relabel(study, run, change):
    """Rewrite the table of a run's maps."""
    table = read_table(run.trials, dtype={"stimulus": str})
    write_table(run.trials, change(table))


@pytest.mark.parametrize("method", ["mean_z", "encoding"])
def test_a_clean_study_passes(study, method):
    selection = study.select(method)
    study.write(selection)
    evidence = study.evidence(selection)
    checks = audit(evidence, COUNT, study.options(method), SEED)
    demand(checks, "responses.h5")
    content = report(checks, evidence, "01")
    assert content["passed"]
    assert len(content["checks"]) == 10
    assert all(check["examined"] > 0 for check in content["checks"])
    assert set(content["sha256"]) >= {"responses.h5", "mask.nii.gz", "trials.tsv", "run-1.nii.gz", "run-5.tsv"}
    assert content["notes"] == []


def select_with_test_trials(study):
    """Voxels chosen as if the first test run trained: what a wrong split inside the selection would do."""
    table = study.folder / "as-training.tsv"
    write_table(table, read_table(study.runs[0].trials, dtype={"stimulus": str}).assign(split="train"))
    runs = [RunMaps(study.runs[0].maps, table), *study.runs[1:]]
    return select_voxels(runs, study.brain, None, study.latents, COUNT, study.options(), SEED)


def test_test_trials_that_chose_voxels_are_found(study):
    selection = select_with_test_trials(study)
    study.write(selection)
    faults = study.faults(selection)
    assert "run-1 trial 1, a test trial, chose voxels" in faults["selection_trials"]
    assert "scores of" in faults["mask"][0]
    assert any("had a part in selection" in fault for fault in faults["provenance"])


def test_test_trials_that_chose_voxels_are_found_though_the_record_is_silent(study):
    honest = study.select()
    leaky = select_with_test_trials(study)
    selection = replace(leaky, trials=honest.trials)
    study.write(selection)
    faults = study.faults(selection)
    assert set(faults) == {"mask"}
    # and though the scores on file are those of the training maps
    weak = honest.mask & (honest.score <= np.sort(honest.score[honest.mask])[0])
    other = (
        ~honest.mask & study.brain & (np.arange(216).reshape(6, 6, 6) == np.flatnonzero(~honest.mask & study.brain)[0])
    )
    selection = replace(honest, mask=(honest.mask & ~weak) | other)
    study.write(selection)
    assert study.faults(selection)["mask"] == [f"{study.folder / 'mask.nii.gz'}: 2 voxels differ from the 30 with the "
                                               "highest scores"]  # fmt: skip


def test_a_test_map_under_a_training_trials_name_is_found(study):
    selection = study.select()
    values = study.runs[0].read(study.brain)[0]
    trials = selection.trials.copy()
    trials.loc[3, "sha256"] = fingerprints(values[:1])[0]
    selection = replace(selection, trials=trials)
    study.write(selection)
    assert study.faults(selection)["selection_trials"] == [
        "run-3 trial 4 chose voxels with another map than its own, that of a test trial"
    ]


def test_a_training_trial_that_was_left_out_of_the_choice_is_found(study):
    selection = study.select()
    selection = replace(selection, trials=selection.trials.drop(index=0))
    study.write(selection)
    assert study.faults(selection)["selection_trials"] == ["run-3 trial 1, a training trial, chose no voxels"]


def test_a_test_trial_in_the_training_matrix_is_found(study):
    selection = study.select()
    responses = study.assemble(selection)
    responses.train[5] = responses.test_trials[0]
    study.write(selection, responses)
    faults = study.faults(selection)
    assert "training row 5 equals run-1 trial 1 (test, stimulus" in faults["training"][0]
    assert any("run-3 trial 6 (train, stimulus 0012) is missing" in fault for fault in faults["training"])


def test_a_training_row_from_nowhere_or_twice_is_found(study):
    selection = study.select()
    responses = study.assemble(selection)
    responses.train[0] += np.float32(1e-3)
    responses.train[1] = responses.train[2]
    study.write(selection, responses)
    faults = study.faults(selection)["training"]
    assert "training row 0 (run-3, 0007) equals no map" in faults
    assert any("is labelled run-3, 0008 but is run-3 trial 3" in fault for fault in faults)
    assert any("run-3 trial 3 (train, stimulus 0009) is there 2 times" in fault for fault in faults)


def test_a_wrong_training_latent_is_found(study):
    selection = study.select()
    responses = study.assemble(selection)
    responses.train_latents[7] = study.latents[8]
    study.write(selection, responses)
    assert study.faults(selection) == {"training": ["training row 7 has not the latent of stimulus 0014"]}


@pytest.mark.parametrize(
    ("source", "words"),
    [("both", "of training and test trials together"), ("test", "of the test trials"), ("made up", "of neither set")],
)
def test_scaling_from_test_trials_is_found(study, source, words):
    selection = study.select()
    responses = study.assemble(selection)
    values = {"both": np.concatenate([responses.train, responses.test_trials]), "test": responses.test_trials}
    mean, std = scaling_of(values.get(source, responses.train * 2))
    study.write(selection, replace(responses, mean=mean, std=std))
    assert study.faults(selection) == {"scaling": [f"mean and standard deviation are those {words}"]}


def test_one_stimulus_in_both_sets_is_found(study):
    relabel(study, study.runs[2], lambda table: table.replace({"stimulus": {"0007": "0001"}}))
    study_table = read_table(study.folder / "trials.tsv", dtype={"stimulus": str})
    write_table(study.folder / "trials.tsv", study_table.replace({"stimulus": {"0007": "0001"}}))
    selection = study.select()
    study.write(selection)
    faults = study.faults(selection)
    assert faults["stimuli"] == ["stimulus 0001 is in the training and in the test set"]
    assert f"{study.folder / 'trials.tsv'}: stimulus 0001 is in several sets" in faults["splits"]


@pytest.mark.parametrize("difference", [0.0, 1e-7])
def test_one_latent_under_two_names_is_found(study, difference):
    study.latents[20] = study.latents[2] + difference
    selection = study.select()
    study.write(selection)
    assert study.faults(selection) == {"latents": ["test stimulus 0003 has the latent of training stimulus 0021"]}


def test_one_map_under_two_names_is_found(study):
    training, test = (np.array(nib.load(study.runs[k].maps).dataobj) for k in (2, 0))
    training[..., 4] = test[..., 2]
    write_image(study.runs[2].maps, training, AFFINE)
    selection = study.select()
    study.write(selection)
    faults = study.faults(selection)
    assert faults["maps"] == ["one and the same map: run-1 trial 3 (test), run-3 trial 5 (train)"]
    assert "training row 4 equals run-1 trial 3" in faults["training"][0]


def test_a_test_trial_that_the_glm_calls_training_is_found(study):
    def change(table):
        return table.assign(split=["train", *table["split"][1:]])

    relabel(study, study.runs[1], change)
    selection = study.select()
    study.write(selection)
    assert "run-2 trial 1: split is train, in the events test" in study.faults(selection)["splits"]


def test_a_map_of_an_unknown_trial_is_found(study):
    relabel(study, study.runs[4], lambda table: table.assign(trial=table["trial"] + 100))
    selection = study.select()
    study.write(selection)
    assert "run-5 trial 101 has a map but is not in" in study.faults(selection)["splits"][0]


def test_a_wrong_test_row_is_found(study):
    selection = study.select()
    responses = study.assemble(selection)
    index = np.searchsorted(responses.test_stimuli, responses.test_trial_stimuli)
    wrong = average(responses.test_trials[:-3], index[:-3])
    study.write(selection, replace(responses, test=wrong))
    assert "is not the mean of its 5 trials" in study.faults(selection)["test"][0]
    study.write(selection, replace(responses, test_repeats=responses.test_repeats + 1))
    assert "stimulus 0001: 6 repeats, of 5 in the maps" in study.faults(selection)["test"]


def test_a_record_that_is_missing_or_untrue_is_found(study):
    selection = study.select()
    responses = study.assemble(selection)
    study.write(selection, replace(responses, trials=None))
    assert "does not say where each of the 78 trials went" in study.faults(selection)["provenance"][0]
    for column, value, words in [
        ("scaling", 1, "had a part in scaling"),
        ("train_row", 4, "puts it into the wrong matrix"),
        ("sha256", "0" * 64, "another trial or map in its place"),
    ]:
        record = responses.trials.copy()
        record.loc[2, column] = value
        study.write(selection, replace(responses, trials=record))
        faults = study.faults(selection)
        assert set(faults) == {"provenance"}
        assert words in faults["provenance"][0]
        assert faults["provenance"][0].startswith("run-1 trial 3 (test")


def test_voxels_that_are_not_the_masks_are_found(study):
    selection = study.select()
    responses = study.assemble(selection)
    study.write(selection, replace(responses, ijk=responses.ijk[::-1]))
    assert "its voxels are not those of" in study.faults(selection)["provenance"][0]


def test_a_failed_audit_names_file_fault_and_mend(study):
    study.latents[20], study.latents[21] = study.latents[2], study.latents[3]
    selection = study.select()
    study.write(selection)
    checks = audit(study.evidence(selection), COUNT, study.options(), SEED)
    with pytest.raises(
        DataError, match=r"responses.h5: the leakage audit failed.*test stimulus 0003.*and 1 more.*Correct"
    ):
        demand(checks, "responses.h5")


def test_a_run_that_holds_both_sets_is_said_and_passes(study):
    half = {f"{number:04d}" for number in range(7, 15)}
    tables = [read_table(study.folder / "trials.tsv", dtype={"stimulus": str, "series": str})]
    tables += [read_table(run.trials, dtype={"stimulus": str, "series": str}) for run in study.runs]
    for path, table in zip([study.folder / "trials.tsv", *(run.trials for run in study.runs)], tables, strict=True):
        write_table(path, table.assign(split=np.where(table["stimulus"].isin(half), "test", table["split"])))
    selection = study.select()
    study.write(selection)
    evidence = study.evidence(selection)
    checks = audit(evidence, COUNT, study.options(), SEED)
    demand(checks, "responses.h5")
    assert report(checks, evidence, "01")["notes"] == [
        "run-3 holds training and test trials: their estimates share the noise of the run"
    ]
