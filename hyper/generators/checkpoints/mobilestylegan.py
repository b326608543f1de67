"""MobileStyleGAN from the two OpenVINO networks that its author distributes."""

from math import sqrt

import numpy as np
import torch
from torch import Tensor

from hyper.errors import GeneratorError
from hyper.generators.checkpoints.openvino import Graph, Operation
from hyper.generators.mobilestylegan import PSI, SLOPE, STYLE_LAYERS, MobileStyleGAN


def from_graphs(mapping: Graph, synthesis: Graph, psi: float = PSI) -> MobileStyleGAN:
    """Return the network; its mean style is left at zero.

    Parameters
    ----------
    mapping, synthesis : Graph
        Of ``MappingNetwork.xml`` and ``SynthesisNetwork.xml``.
    psi : float
        Truncation.

    Raises
    ------
    GeneratorError
        When they are other networks, or a constant is missing, left over, of another shape or not finite.
    """
    state = _Constants(mapping).mapping() | _Constants(synthesis).synthesis()
    latent_dim = state["start.modulation.weight"].shape[-1]
    biases = [value for name, value in state.items() if name == "start.bias" or name.endswith("conv2.bias")]
    with torch.device("meta"):  # nothing is allocated before the tensors are known to fit
        try:
            network = MobileStyleGAN(latent_dim, [len(bias) for bias in biases], psi)
        except GeneratorError as fault:
            raise synthesis.fault(f"it holds another network ({fault.fault})") from fault
    state["mean_style"] = torch.zeros(latent_dim)
    for name, due in network.state_dict().items():
        found = state[name].shape
        if found != due.shape:
            graph = mapping if name.startswith("mapping") else synthesis
            raise graph.fault(f"the weights {name} have the shape {tuple(found)} where {tuple(due.shape)} is due")
    network.load_state_dict({name: value.float().contiguous() for name, value in state.items()}, assign=True)
    return network.requires_grad_(False)


class _Constants:
    """Constants of a graph, in double precision; each is used once, and none may be left over."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        constants = [op for op in graph.of_kind("Const") if op.value is not None and op.value.dtype.kind == "f"]
        self.left = {op.identifier: op.name for op in constants if op.value is not None and op.value.size > 1}

    def mapping(self) -> dict[str, Tensor]:
        """Weights of the style network."""
        products = self.graph.of_kind("MatMul")
        if len(products) != STYLE_LAYERS:
            raise self.graph.fault(f"it has {len(products)} layers where {STYLE_LAYERS} are due")
        state = {}
        for index, product in enumerate(products):
            total = self.graph.user(product, "Add")
            state[f"mapping.{index}.weight"] = self.take(self.graph.input(product, "Const"))
            reshaped = self.graph.input(total, "Reshape")
            state[f"mapping.{index}.bias"] = self.take(self.graph.input(reshaped, "Const")).flatten()
            gain = self.take(self.graph.input(self.graph.user(self._activated(total), "Multiply"), "Const"))
            if not np.isclose(float(gain), sqrt(2), rtol=1e-6):
                raise self.graph.fault(f"the gain of layer {index} is {float(gain):g}")
        self._finish()
        return state

    def synthesis(self) -> dict[str, Tensor]:
        """Weights of the network from styles to images."""
        state = {"start.constant": self.take(self.graph.constant("m.input.input")).squeeze(0)}
        state |= self._modulation("start", "m.conv1.conv") | self._convolution("start", "m.conv1", "kernel")
        names = {op.name for op in self.graph.operations}
        blocks = 0
        while f"m.layers.{blocks}.conv2.bias" in names:
            source, target = f"m.layers.{blocks}", f"blocks.{blocks}"
            state |= self._modulation(target, f"{source}.up", scaled=False)
            for conv in ("conv1", "conv2"):
                place = f"{target}.{conv}"
                state |= self._modulation(place, f"{source}.{conv}.conv")
                state |= self._convolution(place, f"{source}.{conv}", "pointwise")
                state[f"{place}.pointwise"] = state[f"{place}.pointwise"].flatten(1)
                kernel = self.take(self.graph.constant(f"{source}.{conv}.conv.weight_dw"))
                state[f"{place}.depthwise"] = kernel.flatten(1, 2)
            blocks += 1
        last = f"m.layers.{blocks - 1}.to_img"
        state |= self._modulation("to_image", f"{last}.conv")
        state["to_image.pointwise"] = self.take(self.graph.constant(f"{last}.conv.weight")).flatten(1)
        state["to_image.bias"] = self.take(self.graph.constant(f"{last}.bias")).flatten()
        self._check_wavelets()
        self._finish()
        return state

    def take(self, operation: Operation) -> Tensor:
        """Return the value of a constant."""
        self.left.pop(operation.identifier, None)
        values = torch.as_tensor(operation.value).double()
        if not bool(values.isfinite().all()):
            raise self.graph.fault(f"the constant {operation.name!r} holds values that are not finite")
        return values

    def _modulation(self, target: str, source: str, scaled: bool = True) -> dict[str, Tensor]:
        """Weights from style to scales of channels, the constant factor behind them folded in."""
        bias = self.graph.constant(f"{source}.modulation.bias")
        weight, factor = self.graph.constant(f"{source}.modulation.weight"), torch.tensor(1.0)
        if scaled:
            reshaped = self.graph.user(self.graph.user(bias, "Add"), "Reshape")
            factor = self.take(self.graph.input(self.graph.user(reshaped, "Multiply"), "Const"))
        return {
            f"{target}.modulation.weight": self.take(weight) * factor.squeeze(),
            f"{target}.modulation.bias": self.take(bias).flatten() * factor.squeeze(),
        }

    def _convolution(self, target: str, source: str, kernel: str) -> dict[str, Tensor]:
        """Kernel, noise and bias of a convolution: the bias has a name, the others stand before it."""
        bias = self.graph.constant(f"{source}.bias")
        total = self.graph.user(bias, "Add")
        noisy = self.graph.input(total, "Add")
        convolution = self.graph.input(noisy, "Convolution")
        self._activated(total)
        return {
            f"{target}.{kernel}": self.take(self.graph.input(convolution, "Const")),
            f"{target}.noise": self.take(self.graph.input(noisy, "Const")).squeeze((0, 1)),
            f"{target}.bias": self.take(bias).flatten(),
        }

    def _activated(self, total: Operation) -> Operation:
        """Return the leaky ReLU behind an operation."""
        activation = self.graph.user(total, "PReLU")
        slope = self.take(self.graph.input(activation, "Const"))
        if not np.isclose(float(slope), SLOPE, rtol=1e-6):
            raise self.graph.fault(f"the slope {activation.name!r} is {float(slope):g}")
        return activation

    def _check_wavelets(self) -> None:
        """Refuse filters other than Haar's."""
        for operation in self.graph.of_kind("GroupConvolutionBackpropData"):
            filters = self.take(self.graph.input(operation, "Const")).reshape(-1, 2) * sqrt(2)
            if (filters - filters[:1]).any() or (filters[0].abs() - 1).abs().max() > 1e-6 or filters[0, 0] < 0:
                raise self.graph.fault(f"the wavelet {operation.name!r} is not Haar's")

    def _finish(self) -> None:
        if self.left:
            names = ", ".join(sorted(self.left.values())[:3])
            raise self.graph.fault(f"it holds {len(self.left)} constants too many ({names})")
