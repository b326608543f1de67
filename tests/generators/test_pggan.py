import tracemalloc

import numpy as np
import pytest
import torch
from torch.func import functional_call
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from hyper.errors import GeneratorError
from hyper.generators import batches, strips
from hyper.generators.base import Generator, rounded_uint8
from hyper.generators.batches import fitting_batch, generate, images_uint8
from hyper.generators.pggan import PGGAN


def small(channels=(16, 12, 8), lod=0.0, latent=5):
    network, noise = PGGAN(latent, channels, lod), torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        scale = (2 / parameter[0].numel()) ** 0.5 if parameter.ndim > 1 else 0.1
        parameter.data = torch.randn(parameter.shape, generator=noise) * scale
    return network


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def literal(network, z):
    """The network, written out in double precision."""

    def norm(x):
        return x / torch.sqrt(x.square().mean(1, keepdim=True) + 1e-8)

    weights = {name: value.double() for name, value in network.state_dict().items()}
    x = norm(z.double()) @ weights["dense.weight"].T + weights["dense.bias"]
    x = norm(functional.leaky_relu(x.reshape(len(z), -1, 4, 4), 0.2))
    blocks = []
    for index in range(2 * len(network.channels) - 1):
        if index % 2:
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        x = functional.conv2d(x, weights[f"convs.{index}.weight"], weights[f"convs.{index}.bias"], padding=1)
        x = norm(functional.leaky_relu(x, 0.2))
        blocks += [] if index % 2 else [x]
    return blocks, functional.conv2d(x, weights["rgb.0.weight"], weights["rgb.0.bias"])


@pytest.mark.parametrize("channels", [(16, 12), (8, 12, 12, 8), (16, 16, 16, 16, 12, 8)])
def test_it_equals_the_network_written_out(channels):
    network = small(channels)
    z = torch.randn(3, 5)
    blocks, image = literal(network, z)
    assert torch.allclose(network.images(z).double(), image, atol=1e-4)
    assert torch.equal(network.activations(z, "image"), network.images(z))
    assert torch.equal(network.activations(z, "latent"), z)
    for number, block in enumerate(blocks, 1):
        assert torch.allclose(network.activations(z, f"L{number}").double(), block, atol=1e-4)
    assert isinstance(network, Generator)
    size = 4 * 2 ** (len(channels) - 1)
    assert (network.layers[0].name, network.layers[-1].shape) == ("latent", (3, size, size))
    for layer in network.layers:
        assert network.activations(z, layer.name).shape == (3, *layer.shape)


class Widths(TorchDispatchMode):
    """The widths of what is convolved."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.convolution.default:
            self.found.add(args[0].shape[3])
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("strip", [1, strips.STRIP])
def test_a_layer_costs_no_more_than_it_needs(strip, monkeypatch):
    monkeypatch.setattr(strips, "STRIP", strip)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)  # a mode sees its own thread only
    network, z = small(), torch.randn(1, 5)
    for layer, due in (("latent", 0), ("L1", 4), ("L2", 8), ("L3", 16)):
        with Widths() as widths:
            network.activations(z, layer)
        assert max(widths.found, default=0) == due
    with Widths() as widths:
        assert small(lod=1.0).images(z).shape == (1, 3, 16, 16)
    assert max(widths.found) == 8


@pytest.fixture
def threads():
    """Set the number of threads for one test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize(("strip", "count"), [(1, 1), (1, 5), (700, 2), (700, 3), (5000, 4)])
@pytest.mark.parametrize("lod", [0.0, 0.25, 1.5])
def test_strips_of_any_size_in_any_number_of_threads_equal_the_whole(strip, count, lod, monkeypatch, threads):
    network = small((16, 12, 12, 8), lod)
    z = torch.randn(2, 5, requires_grad=True)
    whole = {layer.name: network.activations(z, layer.name).detach() for layer in network.layers}
    monkeypatch.setattr(strips, "STRIP", strip)
    monkeypatch.setattr(strips, "SMALLEST", 1)
    threads(count)
    for layer in network.layers:
        found = network.activations(z.detach(), layer.name)
        assert torch.allclose(found, whole[layer.name], atol=2e-5), layer.name
        assert found.is_contiguous()
    assert torch.get_num_threads() == count
    last = network.channels_last().activations(z.detach(), "L4")
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(last, whole["L4"], atol=2e-5)


def test_the_modes_of_torch_hold_in_all_threads(monkeypatch, threads):
    monkeypatch.setattr(strips, "STRIP", 1)
    threads(2)
    network, z = small(), torch.randn(2, 5)
    with torch.inference_mode():
        assert network.images(z).is_inference()
    network.images(z.requires_grad_()).sum().backward()  # what was kept in that mode does not stand in the way
    network.requires_grad_(True)
    with torch.no_grad():
        assert not network.images(z).requires_grad


def test_strips_leave_the_gradients_alone(monkeypatch):
    monkeypatch.setattr(strips, "STRIP", 1)
    network, z = small().double(), torch.randn(2, 5, dtype=torch.float64)
    shares = torch.randn(2, 3, 16, 16, dtype=torch.float64)

    def loss(latents, weight):
        return (functional_call(network, {"convs.3.weight": weight}, (latents,)) * shares).sum()

    weight = network.convs[3].weight.detach().clone()
    assert torch.autograd.gradcheck(loss, (z.requires_grad_(), weight), fast_mode=True)
    assert torch.autograd.gradcheck(loss, (z.detach(), weight.requires_grad_()), fast_mode=True)


def test_the_largest_resolution_and_a_lod_beyond_the_first_block():
    network = small((4, 4, 4, 4, 4, 2, 2, 2, 2), lod=50.0)
    assert (network.resolution, network.lod, network.rgb_levels) == (1024, 8.0, (0,))
    images = network.images(torch.randn(1, 5))
    assert images.shape == (1, 3, 1024, 1024)
    assert torch.equal(images[..., ::256, ::256], images[..., 255::256, 255::256])


