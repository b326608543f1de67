"""Every bad input of the table stops the doctor with one message: which file, what is wrong, what to do."""

import gzip
import json

import numpy as np
import pytest
import yaml
from PIL import Image

from hyper.cli.main import main
from hyper.dataset.trials import Reading, read_trials
from hyper.doctor.plan import Plan
from hyper.encoding.stimuli import images_of_folder
from hyper.errors import DataError, HyperError
from hyper.generators.shipped import LATENT_SIZES, PACKAGES
from hyper.preprocess.template import load_template
from hyper.settings.load import overlay
from tests.doctor.bad_data import READ_DATA, REFUSED_DATA, tried
from tests.doctor.bad_inputs import (
    ANATOMICAL,
    BOLD,
    IMAGE,
    LATENTS,
    READ,
    REFUSED,
    SETTINGS,
    packed,
    save,
    short_generator,
    values,
)
from tests.doctor.bad_pictures import EDGE, FEATURES, READ_PICTURES, REFUSED_PICTURES, good_pictures


def faults_of(dataset, settings=None):
    """What the doctor would print, and Snakemake before its first rule."""
    config = overlay({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}, settings or {})
    try:
        return Plan(config, ["own.yaml"]).faults()
    except HyperError as fault:
        return [fault]


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_input_is_refused_by_one_message(case, dataset):
    break_it, file, words = REFUSED[case]
    break_it(dataset)
    (fault,) = faults_of(dataset)
    assert words in fault.fault or words in str(fault)
    assert fault.where.endswith(file) or (file == BOLD and BOLD in str(fault))
    assert len(fault.mend) > 8
    assert len(str(fault)) < (6500 if "endless" in case else 600)


@pytest.mark.parametrize("case", SETTINGS)
def test_a_bad_setting_is_refused_by_one_message(case, dataset):
    settings, where, words = SETTINGS[case]
    (fault,) = faults_of(dataset, settings)
    assert where in str(fault)
    assert words in str(fault)
    assert fault.mend


@pytest.mark.parametrize("case", REFUSED_PICTURES)
def test_a_bad_picture_is_refused_where_features_are_computed_of_it(case, dataset):
    break_it, words = REFUSED_PICTURES[case]
    good_pictures(dataset)
    break_it(dataset)
    assert faults_of(dataset) == []
    (fault,) = faults_of(dataset, FEATURES)
    assert words in fault.fault
    assert IMAGE.removesuffix(".jpg") in fault.where
    assert fault.mend


@pytest.mark.parametrize("case", READ_PICTURES)
def test_an_odd_picture_is_read_and_what_is_made_of_it_said(case, dataset):
    change, words = READ_PICTURES[case]
    good_pictures(dataset)
    change(dataset)
    assert faults_of(dataset, FEATURES) == []
    said = Plan(overlay({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}, FEATURES), []).remarks()
    assert said == ([f"{dataset / IMAGE}: {words}"] if words else [])
    (pictures,) = images_of_folder(dataset / "stimuli", ["0004"])
    assert pictures.shape == (1, EDGE, EDGE, 3)
    if "grey" in case:
        assert (pictures == pictures[..., :1]).all()
    if "turned" in case:
        stored = np.asarray(Image.open(dataset / IMAGE))
        assert np.array_equal(pictures[0], np.rot90(stored, -1))


def test_pictures_cut_short_are_refused_when_they_are_read(dataset):
    good_pictures(dataset)
    path = dataset / IMAGE
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(DataError, match="cannot be read as a picture"):
        list(images_of_folder(dataset / "stimuli", ["0004"]))


@pytest.mark.parametrize("resolution", [2.0, 3.0, 4.0, 8.0])
def test_more_voxels_than_a_brain_has_are_refused_before_anything_runs(resolution, dataset):
    brain = int(load_template(resolution).brain.sum())
    asked = {"preprocess": {"template": {"resolution_mm": resolution}}, "responses": {"voxels": brain}}
    assert faults_of(dataset, asked) == []
    asked["responses"]["voxels"] = round(brain * 1.03)
    (fault,) = faults_of(dataset, asked)
    assert fault.where == "responses.voxels"
    assert "where the template's brain has" in fault.fault


@pytest.mark.parametrize("case", READ)
def test_what_can_be_read_is_read_and_said(case, dataset):
    change, words = READ[case]
    change(dataset)
    assert faults_of(dataset) == []
    plan = Plan({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}, [])
    reading = Reading.of(plan.section("dataset"), dataset)
    trials = read_trials(list(plan.runs.values()), reading)
    assert trials.counts() == {"train": 8, "test": 7, "null": 3}
    assert trials.table.groupby("series")["onset"].apply(lambda onset: onset.is_monotonic_increasing).all()
    if words:
        assert any(words in sentence for sentence in trials.readings), trials.readings


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (packed(lambda b: b[:-8] + bytes(4) + b[-4:]), "CRC"),
        (save(values() * 0), "volume 1 is constant"),
        (save(np.full((4, 5, 3, 55), np.nan, np.float32)), "volume 1 holds no finite voxel"),
        (save(np.where(np.arange(55) == 7, 5, values())), "volume 8 is constant"),
    ],
    ids=["crc", "zero", "nan", "one volume"],
)
def test_voxels_are_examined_when_asked(break_it, words, dataset, tmp_path, capsys):
    break_it(dataset)
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}))
    assert main(["doctor", "--configfile", str(config)]) == 0
    assert main(["doctor", "--configfile", str(config), "--voxels"]) == 1
    printed = capsys.readouterr()
    assert words in printed.out
    assert "1 fault." in printed.out
    assert "reading " in printed.err


