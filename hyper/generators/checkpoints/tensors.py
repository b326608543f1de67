"""The tensors of a checkpoint, taken one by one and checked; the network they fill."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.pggan import LEVELS, PGGAN

MEND = "Fetch the checkpoint again, or give one of a PGGAN or StyleGAN that makes RGB images"

Pair = tuple[Tensor, Tensor]


class Tensors:
    """Named tensors of a file; each is taken once, and none may be left over.

    Parameters
    ----------
    path : str or Path
    tensors : mapping of str to ndarray or Tensor
    """

    def __init__(self, path: str | Path, tensors: Mapping[str, np.ndarray | Tensor]) -> None:
        self.path, self._left = path, dict(tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._left

    def take(self, name: str, shape: tuple[int | None, ...]) -> Tensor:
        """Return a tensor in double precision; None in `shape` leaves that size free.

        Raises
        ------
        GeneratorError
            When it is missing, has another shape, or is not finite.
        """
        if name not in self._left:
            raise GeneratorError(self.path, f"the tensor {name!r} is missing", MEND)
        values = torch.as_tensor(self._left.pop(name))
        fits = len(values.shape) == len(shape)
        if not fits or any(due not in (None, size) for size, due in zip(values.shape, shape, strict=True)):
            due_shape = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
            fault = f"the tensor {name!r} has the shape {tuple(values.shape)} where {due_shape} is due"
            raise GeneratorError(self.path, fault, MEND)
        values = values.double()
        if not bool(values.isfinite().all()):
            raise GeneratorError(self.path, f"the tensor {name!r} holds values that are not finite", MEND)
        return values

    def drop(self, names: Iterable[str]) -> None:
        """Leave tensors unused on purpose."""
        for name in names:
            self._left.pop(name, None)

    def finish(self) -> None:
        """Refuse tensors that no part of the network took.

        Raises
        ------
        GeneratorError
        """
        if self._left:
            names = ", ".join(name[:60] for name in sorted(self._left)[:3])
            raise GeneratorError(self.path, f"it holds {len(self._left)} tensors too many ({names})", MEND)


@dataclass
class Plain:
    """Weights in the layout of `PGGAN`, equalised learning rate folded in, double precision.

    Attributes
    ----------
    dense : pair of Tensor
        Weight (16 c, latent) and bias (16 c).
    convs : list of pair of Tensor
        Kernels (out, in, 3, 3) and biases (out), in the order of computation.
    rgb : mapping of int to pair of Tensor
        By block, 0 for 4 x 4 pixels: kernels (3, in, 1, 1) and biases (3).
    lod : float
        Level of detail.
    """

    dense: Pair
    convs: list[Pair]
    rgb: dict[int, Pair]
    lod: float = 0.0

    def network(self, path: str | Path) -> PGGAN:
        """Return the network.

        Raises
        ------
        GeneratorError
            When the image of a block that the level of detail needs is missing.
        """
        channels = [self.convs[0][0].shape[0], *(weight.shape[0] for weight, _ in self.convs[2::2])]
        network = PGGAN(self.dense[0].shape[1], channels, self.lod)
        missing = [level for level in network.rgb_levels if level not in self.rgb]
        if missing:
            raise GeneratorError(path, f"the RGB layer of block {missing[0] + 1} is missing", MEND)
        modules = [network.dense, *network.convs, *network.rgb]
        pairs = [self.dense, *self.convs, *(self.rgb[level] for level in network.rgb_levels)]
        for module, (weight, bias) in zip(modules, pairs, strict=True):
            module.load_state_dict({"weight": weight.float().contiguous(), "bias": bias.float().contiguous()})
        return network


def count_levels(path: str | Path, further: int) -> int:
    """Return the number of blocks of a network with `further` blocks above 4 x 4.

    Raises
    ------
    GeneratorError
        When that is none of a PGGAN.
    """
    if further + 1 not in LEVELS:
        fault = f"it holds another network than a PGGAN ({further} up-scaling blocks where 1 to 8 are possible)"
        raise GeneratorError(path, fault, MEND)
    return further + 1


def check_lod(path: str | Path, lod: float) -> float:
    """Return the level of detail.

    Raises
    ------
    GeneratorError
        When it is negative or not finite.
    """
    if not 0 <= lod < float("inf"):
        raise GeneratorError(path, f"its level of detail is {lod}", MEND)
    return lod
