import pickle
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators import fir
from hyper.generators.base import Generator, Layer, check_normal_latents
from hyper.generators.batches import generate, images_uint8
from hyper.generators.checkpoints.own import read_own, write_own
from hyper.generators.checkpoints.recognise import read_checkpoint
from hyper.generators.load import chosen_generator, load_generator
from hyper.generators.stylegan import StyleMapping
from hyper.generators.stylegan2 import StyleGAN2
from hyper.generators.stylegan3 import StyleGAN3, alias_free_layers, super_resolved
from hyper.generators.styles import StyleGenerator
from tests.generators.stylegan_cases import KINDS, computed, stored, write_stylegan


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def converted(kind, tmp_path):
    network, form = read_checkpoint(stored(kind))
    write_own(tmp_path / "own.safetensors", network, stored(kind), form)
    return tmp_path / "own.safetensors"


def as_tensors(due, *names):
    return [torch.from_numpy(due[name]) for name in names]


def test_styles_images_and_layers_equal_the_official_code(kind, converted):
    due = computed(kind)
    network, form = read_checkpoint(stored(kind))
    assert form == "stylegan"
    z, labels, w = as_tensors(due, "latents", "labels", "w_0.7")
    for generator in (network, read_own(converted)):
        for psi in (1.0, 0.7):
            generator.psi = psi
            styles = generator.styles(z, labels).numpy()
            assert np.abs(styles[:, None] - due[f"w_{psi}"]).max() < 1e-5
        images = generator.activations_of_styles(w[:2], "image").numpy()
        assert np.abs(images - due["images"]).max() < 1e-4
        there = [name for name in due if name.startswith("layer_")]
        here = [layer for layer in generator.layers[2:] if kind != "stylegan2" or layer.name != "image"]
        assert len(there) == len(here)
        for layer, name in zip(here, there, strict=True):
            values = generator.activations_of_styles(w[:1], layer.name).numpy()
            assert values.shape == (1, *layer.shape)
            scale = 0.25 if layer.name == "image" else 1  # the official last layer is before the scale
            assert np.abs(values[..., ::3, ::3] - scale * due[name]).max() < 1e-4, name


def test_all_images_from_latents_equal_the_official_code(kind):
    due = computed(kind)
    network, _ = read_checkpoint(stored(kind))
    network.psi = 0.7
    z, labels = as_tensors(due, "latents", "labels")
    for row in range(2):
        if network.mapping.classes:
            network.choose_label(int(labels[row]))
        assert np.abs(network.images(z[row : row + 1]).numpy() - due["images"][row]).max() < 1e-4


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_every_protocol_of_pickle_is_read(kind, protocol, tmp_path):
    path = write_stylegan(tmp_path / "x.pkl", lambda tree: None, kind, protocol)
    again, first = read_checkpoint(path)[0], read_checkpoint(stored(kind))[0]
    assert again.structure == first.structure
    for name, value in first.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])


def test_the_same_pickle_converts_to_the_same_bytes(kind, converted, tmp_path):
    network, form = read_checkpoint(stored(kind))
    write_own(tmp_path / "again.safetensors", network, stored(kind), form)
    assert (tmp_path / "again.safetensors").read_bytes() == converted.read_bytes()


@pytest.mark.parametrize("latent", ["z", "w"])
def test_it_is_a_generator(kind, latent, converted):
    label = None if latent == "w" or kind in ("stylegan3_t", "stylegan3_r") else 1
    generator = load_generator(str(converted), latent, 0.7, label)
    assert isinstance(generator, Generator)
    z = torch.from_numpy(np.random.default_rng(0).standard_normal((3, generator.latent_dim)).astype(np.float32))
    assert generator.layers[0] == Layer("latent", (generator.latent_dim,))
    for layer in generator.layers:
        assert generator.activations(z, layer.name).shape == (3, *layer.shape)
    assert torch.equal(generator.activations(z, "latent"), z)
    assert torch.equal(generator.images(z), generator.activations(z, "image"))
    assert images_uint8(generator, z.numpy()).std() > 1
    blocks = list(generate(generator, z.numpy(), generator.layers[2].name, batch=2))
    assert [len(block) for block in blocks] == [2, 1]


