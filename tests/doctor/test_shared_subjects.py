"""What a study with decoders of shared subjects is told before its first rule."""

import shutil

import numpy as np
import pytest

from hyper.doctor.plan import Plan
from hyper.errors import SettingsError
from hyper.responses.matrices import Responses
from hyper.settings.load import load_settings

SHARED = {"decoders": {"own": {"kind": "ridge"}, "all": {"kind": "noise-aware", "subjects": "shared"}}}
SIMULATED = {"study": {"name": "s", "simulated": True}}


def write_responses(path, names, seed=0):
    rng = np.random.default_rng(seed)
    latents = np.random.default_rng(7).normal(size=(len(names), 4))
    Responses(
        train=rng.normal(size=(len(names), 5)).astype(np.float32),
        test=rng.normal(size=(3, 5)).astype(np.float32),
        train_stimuli=np.array(names),
        test_stimuli=np.array(["a", "b", "c"]),
        train_series=np.repeat("r", len(names)),
        train_latents=latents,
        test_latents=latents[:3],
        test_repeats=np.full(3, 2),
        ijk=np.zeros((5, 3), int),
        affine=np.eye(4),
        mean=np.zeros(5),
        std=np.ones(5),
    ).save(path)
    return str(path)


def given(tmp_path, second):
    names = [f"{i:03d}" for i in range(12)]
    files = {"01": write_responses(tmp_path / "1.h5", names), "02": write_responses(tmp_path / "2.h5", second(names))}
    return Plan({"study": {"name": "s"}, "dataset": {"responses": files}, "decoding": SHARED}, [])


def test_where_each_decoder_learns():
    plan = Plan(SIMULATED | {"decoding": SHARED}, [])
    assert plan.responses_of_decoder("own", "02") == "results/s/responses/sub-02/sub-02_responses.h5"
    assert plan.responses_of_decoder("all", "02") == "results/s/decoding/shared/sub-02_responses.h5"
    assert "subjects" not in plan.decoder("all", "02")
    assert plan.settings.decoding.candidate_names() == ["own"]
    assert plan.faults() == []


def test_members_of_an_ensemble_take_its_subjects():
    ensemble = {"kind": "ensemble", "subjects": "shared", "members": [{"kind": "ridge"}]}
    plan = Plan(SIMULATED | {"decoding": {"decoders": {"all": ensemble}}}, [])
    assert "subjects" not in plan.decoder("all", "01")["members"][0]
    assert plan.settings.decoding.candidate_names() == []
    member = {"kind": "ridge", "subjects": "shared"}
    with pytest.raises(SettingsError, match="`subjects` is the ensemble's"):
        load_settings(SIMULATED | {"decoding": {"decoders": {"all": ensemble | {"members": [member]}}}})


def test_a_shared_decoder_is_no_candidate():
    with pytest.raises(SettingsError, match="'all' learns in a space that all runs made"):
        load_settings(SIMULATED | {"decoding": SHARED | {"candidates": ["all"]}})


def test_one_subject_alone():
    (fault,) = Plan(SIMULATED | {"simulation": {"subjects": 1}, "decoding": SHARED}, []).faults()
    assert "all learns from all subjects, and the study has one alone" in str(fault)
    assert "decoding.decoders.all.subjects: own" in str(fault)


def test_too_few_common_stimuli_are_seen_in_the_events(dataset):
    shutil.copytree(dataset / "sub-01", dataset / "sub-02")
    for path in sorted((dataset / "sub-02").rglob("sub-01*")):
        path.rename(path.with_name(path.name.replace("sub-01", "sub-02")))
    study = {"study": {"name": "s"}, "dataset": {"path": str(dataset)}, "preprocess": {"via": "bold"}}
    assert Plan(study, []).faults() == []
    (fault,) = Plan(study | {"decoding": SHARED}, []).faults()
    assert "8 training stimuli were seen by all subjects" in str(fault)


def test_too_few_common_stimuli_of_given_matrices(tmp_path):
    assert given(tmp_path, lambda names: names).faults() == []
    (fault,) = given(tmp_path, lambda names: names[:5] + [f"x{name}" for name in names[5:]]).faults()
    assert "5 training stimuli were seen by all subjects" in str(fault)


def test_other_latents_of_given_matrices(tmp_path):
    (fault,) = given(tmp_path, lambda names: names[::-1]).faults()
    assert "its latent for sub-02 is not that for sub-01" in str(fault)
