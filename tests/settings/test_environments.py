"""Conda environments and the pip lock state the same versions."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PIP_NAMES = {"pytorch": "torch"}


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def lock():
    lines = [
        line
        for name in ("requirements.lock", "requirements-weights.lock")
        for line in (ROOT / name).read_text().splitlines()
    ]
    pins = [line.split()[0].split("==") for line in lines if line and not line.startswith("#")]
    return {normal(name): version for name, version in pins}


def pins(path):
    for item in yaml.safe_load(path.read_text())["dependencies"]:
        if isinstance(item, dict):
            for line in item["pip"]:
                yield line.split("==")
        else:
            yield item.split("=")


@pytest.mark.parametrize("path", sorted((ROOT / "envs").glob("*.yaml")), ids=lambda path: path.name)
def test_every_pin_agrees_with_the_lock(path):
    found = dict(pins(path))
    assert found.pop("python") == "3.11"
    found.pop("pip", None)
    locked = lock()
    assert len(found) > 5
    for name, version in found.items():
        assert locked[normal(PIP_NAMES.get(name, name))] == version, name


def test_every_environment_that_a_rule_names_exists():
    named = set()
    for rules in (ROOT / "workflow/rules").glob("*.smk"):
        named |= set(re.findall(r'"\.\./\.\./envs/([a-z]+\.yaml)"', rules.read_text()))
    assert named == {path.name for path in (ROOT / "envs").glob("*.yaml")}


def test_what_is_installed_after_an_environment_agrees_with_the_lock():
    scripts = sorted((ROOT / "envs").glob("*.post-deploy.sh"))
    assert scripts
    for script in scripts:
        assert script.with_name(script.name.replace(".post-deploy.sh", ".yaml")).exists()
        found = re.findall(r"([A-Za-z0-9._-]+)==(\S+)", script.read_text())
        assert found
        for name, version in found:
            assert lock()[normal(name)] == version


def test_the_lock_pins_exactly_and_names_no_place():
    text = (ROOT / "requirements.lock").read_text()
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line), line
    assert lock()["torch"] == "2.13.0"


def test_packages_of_weights_are_pinned_to_their_content():
    lines = [line for line in (ROOT / "requirements-weights.lock").read_text().splitlines() if line[0] != "#"]
    assert len(lines) == 4
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+ --hash=sha256:[0-9a-f]{64}", line), line
    assert f"random-face=={lock()['random-face']}" in (ROOT / "pyproject.toml").read_text()
