"""Attributes are scored where there are directions to score, and boundaries that do not exist stop the study early."""

import numpy as np
import pytest
import yaml
from PIL import Image

from hyper.io.arrays import read_arrays

from .conftest import ROOT, Study

RULES = {"score_attributes": 1, "edit_faces": 1, "plot_edits": 1, "plot_attributes": 1}


@pytest.fixture
def study(tmp_path):
    """The small study, its settings of attributes to be given."""

    def make(generator="pggan-face", **attributes) -> Study:
        settings = yaml.safe_load((ROOT / "tests/workflow/small.yaml").read_text())
        settings["evaluation"]["attributes"] = attributes
        settings["generators"] = {"generator": generator}
        config = tmp_path / "small.yaml"
        config.write_text(yaml.safe_dump(settings))
        return Study(tmp_path, config)

    return make


def test_what_is_planned_follows_from_the_directions_at_hand(study):
    assert RULES.items() <= study().planned().items()
    assert RULES.items() <= study(generator="dcgan-face").planned().items()  # closed-form directions alone
    assert not RULES.keys() & study(boundaries=None, sefa=0).planned().keys()


def test_boundaries_that_do_not_exist_are_named_before_anything_runs(study):
    done = study(boundaries="nowhere.safetensors").snakemake("-n")
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "nowhere.safetensors: there is no such file or folder. Correct evaluation.attributes" in said


def test_a_face_is_moved_along_every_direction(study):
    own = study(sefa=2, steps=5, reach=2.0)
    done = own.snakemake("results/small/report/figures/edits.png")
    assert done.returncode == 0, done.stderr[-3000:]
    arrays, facts = read_arrays(own.results / "evaluation/edits.h5", ["images", "names", "sets"])
    assert list(arrays["names"]) == ["gender", "age", "eyeglasses", "pose", "smile", "sefa1", "sefa2"]
    assert arrays["images"].shape == (7, 5, 64, 64, 3) and facts["reach"] == 2.0
    middle = arrays["images"][:, 2]
    assert np.array_equal(middle[0], middle[4]) and np.array_equal(middle[5], middle[6])
    assert all(np.abs(row[0].astype(int) - row[4]).mean() > 5 for row in arrays["images"])
    assert np.asarray(Image.open(own.results / "report/figures/edits.png")).std() > 8


def test_boundaries_of_another_generator_stop_the_rule_with_a_mend(study):
    shipped = str(ROOT / "resources/pggan-face-boundaries.safetensors")
    done = study(generator="dcgan-face", boundaries=shipped).snakemake("results/small/evaluation/edits.h5")
    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "they divide 128 latents of pggan-face, random-face-style, those of dcgan-face are 100" in said
