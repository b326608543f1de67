"""Which rules a change runs again: one line per setting, in reruns.yaml, by Snakemake's own decision.

A finished study is faked (faked.py): its outputs are stand-ins that Snakemake has recorded as the work of its rules.
"""

import ast
import copy
import os
import shutil
from pathlib import Path

import h5py
import nibabel as nib
import numpy as np
import pytest
import yaml
from PIL import Image
from snakemake.output_index import OutputIndex
from snakemake.rules import Rule

from hyper.preprocess.engines.programs import PROGRAMS
from hyper.settings import code_version
from hyper.settings.load import overlay
from tests.conftest import write_bold, write_events
from tests.workflow.faked import FakedStudy, first_rules, rules
from tests.workflow.leaves import leaves

HERE = Path(__file__).parent
TABLE = yaml.safe_load((HERE / "reruns.yaml").read_text())
PARTS = sorted({place.rpartition(".")[0] for place in TABLE})


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    """The finished studies, by name."""
    folder = tmp_path_factory.mktemp("finished studies")
    write_files(folder)
    write_dataset(folder / "ds")
    shutil.copytree(folder / "ds", folder / "other-ds")
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
        for name, config in with_folder(yaml.safe_load((HERE / "reruns_studies.yaml").read_text()), folder).items():
            (folder / name).mkdir()
            found[name] = FakedStudy(folder / name, config)
            found[name].finish()
        yield found


def write_files(folder):
    """What the studies name beside their dataset, and the programs of every engine, as empty as the checks allow."""
    for name in ("region", "other-region", "atlas", "t1w", "mask", "bold"):
        nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), folder / f"{name}.nii")
    texts = "atlas.tsv other.tsv a.model b.model a.pth b.pth a.mat b.mat a-time.mat a.npy b.npy"
    for name in texts.split():
        (folder / name).write_text(name)
    shutil.copy(HERE.parents[1] / "resources/pggan-face.safetensors", folder / "other.safetensors")
    with h5py.File(folder / "a.h5", "w") as file:
        for name, shape in {"train": (3, 2), "test": (1, 2), "train_latents": (3, 6), "test_latents": (1, 6)}.items():
            file[name] = np.ones(shape)
    (folder / "bin").mkdir()
    for program in {name for steps in PROGRAMS.values() for names in steps.values() for name in names}:
        (folder / "bin" / program).touch(mode=0o755)


def write_dataset(root):
    """Two subjects with a test run and a training run each."""
    (root / "stimuli/images").mkdir(parents=True)
    for number in range(34):
        Image.new("RGB", (8, 8)).save(root / f"stimuli/images/{number:04d}.jpg")
    for number, name in enumerate(("latents", "other")):
        np.save(root / f"stimuli/{name}.npy", np.random.default_rng(number).standard_normal((33, 128)))
    (root / "task-hyper_bold.json").write_text('{"RepetitionTime": 1.5}')
    for subject in ("sub-01", "sub-02"):
        for part in ("func", "anat"):
            (root / subject / part).mkdir(parents=True)
        nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.int16), np.eye(4)), root / subject / f"anat/{subject}_T1w.nii")
        for run, stimuli in {"1": [1, 2, 3, 0, 1, 2, 3], "2": [0, *range(4, 34)]}.items():
            stem = root / subject / f"func/{subject}_task-hyper_run-{run}"
            write_events(Path(f"{stem}_events.tsv"), stimuli)
            write_bold(Path(f"{stem}_bold.nii"), volumes=20 + 7 * len(stimuli))


def with_folder(value, folder):
    return yaml.safe_load(yaml.safe_dump(value, sort_keys=False).replace("FOLDER", str(folder)))


def changed(study, place, value, also=None):
    """The study's configuration with one setting changed; a decoder of another kind has no setting of the old."""
    if place.endswith(".kind"):
        config = copy.deepcopy(study.config)
        config["decoding"]["decoders"][place.split(".")[2]] = {"kind": value}
        return config
    change = value
    for key in reversed(place.split(".")):
        change = {key: change}
    return with_folder(overlay(overlay(study.config, change), also or {}), study.folder.parent)


def told(workflow):
    """The rules that re-run for a reason of their own, as the table tells them."""
    return " ".join(sorted(first_rules(workflow)))


def test_every_setting_has_its_line():
    assert list(TABLE) == [place for place, _ in leaves()]


