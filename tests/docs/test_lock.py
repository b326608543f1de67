"""What `make docs` installs is pinned, and is what pyproject.toml asks for."""

import tomllib

from packaging.requirements import Requirement

from tests.docs.pages import ROOT


def test_the_lock_holds_every_package_in_a_version_that_is_asked_for():
    lines = (ROOT / "requirements-docs.lock").read_text().splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    versions = {pin.name.lower(): next(iter(pin.specifier)).version for pin in pins}
    assert all(str(pin.specifier).startswith("==") and pin.url is None for pin in pins)
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["docs"]
    assert asked
    for wanted in map(Requirement, asked):
        assert wanted.specifier.contains(versions[wanted.name.lower()]), wanted
