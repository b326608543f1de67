"""Which engine does which step, and what is said where its programs are missing."""

import pytest

from hyper.preprocess.engines.programs import PROGRAMS, find_engine_faults
from hyper.preprocess.engines.registry import ALIGN_RUN, REALIGN, REGISTER_ANATOMICAL, REGISTER_BOLD
from hyper.settings.preprocess import STEPS, Preprocess


@pytest.mark.parametrize("engine", list(PROGRAMS))
def test_missing_programs_are_named_with_the_alternatives(engine, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MATLABCMD", raising=False)
    monkeypatch.delenv("SPMMCRCMD", raising=False)
    (fault,) = find_engine_faults(Preprocess(engine=engine).engines)
    needed = {name for step in STEPS[engine] for name in PROGRAMS[engine][step]}
    assert all(name in str(fault) for name in needed)
    assert "set preprocess.engine: hyper, which needs no program" in str(fault)
    assert "installed here" not in str(fault)


def test_every_engine_of_the_settings_exists():
    tables = {"realign": REALIGN, "align_run": ALIGN_RUN, "anatomical": REGISTER_ANATOMICAL}
    tables["coregistration"] = REGISTER_BOLD
    for engine, steps in STEPS.items():
        for step, table in tables.items():
            assert (engine in table) == (step in steps)
            if engine != "hyper":
                assert (step in PROGRAMS[engine]) == (step in steps)


def test_one_setting_for_all_steps_and_one_for_each():
    assert set(Preprocess().engines.values()) == {"hyper"}
    chosen = Preprocess(engine="ants", anatomical={"engine": "spm", "warp_resolution_mm": 3.0})
    assert chosen.engines == {
        "realign": "hyper",
        "align_run": "ants",
        "anatomical": "spm",
        "coregistration": "ants",
    }
    assert chosen.anatomical.warp_resolution_mm == 3.0
    assert Preprocess(**chosen.model_dump()) == chosen