def test_nothing_is_to_be_done(studies):
    for study in studies.values():
        assert rules(study.plan()) == {}


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_a_setting_reruns_what_reads_it(studies, part):
    expected, found = {}, {}
    for place, line in TABLE.items():
        if place.rpartition(".")[0] == part:
            study = studies[line.get("study", "simulated")]
            expected[place] = line["runs"]
            found[place] = told(study.plan(changed(study, line.get("at", place), line["to"], line.get("also"))))
    assert found == expected


def changed_files(study, *paths):
    """What re-runs when these files of the study's folder are newer than everything."""
    times = {path: path.stat() for path in paths}
    for path in paths:
        os.utime(path, (path.stat().st_mtime + 3600,) * 2)
    try:
        return told(study.plan())
    finally:
        for path, state in times.items():
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_a_touched_input_is_no_change_and_another_content_is(studies):
    study, dataset = studies["bids"], studies["bids"].folder.parent / "ds"
    events, latents = dataset / "sub-01/func/sub-01_task-hyper_run-1_events.tsv", dataset / "stimuli/latents.npy"
    bold = dataset / "sub-02/func/sub-02_task-hyper_run-2_bold.nii"
    responses = study.folder / "results/bids/responses/sub-01/sub-01_responses.h5"
    assert changed_files(study, events, latents, bold, responses) == ""
    before = latents.read_bytes()
    latents.write_bytes(before + b"more")
    try:
        assert changed_files(study, latents) == "read_trials"
    finally:
        latents.write_bytes(before)


def test_files_as_large_as_the_shipped_networks_are_compared_by_content(studies):
    """They are written anew, and are newer than all results, whenever the repository is checked out."""
    largest = max(path.stat().st_size for path in (HERE.parents[1] / "resources").glob("*.safetensors"))
    workflow = studies["bids"].plan()
    assert 1_000_000 < largest < workflow.dag_settings.max_checksum_file_size


def test_clocks_that_disagree_rerun_nothing(studies):
    """As nodes write whose clocks are an hour ahead or behind: times say nothing, contents do."""
    study = studies["bids"]
    files = [path for path in sorted((study.folder / "results").rglob("*")) if path.is_file()]
    files += sorted((study.folder.parent / "ds").rglob("*.tsv"))
    times = {path: path.stat().st_mtime for path in files}
    other = next(path for path in files if path.name == "sub-01_trials.tsv")
    text = other.read_bytes()
    try:
        for number, (path, written) in enumerate(times.items()):
            moved = written + (3600, -3600, 0)[number % 3]
            os.utime(path, (moved, moved))
        assert rules(study.plan()) == {}
        other.write_bytes(text + b"\n")
        os.utime(other, (times[other] + 3600,) * 2)
        assert "select_voxels" in rules(study.plan())
    finally:
        other.write_bytes(text)
        for path, written in times.items():
            os.utime(path, (written, written))


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("glm/sub-02/sub-02_task-hyper_run-1_design.tsv", "fit_glm"),
        ("report/figures/sub-02_design.png", "plot_design"),
        ("SHA256SUMS", "sum_files"),
    ],
)
def test_a_deleted_output_is_made_again(studies, name, rule):
    study = studies["bids"]
    path = study.folder / "results/bids" / name
    hidden = path.rename(path.with_suffix(".hidden"))
    try:
        planned = study.plan()
    finally:
        hidden.rename(path)
    assert first_rules(planned) == {rule}
    assert rules(planned)[rule] == 1
    assert "realign" not in rules(planned)


def test_what_planning_remembers_is_what_snakemake_finds(studies):
    """The study has all resources that depend on inputs: its files are there."""
    own, producers = Rule.expand_resources.__wrapped__, OutputIndex.match_producers.__wrapped__
    jobs = list(studies["bids"].plan().dag.jobs)
    assert len(jobs) > 100
    for job in jobs:
        assert dict(job.resources.items()) == dict(own(job.rule, job.wildcards_dict, job.input, job.attempt).items())
        assert job.message == (job.format_wildcards(job.rule.message) if job.rule.message else None)
        for path in job.output:
            assert job.rule in job.dag.output_index.match_producers(path) == producers(job.dag.output_index, path)


def test_a_subject_less_leaves_the_others_alone(studies):
    study = studies["bids"]
    planned = rules(study.plan(changed(study, "dataset.subjects", ["01"])))
    assert not {"read_trials", "realign", "fit_glm", "select_voxels", "fit_decoder", "evaluate"} & set(planned)
    assert {"gather_metrics", "write_report", "write_provenance"} <= set(planned)


