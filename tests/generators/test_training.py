"""Progressive growing: the arithmetic of its parts, growth without a jump, and going on as if never stopped."""

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional

from hyper.cli.main import main
from hyper.errors import DataError, SettingsError
from hyper.generators.load import load_generator
from hyper.generators.training import equalised, growth
from hyper.generators.training.critic import Critic, deviation
from hyper.generators.training.faces import Faces, faded, read_faces
from hyper.generators.training.losses import DRIFT, PENALTY, critic_loss, paired_loss
from hyper.generators.training.schedule import Schedule
from hyper.generators.training.session import train
from hyper.generators.training.trainer import Recipe, Training

CPU = torch.device("cpu")


def tones(count: int, size: int = 16, latent: int = 8) -> Faces:
    """Plain images whose colours are a linear function of their latents."""
    random = np.random.default_rng(0)
    z = random.standard_normal((count, latent)).astype(np.float32)
    colour = np.clip(128 + 40 * z[:, :3], 0, 255).astype(np.uint8)
    return Faces(np.broadcast_to(colour[:, :, None, None], (count, 3, size, size)).copy(), z)


def recipe(**changes) -> Recipe:
    schedule = Schedule(3, (64, 64), (64, 64), (8, 8))
    return Recipe(**({"channels": (16, 8, 8), "schedule": schedule, "latent_dim": 8} | changes))


def test_adam_steps_as_if_weights_were_scaled_at_run_time():
    random = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(3, 5, 3), nn.Flatten(), nn.Linear(20, 2))
    gains = {"2": 0.7}
    equalised.start(network, gains, random)
    scales = [2**0.5 / 27**0.5, 0.7 / 20**0.5]
    raw = [(layer.weight.detach() / c).requires_grad_(True) for layer, c in zip(network[::2], scales, strict=True)]
    biases = [layer.bias.detach().clone().requires_grad_(True) for layer in network[::2]]
    reference = torch.optim.Adam([*raw, *biases], lr=0.01, betas=(0.0, 0.99), eps=1e-8)
    ours = equalised.adam(network, gains, 0.01)

    def scaled(x):
        x = functional.conv2d(x, raw[0] * scales[0], biases[0]).flatten(1)
        return functional.linear(x, raw[1] * scales[1], biases[1])

    for _ in range(20):
        x = torch.randn(4, 3, 4, 4, generator=random)
        for optimiser, y in ((ours, network(x)), (reference, scaled(x))):
            optimiser.zero_grad()
            (y - 1).square().sum().backward()
            optimiser.step()
    for layer, weight, scale in zip(network[::2], raw, scales, strict=True):
        assert torch.allclose(layer.weight, weight * scale, atol=2e-6)
        assert not torch.allclose(layer.weight, layer.weight + 1e-3)


def test_first_weights_have_the_standard_deviation_of_their_fan_in():
    network = growth.new_generator(512, (256, 128), torch.Generator().manual_seed(0))
    assert network.dense.weight.std().item() == pytest.approx(2**0.5 / 4 / 512**0.5, rel=0.01)
    assert network.convs[1].weight.std().item() == pytest.approx(2**0.5 / (9 * 256) ** 0.5, rel=0.01)
    assert network.rgb[0].weight.std().item() == pytest.approx(1 / 128**0.5, rel=0.15)


def test_minibatch_deviation_is_that_of_each_group():
    x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    found = deviation(x, 4)
    groups = x.numpy().reshape(4, 2, 3, 4, 4)  # images i, i + 2, i + 4, i + 6 form a group, as in Karras' code
    expected = np.sqrt(groups.var(0) + 1e-8).mean((1, 2, 3))
    assert found.shape == (8, 1, 4, 4)
    np.testing.assert_allclose(found[:, 0, 0, 0], np.tile(expected, 4), rtol=1e-5)
    assert deviation(x[:1].expand(4, -1, -1, -1), 4).max() < 2e-4


