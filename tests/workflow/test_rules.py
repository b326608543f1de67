"""Every rule states what it needs so that Snakemake re-runs the right things."""

import os
import re
from functools import cache
from inspect import signature
from pathlib import Path

import pytest
import yaml

from hyper.doctor.planning import alike_for_all_jobs

from .conftest import derived_rules

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = {path.stem: path.read_text() for path in (ROOT / "workflow/scripts").glob("[!_]*.py")}
ORDER = ["input", "output", "log", "benchmark", "threads", "resources", "conda", "params", "message", "script"]


def rules():
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"^(?=(?:use )?rule )", path.read_text(), flags=re.MULTILINE)[1:]:
            if block.startswith("rule "):
                name = block.removeprefix("rule ").split(":")[0]
                yield pytest.param(name, block, id=name)


@pytest.mark.parametrize(("name", "block"), rules())
def test_rule_is_complete(name, block):
    directives = re.findall(r"^    ([a-z_]+):", block, flags=re.MULTILINE)
    core = [directive for directive in directives if directive in ORDER]
    assert core == [directive for directive in ORDER if directive != "input" or "input" in core]
    assert f'code=code("{name}")' in block
    assert f'"../scripts/{name}.py"' in block
    assert (ROOT / f"workflow/scripts/{name}.py").exists()


def test_every_script_has_its_rule():
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*.py")} - {"_rule"}
    assert scripts == {parameter.id for parameter in rules()}


@pytest.mark.parametrize(("name", "block"), rules())
def test_memory_and_time_grow_with_every_attempt(name, block):
    assert re.search(r"^        mem_mb=memory\(", block, flags=re.MULTILINE)
    assert re.search(r"^        runtime=minutes\(", block, flags=re.MULTILINE)


def test_rules_that_take_a_device_ask_for_a_gpu():
    by_settings = {"fit_decoder", "cross_validate", "decode_over_time"}
    takes = {name for name, text in SCRIPTS.items() if "choose_device(" in text} | by_settings
    asks = {parameter.id for parameter in rules() if re.search(r"^        gpu=", parameter.values[1], re.MULTILINE)}
    assert asks == takes


def test_groups_of_the_slurm_profile_are_of_rules():
    profile = yaml.safe_load((ROOT / "slurm/config.yaml").read_text())
    assert set(profile["groups"]) <= {parameter.id for parameter in rules()} | derived_rules().keys()


@pytest.fixture(scope="module")
def resource_functions():
    """`memory`, `minutes` and `gpu_of` as the workflow defines them, without a study."""
    text = (ROOT / "workflow/rules/common.smk").read_text()
    start, end = text.index("def of_known_signature("), text.index("GPU = gpu_of")
    names = {"os": os, "cache": cache, "signature": signature, "alike_for_all_jobs": alike_for_all_jobs}
    exec(compile(text[start:end], "common.smk", "exec"), names)
    return names


def test_memory_scales_with_input_and_attempt(resource_functions, tmp_path):
    file = tmp_path / "bold.nii"
    file.touch()
    os.truncate(file, 100_000_000)
    memory, minutes = resource_functions["memory"], resource_functions["minutes"]
    inputs = [str(file), str(tmp_path / "not made yet")]
    assert [memory(1000, 2)(None, inputs, attempt) for attempt in (1, 2, 3)] == [1200, 2400, 4800]
    assert [minutes(10, 60)(None, inputs, attempt) for attempt in (1, 2)] == [16, 32]
    assert memory(500)(None, 1) == 500  # the inputs are not looked at


@pytest.mark.parametrize(
    ("options", "gpus"),
    [
        ({"kind": "ols"}, 0),
        ({"device": "cpu"}, 0),
        ({"device": "auto"}, 1),
        ({"device": "cuda"}, 1),
        ({"members": [{"kind": "ols"}, {"device": "auto"}]}, 1),
        ({"members": [{"kind": "ols"}]}, 0),
    ],
)
def test_a_gpu_is_asked_for_unless_the_device_is_the_processor(resource_functions, options, gpus):
    assert resource_functions["gpu_of"](options) == gpus
