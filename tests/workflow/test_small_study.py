"""Every rule runs; what is to be re-run and why; bad input stops before the first rule."""

import hashlib
import json
import os
import subprocess
import sys

import pandas as pd
import pytest
import yaml

from hyper.cli.main import main

from .conftest import OFFLINE, Study, derived_rules, run_to_the_end

BEFORE_THE_MASK = {
    "simulate_stimuli", "simulate_anatomy", "simulate_run", "gather_truth", "read_trials", "realign", "align_run",
    "extract_brain", "register_anatomical", "register_bold", "resample", "mask_bold", "compute_confounds", "fit_glm",
    "plot_motion", "plot_registration", "plot_design",
}  # fmt: skip


def change(study, section, **values):
    """A copy of the study's configuration with other values in one section, in the same folder."""
    config = yaml.safe_load(study.config.read_text())
    config.setdefault(section, {}).update(values)
    path = study.folder / "changed.yaml"
    path.write_text(yaml.safe_dump(config))
    return type(study)(study.folder, path)


def test_the_deliverables(small_study):
    results = small_study.results
    for name in ("report/index.html", "evaluation/metrics.tsv", "provenance.json", "dataset/truth.h5"):
        assert (results / name).stat().st_size > 0
    metrics = pd.read_csv(results / "evaluation/metrics.tsv", sep="\t")
    columns = ["study", "subject", "decoder", "metric", "region", "value", "sem", "n", "chance", "ceiling", "p"]
    columns += ["ci_low", "ci_high", "p_corrected"]
    assert metrics.columns.tolist() == columns
    assert {"published", "ridge", "trivial-zero"} <= set(metrics["decoder"])
    assert not list(results.rglob(".partial-*"))


def test_provenance_matches_the_files(small_study):
    stated = json.loads((small_study.results / "provenance.json").read_text())
    hashes = stated["files"]
    assert "evaluation/metrics.tsv" in hashes
    for name, value in hashes.items():
        assert hashlib.sha256((small_study.results / name).read_bytes()).hexdigest() == value, name


def test_verify_agrees(small_study, capsys):
    assert main(["verify", str(small_study.results)]) == 0
    assert "all as written" in capsys.readouterr().out


def test_nothing_reached_for_the_network(small_study, tmp_path):
    assert not (small_study.folder / "network.log").exists()
    guarded = (small_study.folder / "network.log.guarded").read_text().splitlines()
    rules = {path.relative_to(small_study.results / "benchmarks").parts[0].removesuffix(".tsv")
             for path in (small_study.results / "benchmarks").rglob("*.tsv")}  # fmt: skip
    assert len(rules) > 40
    rules = {derived_rules().get(rule, rule) for rule in rules}
    assert {rule for rule in rules if not any(script.endswith(f".{rule}.py") for script in guarded)} == set()
    log = tmp_path / "network.log"  # the guard is a live one
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=1)"
    environment = os.environ | {"PYTHONPATH": str(OFFLINE), "HYPER_NETWORK_LOG": str(log)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert "out of bounds in tests" in done.stderr
    assert "192.0.2.1" in log.read_text()


@pytest.mark.slow
def test_another_folder_order_and_number_of_cores_give_the_same_bytes(small_study, tmp_path):
    folder = tmp_path / "a much longer name of a folder/deeper"
    folder.mkdir(parents=True)
    config = folder / "small.yaml"
    config.write_text(small_study.config.read_text())
    again = run_to_the_end(Study(folder, config), "--scheduler", "greedy", "--cores", "1")
    assert hashes_that_differ(small_study, again) == set()


def hashes_that_differ(one, other):
    """Deliverables of two runs of a study that are not the same to the bit."""
    first, second = (json.loads((study.results / "provenance.json").read_text())["files"] for study in (one, other))
    assert len(first) > 20
    return {name for name in first.keys() | second.keys() if first.get(name) != second.get(name)}


def test_a_second_run_does_nothing(small_study):
    assert small_study.planned() == {}
    assert "Nothing to be done" in small_study.snakemake("-n").stdout + small_study.snakemake("-n").stderr


def test_number_of_voxels_reruns_from_the_mask_onward(small_study):
    planned = change(small_study, "responses", voxels=90).planned()
    assert {"select_voxels", "assemble_responses", "fit_decoder", "evaluate", "write_report"} <= set(planned)
    assert not BEFORE_THE_MASK & set(planned)


@pytest.mark.parametrize(
    ("section", "values", "first", "spared"),
    [
        ("evaluation", {"permutations": 77}, "evaluate", "fit_decoder"),
        ("glm", {"confounds": []}, "fit_glm", "compute_confounds"),
        ("dataset", {"events": {"collapse": "first"}}, "read_trials", "realign"),
    ],
)
def test_a_setting_reruns_what_depends_on_it(small_study, section, values, first, spared):
    planned = change(small_study, section, **values).planned()
    assert first in planned
    assert spared not in planned


def test_a_deleted_output_is_made_again(small_study):
    path = small_study.results / "responses/sub-01/sub-01_responses.h5"
    times, content = path.stat(), path.read_bytes()
    path.unlink()
    try:
        planned = small_study.planned()
        assert "assemble_responses" in planned
        assert "fit_glm" not in planned
    finally:
        path.write_bytes(content)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_an_unknown_setting_stops_at_once(small_study):
    output = change(small_study, "responses", voxel=10).snakemake("-n")
    assert output.returncode != 0
    assert "did you mean 'responses.voxels'?" in output.stdout + output.stderr


def test_unknown_subject_of_a_real_dataset(small_study, dataset, tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "own"}, "dataset": {"path": str(dataset), "subjects": ["09"]}}))
    output = type(small_study)(tmp_path, config).snakemake("-n")
    assert output.returncode != 0
    assert "no runs of sub-09" in output.stdout + output.stderr
