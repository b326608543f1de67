import json

import numpy as np
import pandas as pd
import pytest

from hyper.dataset.layout import find_runs
from hyper.dataset.stimuli import read_latents
from hyper.dataset.trials import Reading, read_trials
from hyper.errors import DatasetError


def reading(root, **options):
    return Reading(latents=root / "stimuli/latents.npy", stimuli=root / "stimuli", **options)


def test_the_published_form_is_recognised_and_said(dataset):
    trials = read_trials(find_runs(dataset), reading(dataset))
    table = trials.table
    assert list(table["series"].value_counts(sort=False)) == [8, 5, 5]
    assert table["duration"].round(4).unique().tolist() == [2.1671]
    assert trials.counts() == {"train": 8, "test": 7, "null": 3}
    assert table.query("stimulus == '0007'")["latent_row"].tolist() == [6]
    assert table.query("stimulus == '0001'")["repeat"].tolist() == [1, 2, 3]
    assert table.query("split == 'null'")["latent_row"].isna().all()
    said = " ".join(trials.readings)
    for words in ("3 rows", "milliseconds", "3 null trials show 0000", "8 training stimuli and 3 test stimuli"):
        assert words in said
    assert set(trials.repetition_times.values()) == {1.5}


@pytest.mark.parametrize(("how", "seconds"), [("first", 2.1671), ("sum", 5.8342), ("longest", 2.1671)])
def test_collapse_can_be_overridden(dataset, how, seconds):
    table = read_trials(find_runs(dataset), reading(dataset, collapse=how)).table
    assert np.allclose(table["duration"], seconds)


def test_each_row_can_be_kept_and_units_set(dataset):
    table = read_trials(
        find_runs(dataset), reading(dataset, collapse="none", duration_unit="s", test_stimuli=["0001"])
    ).table
    assert len(table) == 3 * 18
    assert table["duration"].max() > 2000


def test_partly_repeated_rows_are_not_guessed(dataset):
    path = dataset / "sub-01/func/sub-01_task-hyper_run-02_events.tsv"
    table = pd.read_csv(path, sep="\t").drop(index=1)
    table.to_csv(path, sep="\t", index=False)
    with pytest.raises(DatasetError, match=r"run-02_events.tsv.*up to 3.*dataset.events.collapse"):
        read_trials(find_runs(dataset), reading(dataset))


def test_plain_bids_events_are_left_alone(dataset):
    for path in dataset.glob("sub-01/func/*_events.tsv"):
        table = pd.read_csv(path, sep="\t").drop_duplicates("onset")
        table.assign(duration=1.5).to_csv(path, sep="\t", index=False)
    trials = read_trials(find_runs(dataset), reading(dataset))
    assert trials.table["duration"].unique().tolist() == [1.5]
    assert not any("rows" in note or "milliseconds" in note for note in trials.readings)


def test_the_test_set_can_be_named(dataset):
    trials = read_trials(find_runs(dataset), reading(dataset, test_stimuli=["0001-0002", "0004"]))
    assert set(trials.table.query("split == 'test'")["stimulus"]) == {"0001", "0002", "0004"}


def test_sidecar_wins_over_header_and_it_is_said(dataset):
    (dataset / "task-hyper_bold.json").write_text(json.dumps({"RepetitionTime": 2.0}))
    trials = read_trials(find_runs(dataset), reading(dataset))
    assert set(trials.repetition_times.values()) == {2.0}
    assert sum("header states a repetition time of 1.5 s, the sidecar 2 s" in note for note in trials.readings) == 3


def test_nearer_sidecars_win(dataset):
    (dataset / "sub-01/func/sub-01_task-hyper_run-02_bold.json").write_text(json.dumps({"RepetitionTime": 1.6}))
    times = read_trials(find_runs(dataset), reading(dataset)).repetition_times
    assert times["task-hyper_run-02"] == 1.6
    assert times["task-hyper_run-01"] == 1.5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("12.0\tn/a\timages/0001.jpg", "line 26: duration"),
        ("late\t1.0\timages/0001.jpg", "line 26: onset is 'late'"),
        ("9000\t2167\timages/0001.jpg", "outside the run"),
        ("-3\t2167\timages/0001.jpg", "outside the run"),
        ("99.0\t2167\t../../secret.jpg", "leaves the stimuli folder"),
        ("99.0\t2167\timages/0099.jpg", "0099.jpg: the stimulus shown in"),
    ],
)
def test_bad_lines_are_named(dataset, line, message):
    path = dataset / "sub-01/func/sub-01_task-hyper_run-01_events.tsv"
    with path.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(DatasetError, match=message):
        read_trials(find_runs(dataset), reading(dataset, collapse="longest"))


def test_a_stimulus_without_latent_is_named(dataset):
    np.save(dataset / "stimuli/latents.npy", np.zeros((9, 6)))
    with pytest.raises(DatasetError, match=r"latents.npy: the stimulus '0010' has no latent: there are only 9 rows"):
        read_trials(find_runs(dataset), reading(dataset))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.full((11, 6), np.nan), "row 0 holds a value that is not finite"),
        (np.zeros(11), "shape"),
        (np.zeros((11, 6), int), "int64"),
        (np.arange(132.0).reshape(11, 2, 6), "the latents differ between the 2 layers"),
        (np.array([{"payload": 1}], object), "no plain NumPy array"),
    ],
)
def test_bad_latents_are_refused(dataset, content, message):
    np.save(dataset / "stimuli/latents.npy", content, allow_pickle=True)
    with pytest.raises(DatasetError, match=message):
        read_trials(find_runs(dataset), reading(dataset))


@pytest.mark.parametrize("layers", [1, 16])
def test_styles_repeated_over_layers_are_read_as_one(dataset, layers):
    path = dataset / "stimuli/latents.npy"
    styles = np.random.default_rng(0).normal(size=(11, 6)).astype(np.float32)
    np.save(path, np.repeat(styles[:, None], layers, axis=1))
    assert np.array_equal(read_latents(path), styles.astype(np.float64))
    np.save(path, np.full((11, layers, 6), np.nan))
    with pytest.raises(DatasetError, match="row 0 holds a value that is not finite"):
        read_latents(path)
