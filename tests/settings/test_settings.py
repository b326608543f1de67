from pathlib import Path

import pytest
import yaml

from hyper.errors import SettingsError
from hyper.settings.document import config_text, schema_text
from hyper.settings.load import load_settings, overlay, read_config
from hyper.settings.root import Settings

ROOT = Path(__file__).resolve().parents[2]


def test_generated_files_are_up_to_date():
    assert (ROOT / "config/config.yaml").read_text() == config_text(), "run `make settings`"
    assert (ROOT / "config/schema.json").read_text() == schema_text(), "run `make settings`"


def test_config_yaml_states_every_default():
    stated = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    stated["study"]["simulated"] = True
    assert load_settings(stated) == load_settings({"study": {"simulated": True}})


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_shipped_studies_are_valid(path):
    config = read_config([path])
    if path.name == "config.yaml":
        config["study"]["simulated"] = True
    load_settings(config, path.name)


def fields(model, prefix=""):
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}", field
        if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
            yield from fields(field.annotation, f"{prefix}{name}.")


def test_every_setting_is_described():
    bare = [name for name, field in fields(Settings) if not (field.description or field.annotation.__doc__)]
    assert bare == []


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"respones": {"voxels": 10}}, r"no setting 'respones', did you mean 'responses'\?"),
        ({"responses": {"voxel": 10}}, r"no setting 'responses.voxel', did you mean 'responses.voxels'\?"),
        ({"dataset": {"events": {"colapse": "sum"}}}, r"did you mean 'dataset.events.collapse'\?"),
        ({"responses": {"voxels": "many"}}, r"responses.voxels: .*given: 'many'"),
        ({"responses": {"voxels": -3}}, r"responses.voxels: .*greater than 0"),
        ({"study": {"name": "../x"}}, r"study.name"),
        ({"glm": {"contrasts": {"a": "b"}}}, "glm.contrasts need glm.regressors: condition"),
    ],
)
def test_a_wrong_setting_is_named(config, message):
    config = overlay({"study": {"simulated": True}}, config)
    with pytest.raises(SettingsError, match=message):
        load_settings(config, "my.yaml")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"decoding": {"decoders": {"eigenface": {"kind": "ridge"}}}}, "'eigenface' cannot name a decoder"),
        ({"decoding": {"decoders": {"vaegan-model": {"kind": "ridge"}}}}, "'vaegan-model' cannot name a decoder"),
        ({"baselines": {"vaegan": {"channels": [8]}}}, "layer 2 is none of 1 convolutions"),
        ({"baselines": {"vaegan": {"images": 32}}}, "batch 64 is more than"),
        ({"evaluation": {"metrics": ["ssim_rgb", "ssim_rgb"]}}, "a metric is named twice"),
        ({"evaluation": {"metrics": ["ssim"]}}, "evaluation.metrics"),
    ],
)
def test_names_that_clash_or_do_not_exist(section, message):
    with pytest.raises(SettingsError, match=message):
        load_settings({"study": {"simulated": True}} | section, "x")


def test_every_fault_is_listed_at_once():
    with pytest.raises(SettingsError) as caught:
        load_settings({"study": {"simulated": True, "sed": 1}, "responses": {"voxels": 0}}, "my.yaml")
    assert "study.seed" in str(caught.value)
    assert "responses.voxels" in str(caught.value)
    assert str(caught.value).startswith("my.yaml: ")


def test_a_study_needs_data():
    with pytest.raises(SettingsError, match="dataset.path is not set"):
        load_settings({})


def test_overlays_keep_what_they_do_not_name(tmp_path):
    (tmp_path / "a.yaml").write_text("study: {name: one, seed: 3}\nglm: {confounds: []}\n")
    (tmp_path / "b.yaml").write_text("study: {name: two}\n")
    merged = read_config([tmp_path / "a.yaml", tmp_path / "b.yaml"])
    assert merged == {"study": {"name": "two", "seed": 3}, "glm": {"confounds": []}}


@pytest.mark.parametrize(
    ("text", "message"), [("- a\n- b\n", "no mapping"), ("a: [1\n", "not valid YAML"), (None, "does not exist")]
)
def test_broken_files(tmp_path, text, message):
    path = tmp_path / "my.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match=message):
        read_config([path])


LAYER = {"kind": "dense", "layer": "L1", "latents": False}


@pytest.mark.parametrize(
    ("decoders", "named", "message"),
    [
        ({"a": LAYER, "b": LAYER | {"layer": "L2"}}, ["a"], "nothing to be compared with"),
        ({"a": LAYER, "b": LAYER}, ["a", "b"], "two are of the same layer"),
        ({"a": LAYER, "b": {"kind": "ridge"}}, ["a", "b"], "'b' is no decoder of kind dense"),
        ({"a": LAYER}, ["a", "c"], "'c' is no decoder"),
    ],
)
def test_a_map_needs_decoders_of_different_layers(decoders, named, message):
    config = {"study": {"simulated": True}, "decoding": {"decoders": decoders}, "mapping": {"decoders": named}}
    with pytest.raises(SettingsError, match=message):
        load_settings(config)


IMPLANTS = {"study": {"simulated": True}, "simulation": {"implants": {}}, "dataset": {"implants": {}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dataset": {"implants": None}}, "simulation.implants needs the layout of channels"),
        ({"dataset": {"implants": {"broken": [384, 320]}}}, "is no range of columns"),
        ({"dataset": {"implants": {"broken": [1000, 1064]}}}, "lies beyond 960 channels"),
        ({"dataset": {"implants": {"exclude": [960]}}}, "there is no channel 960 among 960"),
        ({"dataset": {"implants": {"regions": {"V1": 960}}}}, "must have the same names"),
        ({"dataset": {"implants": {"regions": {"all": 960}}}}, "'all' cannot name a region"),
        ({"dataset": {"path": "bids"}}, "dataset.implants starts at decoding"),
        ({"study": {"simulated": False}}, "go together"),
        ({"study": {"simulated": False}, "simulation": {"implants": None}}, "give the files of each animal"),
        (
            {"dataset": {"implants": {"subjects": {"M-1": {"responses": "a", "latents": "b"}}}}},
            "cannot label a subject",
        ),
        ({"dataset": {"implants": {"subjects": {"M1": {"responses": "a", "latents": "b"}}}}}, "leave it empty"),
        ({"decoding": {"decoders": {"both": {"kind": "ridge", "subjects": "shared"}}}}, "share no space"),
        ({"decoding": {"over_time": {"decoder": "none"}}}, "over_time.decoder 'none' is none of the decoders"),
    ],
)
def test_implants_that_do_not_agree_are_named(change, message):
    load_settings(IMPLANTS)
    with pytest.raises(SettingsError, match=message):
        load_settings(overlay(IMPLANTS, change), "my.yaml")
