"""What changed, how long it takes: without Snakemake."""

import pytest

from hyper.cli.main import main
from hyper.doctor.changes import ABSENT, changed_settings
from hyper.doctor.duration import makespan, mean_seconds, seconds_of
from hyper.doctor.explain import PlannedJob, code_reason, explain, spoken

TREE = {
    "study": {"seed": 5},
    "glm": {"confounds": ["x"], "estimator": "lsa", "hrf": {"length": 32}},
    "decoding": {"decoders": {"a": {"kind": "ridge", "folds": 5}, "b": {"kind": "ridge", "folds": 9}}},
}


@pytest.mark.parametrize(
    ("recorded", "present", "expected"),
    [
        (["{'confounds': ['x'], 'estimator': 'lss', 'hrf': {'length': 32}}"], {"cfg": TREE["glm"]},
         {"glm.estimator": ("'lss'", "'lsa'")}),
        (["{'confounds': ['x'], 'estimator': 'lsa', 'hrf': {'length': 20}}"], {"cfg": TREE["glm"]},
         {"glm.hrf.length": ("20", "32")}),
        (["{'confounds': ['x'], 'estimator': 'lsa'}"], {"cfg": TREE["glm"]},
         {"glm.hrf": (ABSENT, "{'length': 32}")}),
        (["4", "{'kind': 'ridge', 'folds': 7}"], {"cfg": TREE["decoding"]["decoders"]["b"], "seed": 5},
         {"study.seed": ("4", "5"), "decoding.decoders.b.folds": ("7", "9")}),
        (["5"], {"seed": 5}, {}),
        (["5", "'gone'"], {"seed": 5}, {"a parameter that is no more": ("'gone'", ABSENT)}),
    ],
)  # fmt: skip
def test_settings_that_differ_are_named(recorded, present, expected):
    assert changed_settings(recorded, present, TREE) == expected


def test_makespan_respects_cores_and_order():
    seconds = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 5.0}
    after = {"d": ["a"], "c": ["elsewhere"]}
    assert makespan(seconds, {}, after, 1) == 14
    assert makespan(seconds, {}, after, 2) == 9
    assert makespan(seconds, {"d": 9}, after, 2) == 10  # a job that asks for more than all gets all


def test_times_come_from_the_benchmarks(tmp_path):
    (tmp_path / "fit_glm").mkdir()
    for name, value in (("a", "3.5"), ("b", "0.5")):
        (tmp_path / f"fit_glm/{name}.tsv").write_text(f"s\th:m:s\n{value}\t0:00:03\n")
    (tmp_path / "broken.tsv").write_text("s\nNA\n")
    assert mean_seconds(tmp_path) == {"fit_glm": 2.0}
    assert seconds_of(tmp_path / "fit_glm/a.tsv") == 3.5
    assert seconds_of(tmp_path / "none.tsv") is None


def test_code_is_named_by_its_files():
    before, now = {"a.py": "1", "b.py": "1", "d.py": "1"}, {"a.py": "1", "b.py": "2", "c.py": "1"}
    assert code_reason(before, now, "fit_glm") == "b.py changed, c.py is used now, d.py is used no more"
    assert code_reason(None, now, "fit_glm") == "code of fit_glm changed"


def test_the_plan_in_words(tmp_path):
    jobs = [
        PlannedJob("1", "fit_glm", "01", "run-1", ["glm.estimator changed from 'lss' to 'lsa'"]),
        PlannedJob("2", "fit_glm", "02", "run-1", ["glm.estimator changed from 'lss' to 'lsa'"]),
        PlannedJob("3", "evaluate", "01", "", [], ["1"]),
    ]
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/fit_glm.tsv").write_text("s\n100\n")
    text = "\n".join(explain(jobs, 9, tmp_path, 2))
    assert text.startswith(f"3 of 9 jobs of {tmp_path.name} would run.\n\nBecause glm.estimator changed")
    assert (
        "  fit_glm    2  sub-01, sub-02; run-1\n\nBecause their input is made anew by jobs above:\n  evaluate    1"
        in text
    )
    assert "about 100 s on 2 cores (3 min of work)" in text
    assert text.endswith("never ran here: evaluate (1).")


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (119, "119 s"), (600, "10 min"), (7260, "2 h 1 min")])
def test_time_is_said_in_two_units(seconds, text):
    assert spoken(seconds) == text


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_its_help_is_its_own(option, capsys):
    assert main(["explain", option]) == 0
    assert "hyper explain --configfile my.yaml" in capsys.readouterr().out