def test_a_new_subject_leaves_the_others_alone(studies, tmp_path):
    study = studies["bids"]
    alone = FakedStudy(tmp_path, changed(study, "dataset.subjects", ["01"]))
    alone.finish()
    planned = alone.plan(changed(study, "dataset.subjects", ["01", "02"]))
    others = {job.rule.name for job in planned.dag.needrun_jobs() if job.wildcards.get("subject") == "01"}
    assert others == {"plot_attributes", "plot_interpolations"}  # they draw from the table of all subjects
    assert rules(planned)["realign"] == 2


def test_a_new_animal_leaves_the_others_alone(studies):
    study = studies["implants"]
    jobs = study.plan(changed(study, "simulation.implants.subjects", 2)).dag.needrun_jobs()
    ran = {(job.rule.name, job.wildcards["subject"]) for job in jobs if "subject" in dict(job.wildcards)}
    assert ("simulate_implants", "02") in ran
    others = {rule for rule, subject in ran if subject == "01"}
    assert others == {"plot_attributes", "plot_interpolations", "plot_regional"}  # of the tables of all animals


def test_only_the_features_that_a_file_bears_on_are_computed_anew(studies):
    def computed(place, value):
        study = studies["simulated"]
        jobs = study.plan(changed(study, place, value)).dag.needrun_jobs()
        return {job.wildcards.feature for job in jobs if job.rule.name == "compute_features"}

    assert computed("encoding.weights.clip", "FOLDER/b.pth") == {"clip"}
    assert computed("encoding.files", {"held": "FOLDER/b.pth"}) == {"held"}
    assert computed("encoding.images", "generated") == {"pixels", "vgg16-faces-1", "vgg16-objects-1", "clip"}
    assert computed("encoding.features", ["pixels", "z", "gabor"]) == {"gabor"}


def test_a_comment_is_no_change_and_a_source_reruns_the_rules_that_use_it(studies, monkeypatch):
    root, study = code_version.ROOT, studies["bold"]
    source = root / "hyper/glm/design.py"
    facts = code_version._facts

    def edited(text):
        fingerprint = code_version._fingerprint(text, list(ast.walk(ast.parse(text))))
        return lambda path: (fingerprint, facts(path)[1]) if path == source else facts(path)

    monkeypatch.setattr(code_version, "_facts", edited(source.read_text() + "\n# a comment\n"))
    assert rules(study.plan()) == {}
    monkeypatch.setattr(code_version, "_facts", edited(source.read_text() + "\nANOTHER = 1\n"))
    users = {job.rule.name for job in study.plan().dag.jobs if uses(job.rule, source)}
    assert "fit_glm" in users
    assert "realign" not in users
    assert first_rules(study.plan()) <= users
    assert "fit_glm" in first_rules(study.plan())


def uses(rule, source):
    return bool(rule.script) and source in code_version.closure_of(code_version.ROOT / script_of(rule))


def script_of(rule):
    """Of a rule that derives from another, it is the other's."""
    return f"workflow/scripts/{Path(rule.script).name}"


def test_every_rule_declares_its_code(studies):
    for study in studies.values():
        for job in study.plan().dag.jobs:
            if job.rule.name != "all":
                assert job.params.code == code_version.code_version(script_of(job.rule))


def test_two_settings_that_swap_values_are_seen(studies):
    """Snakemake compares the values of a rule's parameters as a set: two loose numbers could trade places unseen."""
    study = studies["simulated"]
    config = overlay(study.config, {"simulation": {"scanner": {"voxel": 2.5, "phantom_grid": 2.0}}})
    other = overlay(study.config, {"simulation": {"scanner": {"voxel": 2.0, "phantom_grid": 2.5}}})
    before, after = study.plan(config), study.plan(other)
    known = {job.rule.name: workflow_params(before, job) for job in before.dag.jobs if not job.is_norun}
    now = {job.rule.name: workflow_params(after, job) for job in after.dag.jobs if not job.is_norun}
    assert known["simulate_anatomy"] != now["simulate_anatomy"]


def workflow_params(workflow, job):
    return set(workflow.persistence._params(job))


def test_no_two_parameters_of_a_rule_could_swap_unseen(studies):
    for study in studies.values():
        for job in study.plan().dag.jobs:
            kinds = [
                tuple(value) if isinstance(value, dict) else type(value)
                for name, value in job.params.items()
                if name not in ("code", "templates", "study", "dataset") and isinstance(value, (dict, int, float, str))
            ]
            assert len(set(kinds)) == len(kinds), (job.rule.name, kinds)
