"""Whatever the labels, tables and affines: they are read rightly, or refused by a message."""

import tempfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hyper.dataset.checks import check_bold
from hyper.dataset.events import collapse_rows, durations_in_seconds, read_events
from hyper.dataset.layout import find_runs, ignored_files
from hyper.dataset.stimuli import among, stimulus_of
from hyper.errors import DatasetError, HyperError

LABELS = st.text("abcXYZ0189", min_size=1, max_size=12)
ODD = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
SMALL = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


@SMALL
@given(subject=LABELS, task=LABELS, run=LABELS, session=st.none() | LABELS)
def test_every_label_of_bids_is_found_and_taken_apart(subject, task, run, session):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        inside = root / f"sub-{subject}" / (f"ses-{session}" if session else "") / "func"
        inside.mkdir(parents=True)
        entities = f"{f'ses-{session}_' if session else ''}task-{task}_run-{run}"
        (inside / f"sub-{subject}_{entities}_bold.nii.gz").touch()
        (found,) = find_runs(root)
        assert (found.subject, found.series, found.task) == (subject, entities, task)
        assert found.events.name == f"sub-{subject}_{entities}_events.tsv"
        assert ignored_files(root) == []


@SMALL
@given(label=ODD)
def test_a_label_that_is_none_is_never_read(label):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("sub-01", f"sub-{label}"):
            (root / name / "func").mkdir(parents=True, exist_ok=True)
        (root / "sub-01/func/sub-01_task-x_bold.nii").touch()
        odd = root / f"sub-{label}/func/sub-{label}_task-x_bold.nii"
        try:
            odd.touch()
        except OSError:  # longer than a name may be
            return
        runs = find_runs(root)
        usable = label.isascii() and label.isalnum()
        assert {run.subject for run in runs} == ({"01", label} if usable else {"01"})
        assert (root / f"sub-{label}" in ignored_files(root)) is not usable


NUMBERS = st.floats(allow_nan=True, allow_infinity=True) | st.integers(-10, 10**9) | st.sampled_from(["n/a", "", "x"])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS, st.sampled_from(["images/0001.jpg", "n/a", "0002.png"])), max_size=12)


@SMALL
@given(rows=ROWS, ending=st.sampled_from(["\n", "\r\n"]))
def test_a_table_of_events_is_read_whole_or_refused(rows, ending):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sub-01_task-x_events.tsv"
        lines = ["onset\tduration\tstim_file", *("\t".join(map(str, row)) for row in rows)]
        path.write_bytes((ending.join(lines) + ending).encode())
        try:
            table = read_events(path)
        except DatasetError as fault:
            assert str(path) in str(fault)
            return
        assert len(table) == len(rows)
        assert np.isfinite(table[["onset", "duration"]].to_numpy()).all()
        assert (table["duration"] >= 0).all()
        assert table["onset"].is_monotonic_increasing
        assert sorted(table["onset"]) == sorted(float(row[0]) for row in rows)


TIMES = st.lists(st.floats(0, 1e4), min_size=1, max_size=8, unique=True)


@SMALL
@given(onsets=TIMES, copies=st.integers(1, 4), order=st.randoms(use_true_random=False))
def test_repeated_rows_collapse_to_their_trials_in_any_order(onsets, copies, order):
    rows = [(onset, 1.0 + copy, "images/0001.jpg", pd.NA) for onset in onsets for copy in range(copies)]
    order.shuffle(rows)
    table = pd.DataFrame(rows, columns=["onset", "duration", "stim_file", "trial_type"])
    merged, said = collapse_rows(table.sort_values("onset", kind="stable", ignore_index=True), "auto", "x.tsv")
    assert merged["onset"].tolist() == sorted(onsets)
    assert (merged["duration"] == copies).all()
    assert bool(said) == (copies > 1)


@SMALL
@given(step=st.floats(2, 60), length=st.floats(0.5, 2), trials=st.integers(2, 20))
def test_milliseconds_and_seconds_are_told_apart(step, length, trials):
    seconds = pd.DataFrame({"onset": step * np.arange(trials), "duration": length})
    assert durations_in_seconds(seconds, "auto")[1] == []
    converted, said = durations_in_seconds(seconds.assign(duration=length * 1000), "auto")
    if length * 1000 > 10 * step:
        assert said
        assert np.allclose(converted["duration"], length)


@SMALL
@given(entry=ODD | st.text("./a\\", min_size=1, max_size=10))
def test_an_image_never_lies_outside_its_folder(entry):
    try:
        name = stimulus_of(entry, "x_events.tsv")
    except DatasetError:
        assert entry.startswith("/") or ".." in Path(entry).parts
        return
    assert "/" not in name
    assert Path("/stimuli", entry).is_relative_to("/stimuli")


@SMALL
@given(first=st.integers(0, 40), last=st.integers(0, 10**12), width=st.integers(2, 4))
def test_a_range_chooses_what_lies_in_it(first, last, width):
    names = {f"{number:04d}" for number in range(30)}
    found, idle = among(names, [f"{first:0{width}d}-{last}"])
    due = {name for name in names if width == 4 and first <= int(name) <= last}
    assert found == due
    assert bool(idle) == (not due)


CELLS = st.floats(-5, 5) | st.sampled_from([0.0, 1e-9, 1e30, float("nan"), float("inf")])


@SMALL
@given(cells=st.lists(CELLS, min_size=12, max_size=12), codes=st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_an_affine_is_usable_or_refused(cells, codes):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x_bold.nii"
        nib.save(nib.Nifti1Image(np.zeros((3, 4, 5, 6), np.int16), np.eye(4)), path)
        content = bytearray(path.read_bytes())
        content[252:256] = np.array(codes, "<i2").tobytes()
        content[280:328] = np.array(cells, "<f4").tobytes()
        path.write_bytes(content)
        try:
            check_bold(path)
        except HyperError as fault:
            assert str(path) in str(fault)
            return
        affine = nib.load(path).affine
        assert np.isfinite(affine).all()
        assert abs(np.linalg.det(affine[:3, :3])) >= 1e-6
        assert any(codes)
