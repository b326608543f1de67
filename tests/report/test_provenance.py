"""Checksums match the files, and a change is noticed."""

import hashlib
import platform
import subprocess

import numpy as np
import pytest

from hyper.errors import DataError
from hyper.io.tables import read_json
from hyper.report.checksums import read_checksums, sum_files, write_checksums
from hyper.report.provenance import changed_files, collect_versions, without_local_paths, write_provenance
from hyper.report.settings_text import as_yaml, differing


@pytest.fixture
def written(tree):
    path = tree.folder / "provenance.json"
    files = [tree.folder / "evaluation", tree.folder / "trials/sub-01_trials.json"]
    write_provenance(path, sum_files(files, tree.folder), "fake", 7, tree.settings, ["config/fake.yaml"])
    return path


def test_checksums_are_those_of_the_files(tree, written):
    content = read_json(written)
    assert set(content["files"]) == {"evaluation/metrics.tsv", "evaluation/truth.tsv", "trials/sub-01_trials.json"}
    for name, stated in content["files"].items():
        assert hashlib.sha256((tree.folder / name).read_bytes()).hexdigest() == stated
    assert changed_files(written) == []


def test_it_says_what_the_study_was_made_with(tree, written):
    content = read_json(written)
    assert content["seed"] == 7
    assert content["settings"] == tree.settings
    assert content["configfiles"] == ["config/fake.yaml"]
    assert content["python"] == platform.python_version()
    assert content["packages"]["numpy"] == np.__version__


def test_changed_and_lost_files_are_noticed(tree, written):
    path = tree.folder / "evaluation/metrics.tsv"
    text = path.read_text()
    path.write_text(text.replace("0.02", "0.03", 1))
    (tree.folder / "evaluation/truth.tsv").unlink()
    assert changed_files(written) == [
        "evaluation/metrics.tsv: changed since it was written",
        "evaluation/truth.tsv: missing",
    ]
    path.write_text(text)
    assert changed_files(written) == ["evaluation/truth.tsv: missing"]


def test_the_results_can_be_moved(tree, written, tmp_path):
    tree.folder.rename(tmp_path / "elsewhere")
    assert changed_files(tmp_path / "elsewhere/provenance.json") == []


def test_foreign_and_missing_files_are_refused(tree, tmp_path):
    (tmp_path / "foreign").write_text("x")
    with pytest.raises(DataError, match="does not lie below"):
        sum_files([tmp_path / "foreign"], tree.folder)
    with pytest.raises(DataError, match="does not exist"):
        sum_files([tree.folder / "lost"], tree.folder)


def test_checksums_are_those_of_sha256sum(tree):
    sums = sum_files([tree.folder / "evaluation"], tree.folder)
    write_checksums(tree.folder / "SHA256SUMS", sums)
    assert read_checksums(tree.folder / "SHA256SUMS") == sums
    told = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=tree.folder, capture_output=True, text=True)
    assert told.returncode == 0
    assert told.stdout.splitlines() == ["evaluation/metrics.tsv: OK", "evaluation/truth.tsv: OK"]


def test_it_is_the_same_every_time(tree, written):
    first = written.read_bytes()
    sums = dict(reversed(read_json(written)["files"].items()))
    write_provenance(written, sums, "fake", 7, tree.settings, ["config/fake.yaml"])
    assert written.read_bytes() == first


def test_versions_leave_out_what_is_not_installed(monkeypatch):
    monkeypatch.setattr("hyper.report.provenance.PACKAGES", ("numpy", "surely-not-installed"))
    assert set(collect_versions()["packages"]) == {"numpy"}


def test_local_paths_are_shortened():
    settings = {"dataset": {"path": "/data/me/ds", "task": "hyper"}, "list": ["~/x/y", "stimuli/images"], "n": 3}
    assert without_local_paths(settings) == {
        "dataset": {"path": "…/ds", "task": "hyper"}, "list": ["…/y", "stimuli/images"], "n": 3
    }  # fmt: skip


def test_only_differing_settings_are_kept():
    defaults = {"a": {"x": 1, "y": {"z": 2}}, "b": 3}
    assert differing({"a": {"x": 1, "y": {"z": 5}}, "b": 3}, defaults) == {"a": {"y": {"z": 5}}}
    assert differing(defaults, defaults) == {}
    assert as_yaml({}) == ""
    assert as_yaml({"a": {"y": 5}}) == "a:\n  y: 5\n"
