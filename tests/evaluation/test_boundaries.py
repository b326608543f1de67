"""Boundaries are found where they were planted, and files that do not fit are refused with a mend."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from hyper.errors import DataError
from hyper.evaluation.boundaries import Boundaries, conditional, fit_boundaries
from hyper.evaluation.boundary_files import read_boundaries, write_boundaries
from hyper.generators.draw import origin_of

FIXTURES = os.environ.get("HYPER_INTERFACEGAN")  # folder with InterFaceGAN's published boundaries
SHIPPED = Path(__file__).parents[2] / "resources/pggan-face-boundaries.safetensors"
ORIGIN = {"generator": "pggan-face"}


def planted(n=1500, size=12, noise=0.0, intercept=(0.0, -0.9)):
    """Latents with two attributes, divided by known hyperplanes, and noise before the division."""
    rng = np.random.default_rng(3)
    normals = rng.standard_normal((2, size))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    latents = rng.standard_normal((n, size))
    scores = latents @ normals.T + np.array(intercept) + noise * rng.standard_normal((n, 2))
    return latents, (scores > 0).astype(float), normals


@pytest.fixture(scope="module")
def fitted():
    latents, labels, normals = planted(noise=0.4)
    labels[:50, 0] = np.nan
    return fit_boundaries(latents, labels, ["first", "second"], seed=0, facts={"generators": ["pggan-face"]}), normals


def test_planted_boundaries_are_found(fitted):
    boundaries, normals = fitted
    assert np.allclose(np.linalg.norm(boundaries.normals, axis=1), 1)
    assert ((boundaries.normals * normals).sum(1) > 0.97).all()
    # score + noise of sd 0.4 against a threshold; both classes weigh the same
    assert boundaries.facts["samples"] == {"first": 1450, "second": 1500}
    assert boundaries.facts["positive"]["second"] == pytest.approx(0.2, abs=0.04)
    assert all(0.84 < value < 0.95 for value in boundaries.facts["balanced_accuracy"].values())


def test_accuracy_is_of_samples_that_took_no_part():
    rng = np.random.default_rng(0)
    latents, labels = rng.standard_normal((120, 100)), rng.integers(0, 2, (120, 1)).astype(float)
    boundaries = fit_boundaries(latents, labels, ["nothing"], seed=1)
    machine = latents @ boundaries.normals[0] + boundaries.intercepts[0] > 0
    assert (machine == (labels[:, 0] > 0)).mean() > 0.75  # what it was fitted to
    assert abs(boundaries.facts["balanced_accuracy"]["nothing"] - 0.5) < 0.15


def test_an_intercept_divides_as_the_labels_do():
    latents, labels, _ = planted()
    boundaries = fit_boundaries(latents, labels, ["first", "second"], seed=0)
    said = boundaries.scores(latents) + boundaries.intercepts > 0
    assert ((said == (labels > 0)).mean(0) > 0.95).all()


def test_too_few_samples_are_refused():
    latents, labels, _ = planted(n=100, intercept=(0.0, -3.0))
    with pytest.raises(DataError, match="attribute second: .* Label more samples"):
        fit_boundaries(latents, labels, ["first", "second"], seed=0)
    with pytest.raises(DataError, match="one column per attribute"):
        fit_boundaries(latents, labels[:, :1], ["first", "second"], seed=0)


def test_a_conditional_boundary_leaves_the_others_alone(fitted):
    rng = np.random.default_rng(5)
    normals = rng.standard_normal((4, 20)) + 0.8 * rng.standard_normal(20)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    kept = Boundaries(tuple("abcd"), normals, np.zeros(4)).conditional().normals
    assert np.allclose(np.linalg.norm(kept, axis=1), 1)
    products = kept @ normals.T
    assert np.abs(products[~np.eye(4, dtype=bool)]).max() < 1e-12
    assert (products.diagonal() > 0).all()
    # InterFaceGAN's own formula for one condition
    one, other = normals[:2]
    expected = one - (one @ other) * other
    assert np.allclose(conditional(one, other[None]), expected / np.linalg.norm(expected))


def test_a_boundary_that_is_made_of_the_others_has_no_conditional():
    with pytest.raises(DataError, match="combination of the other"):
        conditional(np.array([0.6, 0.8, 0.0]), np.eye(3)[:2], "age")


def test_a_file_returns_what_was_written(fitted, tmp_path):
    boundaries, _ = fitted
    for name in ("a", "b"):
        write_boundaries(tmp_path / f"{name}.safetensors", boundaries)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    again = read_boundaries(tmp_path / "a.safetensors", 12, ORIGIN)
    assert again.names == boundaries.names and again.facts == boundaries.facts
    assert np.array_equal(again.normals, boundaries.normals)
    assert np.array_equal(again.intercepts, boundaries.intercepts)


def test_boundaries_of_another_generator_are_refused_even_where_the_size_fits(fitted, tmp_path):
    path = tmp_path / "own.safetensors"
    write_boundaries(path, fitted[0])
    with pytest.raises(DataError, match="the size of the latent fits, but they were learned for pggan-face, not"):
        read_boundaries(path, 12, {"generator": "mine.safetensors", "generator_sha256": "0" * 64})
    with pytest.raises(DataError, match="they divide 12 latents of pggan-face, those of random-face are 512"):
        read_boundaries(path, 512, {"generator": "random-face"})


def test_boundaries_of_a_file_are_known_by_its_content(fitted, tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"weights")
    found = origin_of(str(tmp_path / "weights.safetensors"))
    own = replace(fitted[0], facts={"generators": [found["generator_sha256"]]})
    write_boundaries(tmp_path / "own.safetensors", own)
    (tmp_path / "weights.safetensors").rename(tmp_path / "renamed.safetensors")
    moved = origin_of(str(tmp_path / "renamed.safetensors"))
    assert read_boundaries(tmp_path / "own.safetensors", 12, moved).names == own.names


@pytest.mark.parametrize("damage", ["missing", "text", "other", "short", "long"])
def test_damaged_files_are_refused(fitted, tmp_path, damage):
    path = tmp_path / "own.safetensors"
    boundaries = fitted[0]
    if damage == "text":
        path.write_text("no boundaries at all")
    elif damage == "other":
        save_file({"weights": np.zeros(3)}, path)
    elif damage == "short":
        write_boundaries(path, replace(boundaries, names=("first",)))
    elif damage == "long":
        write_boundaries(path, replace(boundaries, normals=2 * boundaries.normals))
    with pytest.raises(DataError) as fault:
        read_boundaries(path, 12, ORIGIN)
    assert str(path) in str(fault.value)


def normal_files(folder, size=512, names=("smile", "gender", "quality")):
    rng = np.random.default_rng(1)
    folder.mkdir()
    for name in names:
        normal = rng.standard_normal((1, size))
        np.save(folder / f"pggan_celebahq_{name}_boundary.npy", normal / np.linalg.norm(normal))
    return folder


def test_interfacegans_folder_belongs_to_the_celebahq_weights(tmp_path, caplog):
    folder = normal_files(tmp_path / "boundaries")
    mine = {"generator": "generator.safetensors", "generator_sha256": "a" * 64}
    boundaries = read_boundaries(folder, 512, mine)
    assert boundaries.names == ("gender", "smile")  # the quality of an image is no attribute of a face
    assert not boundaries.intercepts.any()
    assert "CelebA-HQ weights, else void" in caplog.text
    with pytest.raises(DataError, match="size of the latent fits, but they were learned for pggan_celebahq, not for"):
        read_boundaries(folder, 512, {"generator": "random-face"})
    with pytest.raises(DataError, match="512 latents of pggan_celebahq"):
        read_boundaries(folder, 128, ORIGIN)


def test_interfacegans_files_are_read_as_published():
    if not FIXTURES:
        pytest.skip("HYPER_INTERFACEGAN names no folder of InterFaceGAN's boundaries")
    boundaries = read_boundaries(FIXTURES, 512, {"generator": "g.safetensors", "generator_sha256": "a" * 64})
    assert boundaries.names == ("gender", "age", "eyeglasses", "pose", "smile")
    cosines = boundaries.normals @ boundaries.normals.T
    assert cosines[0, 1] == pytest.approx(0.49, abs=0.01)
    assert cosines[0, 2] == pytest.approx(0.52, abs=0.01)
    assert cosines[1, 2] == pytest.approx(0.38, abs=0.01)


def test_normals_that_would_run_code_or_do_not_fit_are_refused(tmp_path):
    mine = {"generator": "generator.safetensors", "generator_sha256": "a" * 64}
    folder = normal_files(tmp_path / "pickled", names=("gender",))
    np.save(folder / "pggan_celebahq_age_boundary.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(DataError, match="pggan_celebahq_age_boundary.npy: it is no array of numbers"):
        read_boundaries(folder, 512, mine)
    folder = normal_files(tmp_path / "flat", names=("gender",))
    np.save(folder / "pggan_celebahq_age_boundary.npy", np.ones(512))
    with pytest.raises(DataError, match=r"no normal of shape \(1, latent\)"):
        read_boundaries(folder, 512, mine)
    folder = normal_files(tmp_path / "unequal", names=("gender",))
    np.save(folder / "pggan_celebahq_age_boundary.npy", np.eye(100)[:1])
    with pytest.raises(DataError, match="different sizes"):
        read_boundaries(folder, 512, mine)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pggan_celebahq"):
        read_boundaries(tmp_path / "empty", 512, mine)


@pytest.mark.parametrize("generator", ["pggan-face", "random-face-style"])
def test_shipped_boundaries_are_good_enough(generator):
    boundaries = read_boundaries(SHIPPED, 128, {"generator": generator})
    assert boundaries.names == ("gender", "age", "eyeglasses", "pose", "smile")
    accuracy = boundaries.facts["balanced_accuracy"]
    assert all(accuracy[name] >= 0.8 for name in boundaries.names)