def test_images_of_a_batch_with_gradients_equal_those_one_by_one(kind):
    network, _ = read_checkpoint(stored(kind))
    (w,) = as_tensors(computed(kind), "w_1.0")
    alone = network.activations_of_styles(w, "image")
    together = network.activations_of_styles(w.clone().requires_grad_(), "image")
    assert together.requires_grad
    assert (alone - together).abs().max() < 1e-4


def test_gradients_equal_finite_differences(kind):
    network = read_checkpoint(stored(kind))[0].double()
    w = torch.from_numpy(computed(kind)["w_1.0"][:2, 0]).double().requires_grad_()
    direction = torch.from_numpy(np.random.default_rng(0).standard_normal(tuple(w.shape)))
    weight = torch.from_numpy(np.random.default_rng(1).standard_normal((2, *network.layers[-1].shape)))

    def value(at):
        return (network.activations_of_styles(at, "image") * weight).sum()

    (slope,) = torch.autograd.grad(value(w), w)
    with torch.no_grad():
        difference = (value(w + 1e-6 * direction) - value(w - 1e-6 * direction)) / 2e-6
    assert abs((slope * direction).sum() - difference) < 1e-4 * abs(difference) + 1e-5


def test_truncation_draws_styles_to_the_mean_of_their_class():
    network, _ = read_checkpoint(stored("stylegan_xl"))
    z = torch.from_numpy(computed("stylegan_xl")["latents"])
    labels = torch.tensor([4, 0, 4])
    network.psi = 0
    assert torch.equal(network.styles(z, labels), network.mapping.means[labels])
    network.psi = 0.3
    full, mean = network.full_styles(z, labels), network.mapping.means[labels]
    assert torch.allclose(network.styles(z, labels), mean + 0.3 * (full - mean), atol=1e-6)


def test_a_network_with_classes_asks_for_one(converted, kind):
    network = load_generator(str(converted))
    if not network.mapping.classes:
        with pytest.raises(GeneratorError, match="knows no classes"):
            load_generator(str(converted), label=0)
        return
    with pytest.raises(GeneratorError, match="none is chosen"):
        network.images(torch.zeros(1, network.latent_dim))
    with pytest.raises(GeneratorError, match="no class 99"):
        load_generator(str(converted), label=99)


def test_the_settings_choose_latent_truncation_and_class(tmp_path):
    network, form = read_checkpoint(stored("stylegan_xl"))
    write_own(tmp_path / "own.safetensors", network, stored("stylegan_xl"), form)
    settings = {"generator": str(tmp_path / "own.safetensors"), "latent": None, "truncation": 0.7, "label": 2}
    chosen, by_style = chosen_generator(settings), chosen_generator({**settings, "latent": "w"})
    z = torch.from_numpy(computed("stylegan_xl")["latents"])
    network.psi = 0.7
    due = network.activations_of_styles(network.styles(z, torch.tensor([2, 2, 2])), "image")
    assert torch.equal(chosen.images(z), due)
    assert torch.equal(by_style.images(chosen.styles(z)), due)
    check_normal_latents(chosen)
    with pytest.raises(GeneratorError, match="its latents are styles"):
        check_normal_latents(by_style)


def test_styles_of_each_layer_are_taken_as_given():
    network, _ = read_checkpoint(stored("stylegan3_r"))
    (w,) = as_tensors(computed("stylegan3_r"), "w_1.0")
    mixed = w.clone()
    mixed[:, 4:] = w[[1, 2, 0], 4:]
    same, other = (network.activations_of_styles(values, "L2") for values in (w, mixed))
    assert torch.equal(same, other)  # up to there no style differs
    assert not torch.allclose(*(network.activations_of_styles(values, "image") for values in (w, mixed)))
    with pytest.raises(GeneratorError, match=r"\(n, 8, 16\) is due"):
        network.activations_of_styles(w[:, :3], "image")


