"""How others take the workflow: as a module of theirs, in a container, from the catalogue."""

import os
import subprocess
import sys

import pytest
import yaml

from tests.workflow.conftest import ROOT

OUTER = """
module hyper:
    snakefile: "{root}/Snakefile"
    config: config["faces"]

use rule * from hyper as hyper_*

rule summarise:
    default_target: True
    input: rules.hyper_all.input
    output: "summary.txt"
    shell: "wc -c {{input[0]}} > {{output}}"
"""
# what Snakemake asks conda before it writes a Dockerfile; nothing is installed
CONDA = """#!/bin/sh
case "$1" in
  info) echo '{"platform": "linux-64", "conda_prefix": "/opt/conda", "conda_version": "24.11.0"}';;
  config) echo '{"get": {"channel_priority": "strict"}}';;
  *) echo "conda 24.11.0";;
esac
"""


def snakemake(folder, *arguments, **environment):
    command = [sys.executable, "-m", "snakemake", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, env=os.environ | environment, capture_output=True, text=True)


def test_another_workflow_takes_it_as_a_module(tmp_path):
    (tmp_path / "Snakefile").write_text(OUTER.format(root=ROOT))
    faces = yaml.safe_load((ROOT / "tests/workflow/small.yaml").read_text())
    (tmp_path / "outer.yaml").write_text(yaml.safe_dump({"faces": faces}))
    done = snakemake(tmp_path, "-n", "--cores", 1, "--configfile", "outer.yaml", PYTHONPATH="")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "hyper_fit_glm" in said
    assert "rule summarise:" in said
    assert "results/small/report/index.html" in said


def test_the_module_imports_the_package_beside_it(tmp_path):
    """Whatever `hyper` the environment has."""
    (tmp_path / "hyper").mkdir()
    (tmp_path / "hyper/__init__.py").write_text("raise ImportError('another package of this name')")
    (tmp_path / "Snakefile").write_text(OUTER.format(root=ROOT))
    faces = yaml.safe_load((ROOT / "tests/workflow/small.yaml").read_text())
    (tmp_path / "outer.yaml").write_text(yaml.safe_dump({"faces": faces}))
    done = snakemake(tmp_path, "-n", "--cores", 1, "--configfile", "outer.yaml", PYTHONPATH="")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_that_of_the_environments(tmp_path):
    """Made by `snakemake --configfile config/demo.yaml --containerize > envs/Dockerfile`."""
    conda = tmp_path / "conda"
    conda.write_text(CONDA)
    conda.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = snakemake(ROOT, "--configfile", "config/demo.yaml", "--containerize", PATH=path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (ROOT / "envs/Dockerfile").read_text()


@pytest.mark.parametrize("kind", ["conda", "apptainer", "apptainer+conda"])
def test_the_catalogue_is_told_what_there_is(kind):
    told = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    directives = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    assert told["software-stack-deployment"][kind] == ((kind == "conda") if "container:" not in directives else True)
    assert told["mandatory-flags"]["flags"].startswith("--configfile")
