"""`hyper explain` on a study of which only the faces are made: the plan in words after each kind of change."""

import base64
import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.workflow.conftest import ROOT, Study

FACES = "results/small/dataset/stimuli/latents.npy"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("explained study")
    config = folder / "small.yaml"
    config.write_text((ROOT / "tests/workflow/small.yaml").read_text())
    study = Study(folder, config)
    done = study.snakemake(FACES)
    assert done.returncode == 0, done.stderr
    return study


def explained(study, *arguments, target=FACES):
    command = [sys.executable, "-m", "hyper.cli.main", "explain", "--snakefile", ROOT / "Snakefile"]
    command += ["--directory", study.folder, "--configfile", study.config, *arguments, "--", target]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(list(map(str, command)), cwd=study.folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def changed(study, change):
    config = yaml.safe_load(study.config.read_text())
    change(config)
    path = study.folder / "changed.yaml"
    path.write_text(yaml.safe_dump(config))
    return Study(study.folder, path)


def test_nothing_to_be_done(study):
    assert explained(study) == (0, "Nothing to be done: all 1 jobs of small are up to date.\n")


def test_a_setting_is_named_with_both_values(study):
    code, text = explained(changed(study, lambda config: config["simulation"]["stimuli"].update(size=32)))
    assert code == 0
    assert "Because simulation.stimuli.size changed from 64 to 32:\n  simulate_stimuli    1\n" in text
    assert "1 of 1 jobs of small would run." in text
    assert "on 1 core (" in text and "by the times of earlier runs" in text


def test_the_seed_is_named_by_its_section(study):
    _, text = explained(changed(study, lambda config: config["study"].update(seed=6)))
    assert "study.seed changed from 5 to 6" in text


def test_what_follows_stands_under_the_cause(study):
    other = changed(study, lambda config: config["simulation"]["stimuli"].update(size=32))
    _, text = explained(other, target="results/small/dataset/sub-01/anat/sub-01_T1w.nii.gz")
    assert "Because they never ran:\n  simulate_anatomy    1  sub-01" in text
    assert "Not counted, since they never ran here: simulate_anatomy (1)." in text


def test_a_deleted_output_is_named(study):
    path = study.folder / FACES
    hidden = path.rename(path.with_suffix(".hidden"))
    try:
        _, text = explained(study)
    finally:
        hidden.rename(path)
    assert f"Because {FACES} is gone:" in text


def test_the_file_of_code_that_changed_is_named(study):
    """As if hyper/io/seeds.py had been another one when the faces were made."""
    record = study.results / "logs/code.json"
    versions = json.loads(record.read_text())
    name = base64.b64encode(FACES.encode()).decode()
    metadata = study.folder / ".snakemake/metadata" / name
    kept = metadata.read_text()
    content = json.loads(kept)
    (now,) = [text for text in content["params"] if text.strip("'") in versions]
    before = dict(versions[now.strip("'")])
    before["hyper/io/seeds.py"] = "another"
    content["params"] = sorted(["'0123456789abcdef'" if text == now else text for text in content["params"]])
    metadata.write_text(json.dumps(content))
    record.write_text(json.dumps(versions | {"0123456789abcdef": before}))
    try:
        _, text = explained(study)
        record.write_text("{}")
        _, unknown = explained(study)
    finally:
        metadata.write_text(kept)
    assert "Because hyper/io/seeds.py changed:\n  simulate_stimuli    1" in text
    assert "Because code of simulate_stimuli changed:" in unknown


def test_a_wrong_setting_is_told_as_snakemake_tells_it(study):
    code, text = explained(changed(study, lambda config: config["simulation"]["stimuli"].update(sise=32)))
    assert code == 1
    assert "did you mean 'simulation.stimuli.size'?" in text