def skip_without_random_face():
    if find_spec("random_face") is None:
        pytest.skip("the package random-face is not installed")


@pytest.mark.parametrize("spec", ["pggan-face", "random-face-style"])
def test_other_generators_have_no_such_settings(spec):
    if spec == "random-face-style":
        skip_without_random_face()
    with pytest.raises(GeneratorError, match="maps no latents to styles"):
        load_generator(spec, "w")


def test_random_face_takes_the_settings_of_a_style_network():
    skip_without_random_face()
    assert isinstance(load_generator("random-face", "w"), StyleGenerator)
    assert load_generator("random-face", truncation=0.5).psi == 0.5
    with pytest.raises(GeneratorError, match="knows no classes"):
        load_generator("random-face", label=1)


@pytest.mark.parametrize("radial", [False, True])
def test_layers_follow_from_the_architecture(radial):
    network, _ = read_checkpoint(stored("stylegan3_r" if radial else "stylegan3_t"))
    _, layers = alias_free_layers(32, 256, 8, 6, radial=radial)
    for found, due in zip(network.specs, layers, strict=True):
        for side in ("before", "after"):
            a, b = getattr(found, side), getattr(due, side)
            assert (a.channels, a.rate) == (b.channels, b.rate)
            assert (a.cutoff, a.half_width) == pytest.approx((b.cutoff, b.half_width))
        assert (found.up_taps, found.down_taps, found.radial) == (due.up_taps, due.down_taps, due.radial)
        assert (found.kernel, found.rate, found.clamp) == (due.kernel, due.rate, due.clamp)


def test_super_resolved_layers_follow_from_the_architecture():
    network, _ = read_checkpoint(stored("stylegan_xl"))
    _, layers = alias_free_layers(16, 256, 8, 5)
    for _ in range(2):
        layers = super_resolved(layers, 2, 4, channel_base=256, channel_max=8)
    assert len(network.specs) == len(layers)
    for found, due in zip(network.specs, layers, strict=True):
        assert (found.up, found.down, found.rate) == (due.up, due.down, due.rate)
        assert (found.after.channels, found.after.cutoff) == pytest.approx((due.after.channels, due.after.cutoff))
        for a, b in zip(found.filters(), due.filters(), strict=True):
            assert np.abs(a - b).max() < 1e-9


def test_the_published_sizes():
    start, layers = alias_free_layers(1024, 65536, 1024, radial=True)
    shapes = [(layer.after.channels, layer.after.size) for layer in layers]
    assert (start.channels, start.size) == (1024, 36)
    assert shapes == [
        (1024, 36), (1024, 36), (1024, 52), (1024, 52), (1024, 84), (1024, 148), (1024, 148), (645, 276), (406, 276),
        (256, 532), (161, 1044), (102, 1044), (64, 1044), (64, 1024), (3, 1024),
    ]  # fmt: skip
    network = StyleGAN3(StyleMapping([512, 512, 512]), *alias_free_layers(32, 64, 4))
    assert network.style_count == 16
    _, layers = alias_free_layers(16, 65536, 1024, 10)
    for _ in range(5):
        layers = super_resolved(layers, 2)
    assert len(layers) + 1 == 37  # styles of StyleGAN-XL at 512 x 512


def naive(x, kernel, up, before, after):
    """Zeros inserted, padded or cropped, convolved."""
    n, c, h, w = x.shape
    y = x.new_zeros(n, c, h * up, w * up)
    y[:, :, ::up, ::up] = x
    y = functional.pad(y, (before, after, before, after))
    return functional.conv2d(y, kernel.flip(0, 1).expand(c, 1, -1, -1), groups=c)