class Plane(nn.Module):
    """A critic whose gradient is known: the product with a fixed image."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, images):
        return (images * self.weight).sum((1, 2, 3))


def test_penalty_drift_and_distance_are_those_of_a_plane():
    random = torch.Generator().manual_seed(0)
    weight, real, fake = (torch.randn(n, 3, 8, 8, generator=random) for n in (1, 6, 6))
    loss, distance = critic_loss(Plane(weight), real, fake, random)
    on_real, on_fake = ((x * weight).sum((1, 2, 3)) for x in (real, fake))
    expected = on_fake.mean() - on_real.mean() + PENALTY * (weight.norm() - 1) ** 2 + DRIFT * on_real.square().mean()
    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    assert distance.item() == pytest.approx((on_real - on_fake).mean().item(), rel=1e-4, abs=1e-4)


def test_paired_loss_ignores_what_is_finer_than_its_pixels():
    target = torch.zeros(2, 3, 8, 8)
    checker = torch.ones(8, 8)
    checker[::2, ::2] = checker[1::2, 1::2] = -1
    assert paired_loss(target + checker, target, 4).item() == pytest.approx(0, abs=1e-6)
    assert paired_loss(target + checker, target, 8).item() == pytest.approx(3 * 64 / 2)
    assert paired_loss(target + 0.5, target, 4).item() == pytest.approx(0.25 * 3 * 16 / 2)


def test_growth_changes_neither_images_nor_scores_before_it_fades_in():
    random = torch.Generator().manual_seed(0)
    z, tiny = torch.randn(4, 8, generator=random), 1e-7
    small, critic = growth.new_generator(8, (16, 8), random), growth.new_critic((16, 8), random)
    growth.set_fade(small, critic, 1.0)
    large, grown = growth.new_generator(8, (16, 8, 4), random), growth.new_critic((16, 8, 4), random)
    growth.inherit(large, small)
    growth.inherit(grown, critic)
    growth.set_fade(large, grown, tiny)
    before = small.images(z)
    after = large.images(z)
    assert after.shape[-1] == 16
    assert torch.allclose(after, functional.interpolate(before, scale_factor=2.0), atol=1e-5)
    assert torch.allclose(grown(after), critic(before), atol=1e-4)
    growth.set_fade(large, grown, 1.0)
    assert not torch.allclose(large.images(z), after, atol=1e-2)


def test_real_images_fade_as_the_made_ones():
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    assert faded(images, 1.0) is images
    coarse = functional.avg_pool2d(faded(images, 0.25), 2)
    assert torch.allclose(coarse, functional.avg_pool2d(images, 2), atol=1e-6)
    assert faded(images, 0.25).var() < images.var()


def test_schedule_grows_by_images_seen():
    schedule = Schedule(4, (100, 200, 400), (10, 20, 40), (10, 10, 20))
    assert schedule.images == 770
    assert [schedule.at(n).blocks for n in (0, 109, 110, 329, 330, 10_000)] == [2, 2, 3, 3, 4, 4]
    assert schedule.at(0).fade == pytest.approx(0.1) and schedule.at(95).fade == 1.0
    assert schedule.at(110).fade == pytest.approx(0.05) and schedule.at(330).batch == 20
    with pytest.raises(SettingsError, match="one whole number for each of 8, 16 pixels"):
        Schedule(3, (100,), (10, 10), (8, 8))


def test_going_on_equals_never_stopping(tmp_path):
    plan = recipe(alone=32, critic_first=16, paired=0.1, generator_rate=5e-4)
    whole = Training(tones(40), plan, CPU)
    train(whole, tmp_path / "whole", every=64)
    broken = Training(tones(40), plan, CPU)
    assert train(broken, tmp_path / "broken", every=64, minutes=0.0) is None
    assert broken.seen == 64
    done = train(Training(tones(40), plan, CPU), tmp_path / "broken", every=64)
    assert done is not None
    whole, broken = (tmp_path / part / "sheets" / "000000256.png" for part in ("whole", "broken"))
    assert whole.read_bytes() == broken.read_bytes()
    one, two = (load_generator(str(tmp_path / part / "generator.safetensors")) for part in ("whole", "broken"))
    for a, b in zip(one.parameters(), two.parameters(), strict=True):
        assert torch.equal(a, b)
    rows = (tmp_path / "broken" / "training.tsv").read_text().splitlines()
    assert len(rows) == 1 + 256 // 64 and rows[0].startswith("images\tpixels\tfade")


def test_shipped_network_is_the_moving_average(tmp_path):
    training = Training(tones(40), recipe(), CPU)
    path = train(training, tmp_path)
    shipped = load_generator(str(path))
    assert shipped.resolution == 16 and shipped.lod == 0
    averaged, trained = (dict(network.named_parameters()) for network in (training.average, training.generator))
    for name, weight in shipped.named_parameters():
        assert torch.equal(weight, averaged[name].half().float())
        assert not torch.equal(weight, trained[name].half().float())


def test_generator_learns_from_latents_alone():
    training = Training(
        tones(400, 8), recipe(channels=(16, 8), schedule=Schedule(2, (0,), (3200,), (16,)), alone=3200), CPU
    )
    first = float(training.step()["paired_loss"])
    while training.seen < 3200:
        last = training.step()
    assert "critic_loss" not in last
    assert float(last["paired_loss"]) < 0.1 * first


def test_critic_learns_first_where_told():
    training = Training(tones(40), recipe(alone=16, critic_first=16), CPU)
    names = []
    for _ in range(6):
        names.append(sorted(training.step()))
    assert (
        names
        == [["paired_loss"]] * 2
        + [["critic_loss", "distance"]] * 2
        + [["critic_loss", "distance", "generator_loss"]] * 2
    )


def test_generator_rate_holds_against_the_critic_only():
    training = Training(tones(40), recipe(alone=16, generator_rate=1e-9), CPU)
    moved = []
    for _ in range(4):
        before = training.generator.dense.weight.detach().clone()
        training.step()
        moved.append(float((training.generator.dense.weight.detach() - before).abs().max()))
    assert min(moved[:2]) > 1e-4
    assert max(moved[2:]) < 1e-6


def test_critic_teaches_colours_without_pairs():
    faces = Faces(np.full((64, 3, 8, 8), 40, np.uint8) + np.array([120, 60, 0], np.uint8)[None, :, None, None])
    training = Training(faces, recipe(channels=(16, 8), schedule=Schedule(2, (0,), (4000,), (16,)), averaging=500), CPU)
    while training.seen < 4000:
        training.step()
    z = torch.randn(64, 8, generator=torch.Generator().manual_seed(1))
    colours = training.average.images(z).mean((0, 2, 3)) * 127.5 + 127.5
    np.testing.assert_allclose(colours, [160, 100, 40], atol=12)


def test_pairs_need_latents_of_the_right_size():
    with pytest.raises(SettingsError, match="latents of the images are not known"):
        Training(Faces(tones(4).images), recipe(paired=0.1), CPU)
    with pytest.raises(SettingsError, match="have 5 numbers. Set 5 or less"):
        Training(tones(4, latent=5), recipe(alone=8), CPU)


def test_another_recipe_does_not_go_on_with_a_saved_state(tmp_path):
    train(Training(tones(8), recipe(), CPU), tmp_path, every=64, minutes=0.0)
    with pytest.raises(DataError, match="begun with another rate"):
        train(Training(tones(8), recipe(rate=0.1), CPU), tmp_path)
    (tmp_path / "state.pt").write_bytes(b"no state")
    with pytest.raises(DataError, match="it is no saved training"):
        train(Training(tones(8), recipe(), CPU), tmp_path)


def test_losses_that_are_not_finite_stop_the_training(tmp_path):
    with pytest.raises(DataError, match="not finite"):
        train(Training(tones(8), recipe(rate=1e30), CPU), tmp_path)
    assert not (tmp_path / "generator.safetensors").exists()


def test_images_are_read_from_files_and_folders(tmp_path):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    with h5py.File(tmp_path / "faces.h5", "w") as file:
        file["images"], file["latents"] = pixels, np.ones((3, 5))
    (tmp_path / "folder").mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / "folder" / f"{number}.png")
    stored, pictures = read_faces(tmp_path / "faces.h5", 8), read_faces(tmp_path / "folder", 8)
    expected = np.rint(pixels.reshape(3, 8, 2, 8, 2, 3).mean((2, 4))).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(stored.images, expected)
    np.testing.assert_array_equal(pictures.images, expected)
    assert stored.latents.shape == (3, 5) and pictures.latents is None
    kept, held = stored.split(1)
    assert (len(kept), len(held), len(held.latents)) == (2, 1, 1)
    turned = stored.tensor(np.array([0, 1]), 4, np.array([True, False]))
    plain = stored.tensor(np.array([0, 1]), 4)
    assert torch.equal(turned[0], plain[0].flip(2)) and torch.equal(turned[1], plain[1])


@pytest.mark.parametrize(
    "fault", ["missing", "empty folder", "no images", "not square", "too small", "latents", "broken"]
)
def test_unusable_images_are_refused(tmp_path, fault):
    path = tmp_path / ("folder" if fault in ("empty folder", "broken") else "faces.h5")
    shape = {"not square": (2, 8, 16, 3), "too small": (2, 4, 4, 3)}.get(fault, (2, 16, 16, 3))
    if path.suffix and fault != "missing":
        with h5py.File(path, "w") as file:
            file["pictures" if fault == "no images" else "images"] = np.zeros(shape, np.uint8)
            if fault == "latents":
                file["latents"] = np.zeros((7, 5))
    if not path.suffix:
        path.mkdir()
    if fault == "broken":
        (path / "0.png").write_bytes(b"\x89PNG broken")
    with pytest.raises(DataError, match=path.name):
        read_faces(path, 8)


def test_command_trains_and_its_generator_loads(tmp_path, capsys):
    random = np.random.default_rng(0)
    (tmp_path / "faces").mkdir()
    for number in range(8):
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(tmp_path / "faces" / f"{number}.png")
    command = ["train-generator", str(tmp_path / "faces"), str(tmp_path / "out"), "--channels", "8,4", "--latent", "6"]
    assert main([*command, "--fades", "16", "--stays", "16", "--batches", "8", "--device", "cpu"]) == 0
    assert "trained on 32 images" in capsys.readouterr().out
    assert load_generator(str(tmp_path / "out" / "generator.safetensors")).images(torch.zeros(1, 6)).shape == (
        1,
        3,
        8,
        8,
    )
    assert main([*command, "--fades", "16,16", "--stays", "16", "--batches", "8,8,8", "--device", "cpu"]) == 0
    command[2] += "2"
    assert main([*command, "--held-out", "8", "--device", "cpu"]) == 1
    assert "no images are left to train on" in capsys.readouterr().err


def test_critic_scores_each_image_once():
    critic = Critic((8, 4)).requires_grad_(False)
    assert critic(torch.zeros(3, 3, 8, 8)).shape == (3,)
