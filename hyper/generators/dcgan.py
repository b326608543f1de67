"""DCGAN (Radford et al., 2016): transposed convolutions with batch normalisation, here folded into the weights."""

import pickle
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from hyper.errors import GeneratorError
from hyper.generators.base import Layer, check_latents, layer_index

EPSILON = 1e-5  # torch's default, which the checkpoint was trained with


class DCGAN(nn.Module):
    """Latent -> 4 x 4 -> doubled up to the image.

    Parameters
    ----------
    latent_dim : int
    channels : sequence of int
        Of the hidden layers, from 4 x 4 pixels upward. L1, L2, ... are these, after the ReLU.
    """

    def __init__(self, latent_dim: int = 100, channels: Sequence[int] = (512, 256, 128, 64)) -> None:
        super().__init__()
        self.latent_dim = latent_dim
        sizes = [4 * 2**index for index in range(len(channels))]
        hidden = (Layer(f"L{i + 1}", (c, s, s)) for i, (c, s) in enumerate(zip(channels, sizes, strict=True)))
        self.layers = (Layer("latent", (latent_dim,)), *hidden)
        widths = [latent_dim, *channels, 3]
        self.blocks = nn.Sequential(
            *(
                nn.ConvTranspose2d(before, after, 4, 1 if index == 0 else 2, 0 if index == 0 else 1)
                for index, (before, after) in enumerate(pairwise(widths))
            )
        )
        self.requires_grad_(False)
        self.eval()

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of `layer` after its ReLU, shape (n, *shape of the layer).

        Raises
        ------
        GeneratorError
            When there is no such layer, or the latents have another size.
        """
        check_latents(z, self.latent_dim)
        index = layer_index(self.layers, layer)
        x = z
        for block in list(self.blocks)[:index]:
            x = functional.relu(block(x.reshape(*x.shape, 1, 1) if x.ndim == 2 else x))
        return x

    def images(self, z: Tensor) -> Tensor:
        """RGB images in [-1, 1], shape (n, 3, height, width)."""
        return torch.tanh(self.blocks[-1](self.activations(z, self.layers[-1].name)))

    def forward(self, z: Tensor) -> Tensor:
        """Same as `images`."""
        return self.images(z)


def read_dcgan(path: str | Path, mend: str = "Fetch the checkpoint again") -> DCGAN:
    """Read a checkpoint of the DCGAN of PyTorch's tutorial, ``netG_state_dict`` with keys ``main.0.weight`` and so on.

    No code of the file is run: torch reads tensors and plain containers, nothing else.

    Parameters
    ----------
    path : str or Path
    mend : str
        Advice to give when the file cannot be used.

    Raises
    ------
    GeneratorError
        When the file is missing, truncated, holds objects other than tensors, or another network.
    """
    if not Path(path).is_file():
        raise GeneratorError(path, "the file does not exist", mend)
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as fault:
        raise GeneratorError(path, "it holds objects other than tensors, or is no torch file", mend) from fault
    except Exception as fault:  # torch raises nearly anything on a damaged archive
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise GeneratorError(path, f"it cannot be read as a torch checkpoint ({reason})", mend) from fault
    state = checkpoint.get("netG_state_dict", checkpoint) if isinstance(checkpoint, Mapping) else None
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise GeneratorError(path, "it holds no state of a network", mend)
    return _from_state(state, path, mend)


def _from_state(state: Mapping[str, Tensor], path: str | Path, mend: str) -> DCGAN:
    """Fold the batch normalisation and fill a network whose sizes are those of the state."""
    numbers = sorted(int(key.split(".")[1]) for key, value in state.items() if _is_kernel(key, value))
    if len(numbers) < 2 or numbers != list(range(0, 3 * len(numbers), 3)):
        raise GeneratorError(path, "it holds another network than a DCGAN", mend)
    kernels = [state[f"main.{number}.weight"] for number in numbers]
    chained = all(before.shape[1] == after.shape[0] for before, after in pairwise(kernels))
    if not chained or kernels[-1].shape[1] != 3 or any(kernel.shape[2:] != (4, 4) for kernel in kernels):
        raise GeneratorError(path, "its convolutions are not those of a DCGAN for RGB images", mend)
    network = DCGAN(kernels[0].shape[0], [kernel.shape[1] for kernel in kernels[:-1]])
    for block, number, kernel in zip(network.blocks, numbers, kernels, strict=True):
        last = number == numbers[-1]
        scale, shift = (torch.ones(3), torch.zeros(3)) if last else _normalisation(state, number + 1, path, mend)
        block.load_state_dict({"weight": (kernel * scale[None, :, None, None]).float(), "bias": shift.float()})
    if not all(bool(parameter.isfinite().all()) for parameter in network.parameters()):
        raise GeneratorError(path, "it holds weights that are not finite", mend)
    return network


def _is_kernel(key: str, value: Tensor) -> bool:
    parts = key.split(".")
    return len(parts) == 3 and parts[0] == "main" and parts[1].isdigit() and parts[2] == "weight" and value.ndim == 4


def _normalisation(state: Mapping[str, Tensor], number: int, path: str | Path, mend: str) -> tuple[Tensor, Tensor]:
    """Scale and shift of a batch normalisation in evaluation mode, in double precision."""
    names = [f"main.{number}.{name}" for name in ("weight", "bias", "running_mean", "running_var")]
    width = state[f"main.{number - 1}.weight"].shape[1]
    if any(name not in state or state[name].shape != (width,) for name in names):
        raise GeneratorError(path, f"the batch normalisation main.{number} is missing or of another size", mend)
    gain, offset, mean, variance = (state[name].double() for name in names)
    scale = gain / torch.sqrt(variance + EPSILON)
    return scale, offset - mean * scale