@pytest.mark.parametrize(
    ("up", "taps", "before", "after"), [(2, 12, 11, 10), (4, 8, -3, 5), (2, 12, 14, -2), (1, 4, 3, 3)]
)
def test_upsampling_equals_zeros_inserted_and_convolved(up, taps, before, after):
    rng = np.random.default_rng(0)
    x, kernel = torch.from_numpy(rng.standard_normal((2, 3, 9, 9))), torch.from_numpy(rng.standard_normal((taps, taps)))
    found, due = fir.upsampled(x, kernel, up, before, after), naive(x, kernel, up, before, after)
    assert found.shape == due.shape
    assert torch.allclose(found, due)


@pytest.mark.parametrize("budget", [1, 2**24])
@pytest.mark.parametrize(("up", "down", "padding"), [(2, 2, (11, 10)), (4, 2, (-8, -3)), (2, 4, (40, 33))])
def test_the_rectifier_in_parts_equals_the_whole(up, down, padding, budget, monkeypatch):
    monkeypatch.setattr(fir, "_BYTES", budget)
    monkeypatch.setattr(fir, "_CHANNELS", 2)
    rng = np.random.default_rng(0)
    x = torch.from_numpy(rng.standard_normal((1, 5, 33, 33)))
    kernels = tuple(torch.from_numpy(fir.lowpass(6 * n, 4, 2, 64, n == down)) for n in (up, down))
    parts = fir.filtered_rectifier(x, kernels, up, down, padding, 0.5)
    y = functional.leaky_relu(naive(x, kernels[0], up, *padding), 0.2).clamp(-0.5, 0.5)
    due = functional.conv2d(y, kernels[1].expand(5, 1, -1, -1), groups=5)[:, :, ::down, ::down]
    assert parts.shape == due.shape
    assert torch.allclose(parts, due)


def response(kernel, x, y):
    """Response to a wave of frequencies x and y, at a sampling rate of 64."""
    places = (np.arange(len(kernel)) - (len(kernel) - 1) / 2) / 64
    return abs(np.exp(2j * np.pi * y * places) @ kernel @ np.exp(2j * np.pi * x * places))


@pytest.mark.parametrize("radial", [False, True])
def test_low_pass_filters_keep_what_is_below_and_stop_what_is_above(radial):
    kernel = fir.lowpass(24, 8, 8, 64, radial)
    assert response(kernel, 0, 0) == pytest.approx(1)
    assert response(kernel, 3, 0) > 0.9
    assert response(kernel, 13, 0) < 0.03
    tilted = response(kernel, 9 / np.sqrt(2), 9 / np.sqrt(2))
    if radial:
        assert tilted == pytest.approx(response(kernel, 9, 0), abs=0.02)
    else:
        assert abs(tilted - response(kernel, 9, 0)) > 0.1


def test_constant_noise_makes_the_same_image():
    network, _ = read_checkpoint(stored("stylegan2"))
    w = torch.from_numpy(computed("stylegan2")["w_0.7"][:1])
    assert torch.equal(*(network.activations_of_styles(w, "image") for _ in range(2)))
    with torch.no_grad():
        quiet, _ = read_checkpoint(stored("stylegan2"))
        quiet.pairs[0][0].noise.zero_()
    assert not torch.allclose(
        network.activations_of_styles(w, "image"), quiet.activations_of_styles(w, "image"), atol=1e-3
    )


def test_impossible_structures_are_refused():
    mapping = StyleMapping([4, 4])
    with pytest.raises(GeneratorError, match="StyleGAN2"):
        StyleGAN2(mapping, [], None)
    start, layers = alias_free_layers(32, 64, 4)
    with pytest.raises(GeneratorError, match="last layer alone makes colours"):
        StyleGAN3(mapping, start, layers[:-1])
    with pytest.raises(GeneratorError, match="do not fit each other"):
        StyleGAN3(mapping, start, layers[6:])


def test_a_pickle_is_not_taken_for_a_generator_by_its_extension(tmp_path):
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({"G_ema": {"a": 1}}))
    with pytest.raises(GeneratorError, match="no network G_ema"):
        read_checkpoint(tmp_path / "x.pkl")
