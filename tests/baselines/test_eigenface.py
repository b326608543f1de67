import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import nn

from hyper.baselines.eigenface import Eigenfaces, faces_to_learn
from hyper.baselines.images import fit_face_decoder
from hyper.errors import DataError
from hyper.generators.base import Layer
from hyper.responses.matrices import Responses

LATENT = 6


class Linear(nn.Module):
    """A generator whose images of 16 x 16 pixels are linear in the latents: eigenfaces can be perfect."""

    latent_dim, layers = LATENT, (Layer("latent", (LATENT,)),)

    def __init__(self, normal_latents=True):
        super().__init__()
        torch.manual_seed(0)
        self.weight = nn.Parameter(0.06 * torch.randn(LATENT, 3 * 16 * 16))
        self.normal_latents = normal_latents

    def images(self, z):
        return (z @ self.weight).reshape(-1, 3, 16, 16)


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), dtype=np.uint8)


def test_components_are_those_of_the_pixels(images, tmp_path):
    eigenfaces = Eigenfaces.learn(images, 5)
    flat = images.reshape(20, -1).astype(float)
    reference = PCA(5, svd_solver="arpack", random_state=0).fit(flat)
    overlap = np.abs(np.sum(eigenfaces.components.reshape(5, -1) * reference.components_, axis=1))
    assert np.allclose(overlap, 1, atol=1e-5)
    weights = eigenfaces.encode(images)
    assert np.allclose(np.abs(weights), np.abs(reference.transform(flat)), atol=0.05)
    eigenfaces.save(tmp_path / "eigenfaces.h5")
    again = Eigenfaces.load(tmp_path / "eigenfaces.h5")
    assert np.array_equal(again.components, eigenfaces.components)


def test_all_components_give_the_image_back(images, caplog):
    eigenfaces = Eigenfaces.learn(images, 512)
    assert len(eigenfaces.components) == 19
    assert "20 images have 19 components, not 512" in caplog.text
    assert np.array_equal(eigenfaces.images(eigenfaces.encode(images), 8), images)
    assert eigenfaces.images(eigenfaces.encode(images), 32).shape == (20, 32, 32, 3)
    with pytest.raises(DataError, match="1 images have no components"):
        Eigenfaces.learn(images[:1], 3)


def test_faces_are_drawn_until_there_are_enough():
    latents = np.random.default_rng(1).normal(size=(10, LATENT))[[0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]
    faces = faces_to_learn(Linear(), latents, 15, 8, seed=0)
    assert faces.shape == (15, 8, 8, 3)
    assert len(np.unique(faces.reshape(15, -1), axis=0)) == 15
    assert np.array_equal(faces, faces_to_learn(Linear(), latents, 15, 8, seed=0))
    assert not np.array_equal(faces[10:], faces_to_learn(Linear(), latents, 15, 8, seed=1)[10:])
    assert len(faces_to_learn(Linear(), latents, 5, 8, seed=0)) == 10
    assert len(faces_to_learn(Linear(normal_latents=False), latents, 15, 8, seed=0)) == 10


def test_faces_are_decoded_from_responses_linear_in_them():
    rng = np.random.default_rng(2)
    train, test = rng.normal(size=(80, LATENT)), rng.normal(size=(6, LATENT))
    mixing = rng.normal(size=(LATENT, 40))
    noisy = [
        (latents @ mixing + 0.1 * rng.normal(size=(len(latents), 40))).astype(np.float32) for latents in (train, test)
    ]
    responses = Responses(
        train=noisy[0], test=noisy[1], train_stimuli=np.arange(80).astype(str), test_stimuli=np.arange(6).astype(str),
        train_series=np.repeat(["run-1", "run-2", "run-3", "run-4"], 20), train_latents=train, test_latents=test,
        test_repeats=np.ones(6, int), ijk=np.zeros((40, 3), int), affine=np.eye(4), mean=noisy[0].mean(axis=0),
        std=noisy[0].std(axis=0),
    )  # fmt: skip
    generator = Linear()
    eigenfaces = Eigenfaces.learn(faces_to_learn(generator, train, 80, 16, seed=0), LATENT)
    decoder = fit_face_decoder(eigenfaces, generator, responses)
    made = eigenfaces.images(decoder.decode(responses.test), 16).astype(float).reshape(6, -1)
    with torch.no_grad():
        shown = generator.images(torch.from_numpy(test).float()).permute(0, 2, 3, 1).numpy() * 127.5 + 127.5
    match = np.corrcoef(made, np.clip(shown, 0, 255).reshape(6, -1))[:6, 6:]
    assert match.diagonal().min() > 0.9
    assert (match.argmax(axis=1) == np.arange(6)).all()
    shuffled = Responses(**{**vars(responses), "test": responses.test[::-1]})
    wrong = eigenfaces.images(decoder.decode(shuffled.test), 16).astype(float).reshape(6, -1)
    assert np.corrcoef(wrong, shown.reshape(6, -1))[:6, 6:].diagonal().max() < 0.9