def test_it_is_differentiable_and_frozen():
    network = small(lod=0.5)
    z = torch.randn(2, 5, requires_grad=True)
    network.images(z).square().sum().backward()
    assert z.grad.abs().min() > 0
    assert not any(parameter.requires_grad for parameter in network.parameters())


@pytest.mark.parametrize("strip", [1, strips.STRIP])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.bfloat16, 0.05), (torch.float16, 0.01), (torch.float64, 1e-5)])
def test_other_precisions_are_close(dtype, tolerance, strip, monkeypatch):
    monkeypatch.setattr(strips, "STRIP", strip)
    z = torch.randn(3, 5)
    exact = small().images(z)
    images = small().to(dtype).images(z)
    assert images.dtype == dtype
    assert (images.double() - exact.double()).square().mean().sqrt() < tolerance * exact.std()


def test_channels_last_changes_nothing_but_the_order_in_memory():
    z = torch.randn(3, 5)
    network = small().channels_last()
    block = network.activations(z, "L3")
    assert block.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(block, small().activations(z, "L3"), atol=1e-5)
    assert torch.allclose(network.images(z), small().images(z), atol=1e-5)


@pytest.mark.parametrize(("channels", "lod"), [((8,), 0), ((4,) * 10, 0), ((4, 0), 0), ((4, 4), -1), ((4, 4), np.nan)])
def test_other_structures_are_refused(channels, lod):
    with pytest.raises(GeneratorError, match="is no PGGAN"):
        PGGAN(5, channels, lod)


def test_wrong_latents_and_layers_are_refused():
    with pytest.raises(GeneratorError, match=r"\(n, 5\) is due"):
        small().images(torch.zeros(1, 4))
    with pytest.raises(GeneratorError, match="latent, L1, L2, L3, image"):
        small().activations(torch.zeros(1, 5), "L4")


def test_generate_equals_one_batch_whatever_the_batch():
    network, latents = small(), np.random.default_rng(0).normal(size=(7, 5))
    due = network.images(torch.from_numpy(latents).float()).numpy()
    for batch in (None, 3):
        found = np.concatenate(list(generate(network, latents, batch=batch)))
        assert found.dtype == np.float32
        assert np.allclose(found, due, atol=1e-5)
    (half,) = generate(network.to(torch.bfloat16), latents, "L1")
    assert (half.shape, half.dtype) == ((7, 16, 4, 4), np.float32)


def test_a_batch_that_does_not_fit_is_halved(monkeypatch):
    network, sizes = small(), []
    images = network.images

    def limited(z):
        sizes.append(len(z))
        if len(z) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return images(z)

    monkeypatch.setattr(network, "images", limited)
    latents = np.random.default_rng(0).normal(size=(7, 5))
    assert [len(block) for block in generate(network, latents, batch=8)] == [2, 2, 2, 1]
    assert sizes == [7, 4, 2, 2, 2, 1]


def test_other_faults_are_not_taken_for_a_lack_of_memory(monkeypatch):
    network = small()
    monkeypatch.setattr(network, "images", lambda z: (_ for _ in ()).throw(RuntimeError("broken")))
    with pytest.raises(RuntimeError, match="broken"):
        list(generate(network, np.zeros((4, 5))))


def test_the_batch_follows_the_memory_and_the_layer(monkeypatch):
    network = small((8, 8, 8, 8, 8, 8, 8, 8, 8))
    weight = next(network.parameters())
    monkeypatch.setattr(batches, "_free_memory", lambda device: 2 * 6 * 8 * 1024**2 * 4 * 5)
    assert fitting_batch(network, "image", weight) == 5
    assert fitting_batch(network, "L4", weight) == 32
    monkeypatch.setattr(batches, "_free_memory", lambda device: 1000)
    assert fitting_batch(network, "image", weight) == 1
    monkeypatch.setattr(batches, "_free_memory", lambda device: 2**50)
    assert fitting_batch(network, "image", weight) == 5  # 1 GiB
    assert fitting_batch(network, "L8", weight) == 21


def test_8_bit_images_take_little_more_than_their_own_memory(monkeypatch):
    network, made = small((4, 4, 4, 4, 4, 2, 2, 2, 2)), []
    monkeypatch.setattr(
        network, "images", lambda z: made.append(len(z)) or z[:, :3, None, None].expand(-1, 3, 1024, 1024)
    )
    monkeypatch.setattr(batches, "_free_memory", lambda device: 2 * 6 * 4 * 3 * 1024**2 * 3)
    latents = np.linspace(-1.2, 1.2, 60, dtype=np.float32).reshape(12, 5)
    tracemalloc.start()
    images = images_uint8(network, latents)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made == [3, 3, 3, 3]
    assert peak < images.nbytes + 3 * 5 * 4 * 3 * 1024**2
    due = rounded_uint8(latents[:, :3, None, None])
    assert np.array_equal(images[:, ::1023, ::1023], due.repeat(2, 1).repeat(2, 2))


def test_rounding_is_that_of_the_published_stimuli():
    values = np.array([-2, -1, -0.5, 0, 1 / 255, 1, 3], np.float32).reshape(1, 1, 1, 7).repeat(3, 1)
    assert rounded_uint8(values)[0, 0, :, 0].tolist() == [0, 0, 64, 128, 128, 255, 255]
    network, latents = small(), np.random.default_rng(0).normal(size=(4, 5)).astype(np.float32)
    (images,) = generate(network, latents)
    assert np.array_equal(rounded_uint8(images), images_uint8(network, latents))