def test_sound_voxels_pass(dataset, tmp_path, capsys):
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}))
    packed(lambda b: b)(dataset)
    assert main(["doctor", "--configfile", str(config), "--voxels"]) == 0
    save(np.ones((4, 4, 4), np.int16), name=ANATOMICAL)(dataset)
    assert main(["doctor", "--configfile", str(config), "--voxels"]) == 1
    assert "T1w.nii: the volume is constant" in capsys.readouterr().out


def test_names_that_are_not_understood_are_named(dataset, tmp_path, capsys):
    (dataset / "sub-0_2").mkdir()
    echo = dataset / "sub-01/func/sub-01_task-hyper_run-02_echo-1_bold.nii"
    echo.write_bytes(b"")
    config = tmp_path / "own.yaml"
    config.write_text(yaml.safe_dump({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}))
    assert main(["doctor", "--configfile", str(config)]) == 0
    printed = capsys.readouterr().out
    assert f"{dataset}/sub-0_2: its name is not understood" in printed
    assert f"{echo}: its name is not understood" in printed


def test_a_subject_with_fewer_runs_is_named(dataset):
    other = dataset / "sub-02/func"
    other.mkdir(parents=True)
    for path in (dataset / "sub-01/func").glob("*run-0[12]*"):
        (other / path.name.replace("sub-01", "sub-02")).write_bytes(path.read_bytes())
    plan = Plan({"study": {"name": "own"}, "dataset": {"path": str(dataset)}}, [])
    assert plan.remarks() == ["sub-02 has no task-hyper_run-03, which others have"]


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
def test_a_generator_cut_short_is_refused_before_anything_runs(keep, dataset, tmp_path):
    path = short_generator(tmp_path, keep)
    (fault,) = faults_of(dataset, {"generators": {"generator": str(path)}})
    assert fault.where == str(path)
    assert "truncated" in fault.fault
    assert fault.mend


def test_a_file_of_another_network_is_refused_as_generator(dataset, tmp_path):
    path = tmp_path / "other.safetensors"
    header = json.dumps({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
    (fault,) = faults_of(dataset, {"generators": {"generator": str(path)}})
    assert "another network" in fault.fault


def test_a_converted_generator_says_the_size_of_its_latents(dataset, tmp_path):
    path = short_generator(tmp_path, None)
    assert faults_of(dataset, {"generators": {"generator": str(path)}}) == []
    np.save(dataset / LATENTS, np.random.default_rng(0).normal(size=(11, 60)))
    (fault,) = faults_of(dataset, {"generators": {"generator": str(path)}})
    assert "60 values each" in fault.fault


def test_the_table_of_generators_is_that_of_the_loader():
    from hyper.generators.load import GENERATORS, load_generator

    assert set(LATENT_SIZES) == set(GENERATORS)
    assert set(PACKAGES) < set(LATENT_SIZES)
    assert load_generator("pggan-face").latent_dim == LATENT_SIZES["pggan-face"]


def test_a_bomb_of_gzip_is_not_unpacked(dataset):
    import tracemalloc

    (dataset / BOLD).unlink()
    bomb = gzip.compress((dataset / BOLD.replace("02", "01")).read_bytes()) + gzip.compress(bytes(300_000_000), 9)
    (dataset / f"{BOLD}.gz").write_bytes(bomb)
    tracemalloc.start()
    (fault,) = faults_of(dataset)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert "the header announces" in fault.fault


def test_messages_cannot_steer_a_terminal(dataset):
    odd = dataset / "sub-01/anat/sub-01_acq-\x1b]0;title\x07\x1b[31m_T1w.nii"
    odd.write_bytes(b"")
    fault = HyperError(odd, "its name says \x1b[2J\r", "Rename it")
    assert fault.where.endswith(r"sub-01_acq-\x1b]0;title\x07\x1b[31m_T1w.nii")
    assert str(fault).isprintable()
    assert faults_of(dataset) == []  # and it is not taken for the subject's image


@pytest.mark.parametrize("case", REFUSED_DATA)
def test_data_that_cannot_be_used_are_refused(case):
    attempt, words = REFUSED_DATA[case]
    with pytest.raises(DataError) as refused:
        attempt()
    assert words in str(refused.value)


@pytest.mark.parametrize("case", READ_DATA)
def test_odd_data_are_used_and_it_is_said(case):
    attempt, words = READ_DATA[case]
    said = tried(attempt)
    assert words is None or words in said
