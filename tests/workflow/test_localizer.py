"""Real scanner data: dataset -> glm on a block-design localizer run."""

import nibabel as nib
import numpy as np
import pytest
import yaml

from .conftest import Study, read_json, run_to_the_end

FUSIFORM = np.array([[42], [-58], [-10]])
SPACE = "space-MNI152NLin2009aSym"


@pytest.fixture(scope="module")
def study(localizer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("localizer")
    config = {
        "study": {"name": "localizer", "last_stage": "glm"},
        "dataset": {"path": str(localizer), "latents": None, "stimuli": None},
        "glm": {"regressors": "condition", "contrasts": {"faces": "face - house"}},
    }
    (folder / "localizer.yaml").write_text(yaml.safe_dump(config))
    return run_to_the_end(Study(folder, folder / "localizer.yaml"))


@pytest.mark.slow
def test_faces_against_houses_light_up_the_fusiform_gyri(study):
    image = nib.load(study.results / f"glm/sub-01/sub-01_task-localizer_run-1_{SPACE}_stat-z_statmap.nii.gz")
    z = image.get_fdata()[..., 0]
    grid = np.indices(z.shape).reshape(3, -1)
    world = image.affine[:3, :3] @ grid + image.affine[:3, 3:]
    right, left = (
        z.reshape(-1)[np.linalg.norm(world - np.array([[side], [1], [1]]) * FUSIFORM, axis=0) < 12].max()
        for side in (1, -1)
    )
    assert right > 7
    assert max(left, right) > 7.4


@pytest.mark.slow
def test_the_sidecar_wins_and_the_difference_is_reported(study):
    readings = read_json(study.results / "trials/sub-01_trials.json")
    assert readings["repetition_time"] == {"task-localizer_run-1": 2.0}
    (said,) = [sentence for sentence in readings["readings"] if "repetition time" in sentence]
    assert "1.79" in said
    assert "sidecar 2 s" in said
    assert said in (study.results / "report/index.html").read_text()
