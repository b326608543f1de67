"""The picture of the rules in the documentation is that of the rules."""

import importlib.util

from tests.workflow.conftest import ROOT, Study

spec = importlib.util.spec_from_file_location("rulegraph", ROOT / "docs/rulegraph.py")
rulegraph = importlib.util.module_from_spec(spec)
spec.loader.exec_module(rulegraph)


def test_the_picture_is_up_to_date():
    graph = rulegraph.rule_graph(ROOT / "config/demo.yaml")
    assert {"simulate_run", "fit_glm", "write_report", "all"} <= set(graph)
    assert rulegraph.draw(graph) == rulegraph.PICTURE.read_text(), (
        "the rules have changed: run `PYTHONPATH=. .venv/bin/python docs/rulegraph.py`"
    )


def test_every_stage_has_a_colour():
    assert set(rulegraph.stages().values()) <= set(rulegraph.COLOURS)


def test_the_graph_of_jobs_renders(tmp_path):
    config = tmp_path / "small.yaml"
    config.write_text((ROOT / "tests/workflow/small.yaml").read_text())
    done = Study(tmp_path, config).snakemake("--dag")
    assert done.returncode == 0
    assert done.stdout.startswith("digraph snakemake_dag {")
    assert "subject: 01" in done.stdout
