"""One person's data are broken: the others are finished, and page and terminal say what is missing and why."""

import re

import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import Study
from tests.workflow.given import break_responses, write_responses, write_study

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one of three")
    config = write_study(folder, ("01", "02", "03"))
    break_responses(folder / "02.h5")
    config["decoding"] = {"decoders": {"ridge": {"kind": "ridge"}}, "candidates": ["ridge"]}
    config["evaluation"] = {"permutations": 50, "resamples": 100, "attributes": {"sefa": 0}}
    config["baselines"] = {"trivial": ["trivial-zero"], "eigenface": None}
    (folder / "given.yaml").write_text(yaml.safe_dump(config))
    return Study(folder, folder / "given.yaml")


@pytest.fixture(scope="module")
def failed(study):
    done = study.snakemake("--keep-going")
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_the_others_are_finished(study, failed):
    made = {path.name for path in study.results.glob("report/figures/*.png")}
    assert {"sub-01_faces.png", "sub-03_faces.png"} <= made
    assert "sub-02_faces.png" not in made
    assert not (study.results / "report/index.html").exists()


def test_the_terminal_says_what_is_missing(failed):
    lines = failed[failed.index("== What is missing") :].splitlines()
    assert lines[1] == "sub-02:"
    assert "  fit_decoder ridge failed" in lines
    assert "    training responses: 1 values are not finite. Check the z-maps and the voxel mask." in lines
    assert "    log: results/given/logs/fit_decoder/sub-02_ridge.log" in lines
    together = lines[lines.index("All people together:") :]
    assert "for want of what sub-02 did not give" in together[1]
    assert "gather_metrics" in together[1]
    assert "Nothing failed of sub-01, sub-03." in lines


def test_the_page_shows_the_others_and_says_what_is_missing(study, failed):
    page = (study.results / "report/partial.html").read_text()
    section = page[page.index('<section id="missing"') : page.index("</section>", page.index('<section id="missing"'))]
    assert "1 values are not finite" in section
    assert 'href="../logs/fit_decoder/sub-02_ridge.log"' in section
    for name in ("evaluation/metrics.tsv", "report/figures/sub-02_faces.png", "decoding/sub-02/ridge/latents.h5"):
        assert name in section
    assert "sub-01_faces.png" not in section
    faces = page[page.index('<section id="faces"') :]
    assert len(re.findall(r'alt="Stimulus [^"]* as reconstructed by ', faces)) == 2 * 6
    scores = pd.read_csv(study.results / "report/partial_metrics.tsv", sep="\t", dtype={"subject": str})
    assert set(scores["subject"]) == {"01", "03"}


def test_once_mended_the_whole_page_takes_its_place(study, failed):
    write_responses(study.folder / "02.h5", seed=1)
    done = study.snakemake()
    assert done.returncode == 0, done.stderr
    page = (study.results / "report/index.html").read_text()
    assert 'id="missing"' not in page
    assert "sub-02" in page
    assert not list(study.results.glob("report/partial*"))


def test_a_page_of_an_earlier_run_is_not_taken_for_what_is_there(study, failed):
    """What follows from the failure lies there from before, and is not shown."""
    done = study.snakemake()
    assert done.returncode == 0, done.stderr
    break_responses(study.folder / "02.h5")
    assert study.snakemake().returncode != 0
    page = (study.results / "report/partial.html").read_text()
    faces = page[page.index('<section id="faces"') :]
    assert len(re.findall(r'alt="Stimulus [^"]* as reconstructed by ', faces)) == 2 * 6
    assert "report/index.html is of an earlier run" in page
