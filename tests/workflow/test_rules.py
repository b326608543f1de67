"""Every rule states what it needs so that Snakemake re-runs the right things."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ORDER = ["input", "output", "log", "benchmark", "threads", "resources", "conda", "params", "message", "script"]


def rules():
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for block in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            name = block.split(":")[0]
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
