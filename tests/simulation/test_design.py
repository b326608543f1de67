import re

import numpy as np
import pytest
from pydantic import ValidationError

from hyper.dataset.events import collapse_rows, durations_in_seconds, read_events
from hyper.settings.simulation import Simulation
from hyper.simulation.design import design_run, events_text
from hyper.simulation.plan import plan_series, plan_subjects

PUBLISHED = Simulation()
DESIGN = PUBLISHED.design.model_dump(mode="json")


def run_of(number, subject="01", seed=1):
    return design_run(DESIGN, 1.5, seed, subject, f"task-hyper_run-{number:02d}")


def test_labels():
    assert plan_subjects(PUBLISHED) == ["01", "02"]
    assert plan_series(PUBLISHED) == [f"task-hyper_run-{number:02d}" for number in range(1, 10)]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_published_test_run(number):
    run = run_of(number)
    faces, counts = np.unique(run.stimuli, return_counts=True)
    assert faces.tolist() == [0, *range(12 * number - 11, 12 * number + 1)]
    assert counts[0] == 13
    assert counts.sum() == 180
    assert counts[1:].min() >= 13
    assert counts[1:].max() <= 16
    assert len(set(counts[1:])) > 1
    assert run.onsets[0] == 12.0
    assert set(np.diff(run.onsets)) == {10.5, 12.0, 13.5}
    assert 1455 <= run.volumes <= 1465


def test_published_training_runs_show_every_face_once():
    runs = [run_of(number) for number in range(4, 10)]
    assert all(len(run.stimuli) == 208 and (run.stimuli == 0).sum() == 33 for run in runs)
    shown = np.concatenate([run.stimuli[run.stimuli > 0] for run in runs])
    assert sorted(shown) == list(range(37, 1087))
    assert set(np.diff(runs[0].onsets)) == {9.0, 10.5, 12.0}
    assert all(1472 <= run.volumes <= 1480 for run in runs)


def test_runs_have_unequal_lengths_and_end_after_the_last_trial():
    runs = [run_of(number) for number in range(1, 10)]
    assert len({run.volumes for run in runs}) > 3
    assert all(run.volumes * 1.5 - run.onsets[-1] > 20 for run in runs)


def test_order_is_the_subjects_own_and_repeatable():
    first = run_of(4)
    assert np.array_equal(first.stimuli, run_of(4).stimuli)
    for other in (run_of(4, subject="02"), run_of(4, seed=2)):
        assert not np.array_equal(first.stimuli, other.stimuli)
    assert not np.array_equal(run_of(1).onsets, run_of(2).onsets)


def test_events_are_exactly_in_form(tmp_path):
    run = run_of(4)
    lines = events_text(run).splitlines()
    assert lines[0] == "onset\tduration\tstim_file"
    assert len(lines) == 1 + 3 * 208
    pattern = re.compile(r"^\d+\.\d\t(2\d{3}|1[45]\d\d)\.\d\timages/\d{4}\.jpg$")
    assert all(pattern.match(line) for line in lines[1:])
    table = read_events(_written(tmp_path, run))
    trials = table.groupby("onset", sort=False)
    assert (trials.size() == 3).all()
    assert (trials["stim_file"].nunique() == 1).all()
    assert np.abs(table["duration"].to_numpy().reshape(-1, 3) - [2167, 2167, 1500]).max() < 6
    assert table["duration"].std() > 0
    assert (table["stim_file"] == "images/0000.jpg").sum() == 3 * 33


def test_the_pipeline_reads_them_as_meant(tmp_path):
    run = run_of(1)
    trials, said = collapse_rows(read_events(_written(tmp_path, run)), "auto", "events")
    trials, more = durations_in_seconds(trials, "auto")
    assert len(trials) == 180
    assert said and more
    assert np.allclose(trials["duration"], run.duration, atol=0.01)


def _written(folder, run):
    path = folder / "events.tsv"
    path.write_text(events_text(run))
    return path


@pytest.mark.parametrize(
    ("design", "message"),
    [
        ({"test_faces": 35}, "shared evenly"),
        ({"test_trials": 300}, "do not fit"),
        ({"test_steps": [10.0]}, "no multiple of the repetition time"),
        ({"train_steps": [1.5]}, "shorter than a trial"),
    ],
)
def test_an_impossible_design_is_refused(design, message):
    with pytest.raises(ValidationError, match=message):
        Simulation.model_validate({"design": design})
