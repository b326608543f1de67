"""The VAE-GAN: its losses, its sizes, a training that is repeatable and goes on, its files, the faces it decodes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from scipy.stats import norm
from torch import nn

from hyper.baselines.images import decode_faces, fit_face_decoder
from hyper.baselines.vaegan.checkpoint import read_vaegan, write_vaegan
from hyper.baselines.vaegan.losses import content_loss, deceit_loss, discriminator_loss, prior_loss
from hyper.baselines.vaegan.network import VAEGAN, Discriminator, as_tensor
from hyper.baselines.vaegan.session import pixel_correlation, train
from hyper.baselines.vaegan.shipped import VAEGAN_FACE, vaegan_file
from hyper.baselines.vaegan.training import HELD_BACK, Recipe, Training
from hyper.cli.main import main
from hyper.errors import DataError, GeneratorError, SettingsError
from hyper.generators.base import Layer
from hyper.generators.batches import images_uint8
from hyper.generators.identity import identity_of
from hyper.generators.load import load_generator
from hyper.responses.matrices import Responses

CPU = torch.device("cpu")
LATENT = 4


class Shades(nn.Module):
    """A generator of plain colours that run from top to bottom, 16 x 16 pixels, linear in the latents."""

    latent_dim, layers = LATENT, (Layer("latent", (LATENT,)), Layer("image", (3, 16, 16)))

    def __init__(self, seed=0, normal_latents=True):
        super().__init__()
        random = torch.Generator().manual_seed(seed)
        colours = 0.3 * torch.randn(LATENT, 3, 2, 1, generator=random)
        weight = nn.functional.interpolate(colours, size=(16, 1), mode="bilinear").expand(-1, -1, -1, 16)
        self.weight = nn.Parameter(weight.flatten(1), requires_grad=False)
        self.normal_latents = normal_latents

    def images(self, z):
        return (z @ self.weight).reshape(-1, 3, 16, 16)


SMALL = Recipe(
    channels=(6, 8), latents=5, hidden=12, layer=1, content=0.1, images=80, repeats=2, pool=32, batch=8, rate=2e-3
)  # fmt: skip


def weights(network):
    return torch.cat([weight.flatten() for weight in network.state_dict().values()])


def test_losses_are_those_of_the_distributions():
    random = np.random.default_rng(0)
    mean, log_variance = random.normal(size=(2, 7, 3))
    found = prior_loss(torch.from_numpy(mean), torch.from_numpy(log_variance)).item()
    sigma, x = np.exp(log_variance / 2), np.linspace(-30, 30, 200_001)
    integrals = [
        np.trapezoid(norm.pdf(x, m, s) * (norm.logpdf(x, m, s) - norm.logpdf(x)), x)
        for m, s in zip(mean.ravel(), sigma.ravel(), strict=True)
    ]
    assert found == pytest.approx(np.sum(integrals) / 7, rel=1e-6)
    made, true = random.normal(size=(2, 7, 3, 4, 4))
    likelihood = norm.logpdf(true, made).reshape(7, -1).sum(1) - norm.logpdf(np.zeros(48)).sum()
    assert content_loss(*map(torch.from_numpy, (made, true))).item() == pytest.approx(-likelihood.mean(), rel=1e-9)
    logits = random.normal(size=(3, 7))
    real, passed, drawn = 1 / (1 + np.exp(-logits))
    expected = -(np.log(real) + np.log(1 - passed) + np.log(1 - drawn)).mean()
    tensors = [torch.from_numpy(row) for row in logits]
    assert discriminator_loss(*tensors).item() == pytest.approx(expected, rel=1e-9)
    assert deceit_loss(*tensors[1:]).item() == pytest.approx(-(np.log(passed) + np.log(drawn)).mean(), rel=1e-9)


def test_each_network_descends_its_own_loss():
    training = Training(Shades(), SMALL, CPU)
    encoder, decoder, judge = training.network.encoder, training.network.decoder, training.discriminator
    for part in (encoder, decoder, judge):
        part.train()
    real = as_tensor(training.held_out(8), CPU)
    random = torch.Generator().manual_seed(3)
    mean, log_variance = encoder(real)
    noise, drawn = (torch.randn(mean.shape, generator=random) for _ in range(2))
    latents = mean + noise * (log_variance / 2).exp()
    features, logits = judge(torch.cat((real, decoder(latents))))
    parts = [*logits.chunk(2), judge(decoder(drawn))[1]]
    true, passed = features.chunk(2)
    content = (passed - true.detach()).square().sum() / 2 / 8
    prior = (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2 / 8
    crossed = nn.functional.binary_cross_entropy_with_logits
    one, zero = torch.ones(8), torch.zeros(8)
    own = crossed(parts[0], one) + crossed(parts[1], zero) + crossed(parts[2], zero)
    deceit = crossed(parts[1], one) + crossed(parts[2], one)
    descended = {encoder: prior + content, decoder: SMALL.content * content + deceit, judge: own}
    expected = {
        part: torch.autograd.grad(loss, list(part.parameters()), retain_graph=True) for part, loss in descended.items()
    }
    training.step(real, torch.Generator().manual_seed(3))
    for part, gradients in expected.items():
        for weight, gradient in zip(part.parameters(), gradients, strict=True):
            assert torch.allclose(weight.grad, gradient, rtol=1e-3, atol=1e-5)
        assert max(gradient.abs().max() for gradient in gradients) > 1e-3


def test_a_discriminator_that_wins_waits():
    training = Training(Shades(), SMALL, CPU)
    real = as_tensor(training.held_out(8), CPU)
    moved = []
    for bias in (0.0, 30.0):
        for part in (training.network, training.discriminator):
            part.train()
        score = training.discriminator.score
        training.discriminator.forward = _decided(training.discriminator, bias)
        before = score.bias.detach().clone(), training.network.decoder.rgb.bias.detach().clone()
        losses = training.step(real, torch.Generator().manual_seed(3))
        after = score.bias, training.network.decoder.rgb.bias
        moved.append([not torch.equal(*pair) for pair in zip(before, after, strict=True)])
        assert (losses["discriminator"] < 3 * HELD_BACK) == (bias > 0)
    assert moved == [[True, True], [False, True]]


def _decided(judge, bias):
    """The discriminator, told which images are real: the first half of a batch of 16."""

    def forward(images):
        features, logits = type(judge).forward(judge, images)
        signs = torch.full((len(images),), -1.0)
        if len(images) == 16:
            signs[:8] = 1
        return features, logits + bias * signs

    return forward


def test_images_of_random_latents_leave_no_trace_in_running_statistics():
    training = Training(Shades(), SMALL, CPU)
    other = Training(Shades(), SMALL, CPU)
    real = as_tensor(training.held_out(8), CPU)
    for each, scale in ((training, 1.0), (other, 50.0)):
        each.network.train()
        decoder = each.network.decoder
        scales = iter((1.0, scale))  # reconstructions first
        plain = decoder.forward
        decoder.forward = lambda z, plain=plain, scales=scales: plain(z * next(scales))
        each.step(real, torch.Generator().manual_seed(3))
    for name, values in training.network.decoder.named_buffers():
        assert torch.equal(values, dict(other.network.decoder.named_buffers())[name]), name


def test_published_sizes():
    with torch.device("meta"):
        network = VAEGAN((192, 256, 384, 512, 768), 1024, 1024).eval()
        judge = Discriminator((192, 256, 384, 512, 768), 1024, 3).eval()
        mean, log_variance = network.encoder(torch.zeros(2, 3, 128, 128))
        features, logits = judge(network.decoder(mean))
    assert network.size == 128
    assert mean.shape == log_variance.shape == (2, 1024)
    assert network.decoder(mean).shape == (2, 3, 128, 128)
    assert [layer[0].out_channels for layer in network.decoder.convs] == [512, 384, 256, 192]
    assert (features.shape, logits.shape) == ((2, 384, 16, 16), (2,))


@pytest.mark.parametrize(("changes", "message"), [({"layer": 3}, "no convolution 3 among 2"), ({"batch": 64}, "pool")])
def test_impossible_recipes_are_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        replace(SMALL, **changes)


def test_same_seed_same_training():
    first, again, other = (
        Training(Shades(), recipe, CPU) for recipe in (SMALL, SMALL, replace(SMALL, seed=1))
    )  # fmt: skip
    losses = [training.train_pool() for training in (first, again, other)]
    assert losses[0] == losses[1] != losses[2]
    assert torch.equal(weights(first.network), weights(again.network))
    assert not torch.equal(weights(first.network), weights(other.network))


def test_every_pool_and_the_held_out_faces_are_drawn_anew():
    training = Training(Shades(), SMALL, CPU)
    drawn = [training.held_out(32)]
    for training.pool in range(3):
        drawn.append(training._draw())
    assert [len(faces) for faces in drawn] == [32, 32, 32, 16]
    assert [replace(SMALL, images=count).pools for count in (32, 64, 71, 72)] == [1, 2, 2, 3]
    faces = np.concatenate(drawn).reshape(112, -1)
    assert len(np.unique(faces, axis=0)) == 112


def test_going_on_equals_never_stopping(tmp_path):
    done = train(Training(Shades(), SMALL, CPU), tmp_path / "whole", "shades")
    broken = Training(Shades(), SMALL, CPU)
    assert train(broken, tmp_path / "broken", "shades", minutes=0.0) is None
    assert broken.pool == 1 and not (tmp_path / "broken/vaegan.safetensors").exists()
    later = train(Training(Shades(), SMALL, CPU), tmp_path / "broken", "shades")
    assert done.read_bytes() == later.read_bytes()
    lines = (tmp_path / "broken/training.tsv").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines] == ["images", "32", "64", "80"]


def test_finished_training_is_not_repeated_until_its_recipe_changes(tmp_path):
    train(Training(Shades(), SMALL, CPU), tmp_path, "shades")
    before = (tmp_path / "vaegan.safetensors").read_bytes()
    (tmp_path / "vaegan.safetensors").unlink()
    again = Training(Shades(), SMALL, CPU)
    again.train_pool = None  # cannot be called
    train(again, tmp_path, "shades")
    assert (tmp_path / "vaegan.safetensors").read_bytes() == before
    for generator, recipe in ((Shades(), replace(SMALL, rate=1e-3)), (Shades(seed=1), SMALL)):
        anew = Training(generator, recipe, CPU)
        assert train(anew, tmp_path, "shades", minutes=0.0) is None
        assert anew.pool == 1
    (tmp_path / "state.pt").write_bytes(b"no state")
    with pytest.raises(DataError, match="no saved training"):
        train(Training(Shades(), SMALL, CPU), tmp_path, "shades")


def test_losses_that_are_not_finite_stop_the_training(tmp_path):
    with pytest.raises(DataError, match="not finite"):
        train(Training(Shades(), replace(SMALL, rate=1e30), CPU), tmp_path, "shades")
    assert not (tmp_path / "state.pt").exists()


def test_latents_that_cannot_be_drawn_are_refused():
    with pytest.raises(GeneratorError, match="cannot be drawn"):
        Training(Shades(normal_latents=False), SMALL, CPU)


@pytest.fixture(scope="module")
def trained():
    """A VAE-GAN that has learned the faces of `Shades`."""
    longer = replace(SMALL, images=2048, repeats=3, pool=512, batch=32, content=1.0, channels=(16, 24), hidden=32)
    training = Training(Shades(), longer, CPU)
    while not training.finished:
        training.train_pool()
    return training


def test_faces_pass_and_are_decoded(trained):
    model, generator = trained.network, trained.generator
    faces = trained.held_out(40)
    passed = model.images(model.encode(faces), 16)
    assert passed.dtype == np.uint8 and passed.shape == faces.shape
    assert pixel_correlation(faces, passed) > 0.8
    assert pixel_correlation(faces, passed[::-1]) < 0.5
    assert model.images(model.encode(faces[:2]), 64).shape == (2, 64, 64, 3)

    rng = np.random.default_rng(2)
    train_z, test_z = rng.normal(size=(120, LATENT)), rng.normal(size=(8, LATENT))
    mixing = rng.normal(size=(LATENT, 30))
    noisy = [(z @ mixing + 0.1 * rng.normal(size=(len(z), 30))).astype(np.float32) for z in (train_z, test_z)]
    responses = Responses(
        train=noisy[0], test=noisy[1], train_stimuli=np.arange(120).astype(str), test_stimuli=np.arange(8).astype(str),
        train_series=np.repeat(["run-1", "run-2", "run-3", "run-4"], 30), train_latents=train_z, test_latents=test_z,
        test_repeats=np.ones(8, int), ijk=np.zeros((30, 3), int), affine=np.eye(4), mean=noisy[0].mean(axis=0),
        std=noisy[0].std(axis=0),
    )  # fmt: skip
    with torch.no_grad():
        shown = generator.images(torch.from_numpy(test_z).float()).permute(0, 2, 3, 1).numpy()
    stimuli = np.rint(shown * 127.5 + 127.5).clip(0, 255).astype(np.uint8)
    decoder = fit_face_decoder(model, generator, responses)
    assert decoder.weight.shape == (5, 30)
    decoded, ceiling = decode_faces(model, decoder, responses, stimuli)
    assert np.array_equal(ceiling, model.images(model.encode(stimuli), 16))
    assert pixel_correlation(stimuli, ceiling) > 0.7
    match = np.corrcoef(decoded.reshape(8, -1), stimuli.reshape(8, -1))[:8, 8:]
    assert match.diagonal().mean() > 0.6
    assert match[~np.eye(8, dtype=bool)].mean() < 0.3


def test_file_gives_the_network_back_in_half_precision(trained, tmp_path):
    path = tmp_path / "vaegan.safetensors"
    network, identity = trained.network, identity_of(trained.generator)
    write_vaegan(path, network, {"rate": 1}, identity, "shades")
    write_vaegan(tmp_path / "again.safetensors", network, {"rate": 1}, identity, "shades")
    assert path.read_bytes() == (tmp_path / "again.safetensors").read_bytes()
    read = read_vaegan(path, trained.generator)
    for name, values in read.state_dict().items():
        if values.is_floating_point():
            assert torch.equal(values, network.state_dict()[name].half().float()), name
    faces = trained.held_out(6)
    assert np.abs(read.encode(faces) - network.encode(faces)).max() < 0.02
    assert not read.training


def test_network_of_another_generator_is_refused(trained, tmp_path):
    path = tmp_path / "vaegan.safetensors"
    write_vaegan(path, trained.network, {}, identity_of(trained.generator), "shades")
    with pytest.raises(DataError, match=r"images of another generator \(shades\).*any_generator"):
        read_vaegan(path, Shades(seed=1))
    assert read_vaegan(path).latents == 5


@pytest.mark.parametrize("fault", ["missing", "broken", "other", "version", "shape", "infinite"])
def test_files_that_hold_no_vaegan_are_refused(trained, tmp_path, fault):
    path = tmp_path / "vaegan.safetensors"
    write_vaegan(path, trained.network, {}, "identity", "shades")
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
    tensors = load_file(path)
    if fault == "missing":
        path.unlink()
    elif fault == "broken":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        if fault == "shape":
            del tensors["decoder.rgb.bias"]
        if fault == "infinite":
            tensors["decoder.rgb.bias"][0] = float("inf")
        text = metadata["vaegan"].replace(
            "hyper-vaegan-1", "hyper-vaegan-0" if fault == "version" else "hyper-vaegan-1"
        )
        save_file(tensors, path, {"pggan" if fault == "other" else "vaegan": text})
    with pytest.raises(DataError, match=path.name):
        read_vaegan(path)


def of_sizes(**sizes):
    def change(description, tensors):
        return json.dumps(description | sizes), tensors

    return change


def of_type(kind):
    return lambda description, tensors: (json.dumps(description), {name: x.to(kind) for name, x in tensors.items()})


HARMFUL = {
    "latents beyond any storage": of_sizes(latents=2**62),
    "channels beyond any storage": of_sizes(channels=[2**62, 2**62]),
    "latents beyond any number": of_sizes(latents=2**70),
    "infinitely many latents": of_sizes(latents=float("inf")),
    "no number of latents": of_sizes(latents=float("nan")),
    "thousands of convolutions": of_sizes(channels=[1] * 100_000),
    "metadata nested without end": lambda description, tensors: ("[" * 100_000, tensors),
    "metadata that are a list": lambda description, tensors: ("[1]", tensors),
    "a number of 5000 digits": lambda description, tensors: ('{"version": ' + "9" * 5000 + "}", tensors),
    "8-bit floats": of_type(torch.float8_e4m3fn),
    "whole numbers": of_type(torch.int8),
    "complex numbers": of_type(torch.complex64),
}


@pytest.mark.parametrize("case", HARMFUL)
def test_what_a_vaegan_announces_is_not_believed(case, trained, tmp_path):
    path = tmp_path / "vaegan.safetensors"
    write_vaegan(path, trained.network, {}, "identity", "shades")
    with safe_open(path, "pt") as file:
        description = json.loads(file.metadata()["vaegan"])
    text, tensors = HARMFUL[case](description, load_file(path))
    save_file(tensors, path, {"vaegan": text})
    with pytest.raises(DataError, match=path.name) as refused:
        read_vaegan(path)
    assert len(str(refused.value)) < 700


def test_a_vaegan_of_images_too_large_to_make_is_refused(tmp_path):
    path = tmp_path / "vaegan.safetensors"
    write_vaegan(path, VAEGAN([1] * 26, 1, 1), {}, "identity", "shades")
    with pytest.raises(DataError, match="halved 26 times, 8 is the most"):
        read_vaegan(path)


def test_shipped_network_knows_the_shipped_generator():
    assert vaegan_file("vaegan-face") == str(VAEGAN_FACE)
    assert VAEGAN_FACE.stat().st_size < 6e6
    generator = load_generator("pggan-face")
    model = read_vaegan(VAEGAN_FACE, generator)
    latents = np.random.default_rng(1).standard_normal((24, 128)).astype(np.float32)
    faces = images_uint8(generator, latents)
    made = model.images(model.encode(faces), 64)
    assert pixel_correlation(faces, made) > 0.8
    match = np.corrcoef(faces.reshape(24, -1), made.reshape(24, -1))[:24, 24:]
    assert (match.argmax(axis=0) == np.arange(24)).mean() > 0.8


def test_command_trains_and_its_result_is_read(tmp_path, capsys):
    command = ["train-vaegan", "pggan-face", str(tmp_path), "--channels", "4,4,4", "--latents", "3", "--hidden", "4"]
    command += ["--images", "8", "--repeats", "1", "--pool", "8", "--batch", "4", "--device", "cpu"]
    assert main(command) == 0
    assert "trained on 8 images" in capsys.readouterr().out
    assert read_vaegan(tmp_path / "vaegan.safetensors", load_generator("pggan-face")).size == 32
    assert (tmp_path / "sheet.png").exists()
    assert main([*command, "--layer", "4"]) == 1
    assert "no convolution 4 among 3" in capsys.readouterr().err
