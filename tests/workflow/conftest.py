"""Run the real workflow on simulated studies, each once a session."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
OFFLINE = Path(__file__).parent / "offline"


@dataclass
class Study:
    """A folder in which a study runs: its configuration, and files that this goes on top of."""

    folder: Path
    config: Path
    beneath: tuple[Path, ...] = ()

    def snakemake(self, *arguments: str) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--directory", self.folder]
        command += ["--configfile", *self.beneath, self.config, "--cores", "2", "--nocolor", *arguments]
        environment = os.environ | {"PYTHONPATH": str(OFFLINE), "HYPER_NETWORK_LOG": str(self.folder / "network.log")}
        return subprocess.run(list(map(str, command)), cwd=self.folder, env=environment, capture_output=True, text=True)

    def planned(self, *arguments: str) -> dict[str, int]:
        """Jobs that a dry run announces, by rule."""
        output = self.snakemake("-n", "--quiet", "host", "reason", *arguments)
        assert output.returncode == 0, output.stderr
        text = output.stdout + output.stderr
        if "Nothing to be done" in text:
            return {}
        table = text.split("Job stats:")[1].split("\n\n")[0]
        counts = dict(re.findall(r"^(\w+) +(\d+)$", table, flags=re.MULTILINE))
        counts.pop("total")
        return {rule: int(count) for rule, count in counts.items()}

    @property
    def results(self) -> Path:
        return self.folder / "results" / yaml.safe_load(self.config.read_text())["study"]["name"]


def run_to_the_end(study: Study, *arguments: str) -> Study:
    done = study.snakemake(*arguments)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return study


@pytest.fixture(scope="session")
def small_study(tmp_path_factory) -> Study:
    """One subject, coarse voxels, few trials: every rule runs, nothing is decodable for sure."""
    folder = tmp_path_factory.mktemp("small study")  # a space in the path, on purpose
    config = folder / "small.yaml"
    config.write_text((Path(__file__).parent / "small.yaml").read_text())
    return run_to_the_end(Study(folder, config))


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Study:
    """The demo exactly as it ships."""
    folder = tmp_path_factory.mktemp("demo")
    config = folder / "demo.yaml"
    config.write_text((ROOT / "config/demo.yaml").read_text())
    return run_to_the_end(Study(folder, config))


@pytest.fixture(scope="session")
def localizer() -> Path:
    """The public-domain localizer run, where the machine has it."""
    folder = ROOT.parent / "shared/data/studyforrest-localizer"
    if not folder.is_dir():
        pytest.skip(f"the real localizer run (studyforrest, public domain) is not at {folder}: real data NOT tested")
    return folder


def derived_rules() -> dict[str, str]:
    """Rules that derive from another, each with that other, whose script they run."""
    text = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    return {name: base for base, name in re.findall(r"^use rule (\w+) as (\w+) with:", text, flags=re.MULTILINE)}


def read_json(path: Path) -> dict:
    return json.loads(path.read_text())
