import json

import numpy as np
from PIL import Image

from hyper.generators.presented import fixation_target, write_images
from hyper.simulation.description import write_description, write_participants
from hyper.simulation.stimuli import draw_latents


def pictures(count=3, edge=64):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, edge, edge + 8, 3), dtype=np.uint8)


def test_latents_are_standard_normal_and_repeatable():
    latents = draw_latents(400, 50, seed=1)
    assert latents.dtype == np.float64
    assert latents.shape == (400, 50)
    assert abs(latents.mean()) < 0.02
    assert abs(latents.std() - 1) < 0.02
    assert np.array_equal(latents, draw_latents(400, 50, seed=1))
    assert not np.array_equal(latents, draw_latents(400, 50, seed=2))


def test_images_are_numbered_square_and_carry_the_target(tmp_path):
    assert write_images(tmp_path, [pictures(2), pictures(1)], size=224, diameter=9) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0000.jpg", "0001.jpg", "0002.jpg", "0003.jpg"]
    for path in tmp_path.iterdir():
        image = np.array(Image.open(path))
        assert image.shape == (224, 224, 3)
        centre = image[107:117, 107:117].astype(int)
        assert centre.min() < 60
        assert centre.max() > 200


def test_the_null_image_is_grey_but_for_the_target(tmp_path):
    write_images(tmp_path, [], size=224, diameter=9)
    image = np.array(Image.open(tmp_path / "0000.jpg")).astype(int)
    away = np.ones((224, 224), bool)
    away[96:128, 96:128] = False
    assert np.abs(image[away] - 128).max() <= 1


def test_the_target_has_its_diameter_and_is_symmetric():
    target = fixation_target(224, 8.96)
    known = np.isfinite(target)
    extent = known.any(axis=0).sum()
    assert 8 <= extent <= 10
    assert np.array_equal(known, known.T)
    assert set(target[known]) == {0.0, 255.0}


def test_description_of_the_dataset(tmp_path):
    files = [tmp_path / n for n in ("dataset_description.json", "README", ".bidsignore", "task-hyper_bold.json")]
    write_description(*files, tr=1.5, name="demo")
    write_participants(tmp_path / "participants.tsv", ["01", "02"])
    assert json.loads(files[3].read_text()) == {"RepetitionTime": 1.5, "TaskName": "hyper task"}
    assert json.loads(files[0].read_text())["BIDSVersion"]
    assert (tmp_path / "participants.tsv").read_text() == "participant_id\nsub-01\nsub-02\n"
