"""What networks share that map a latent to a style and synthesise from it."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from hyper.generators.base import Layer, check_latents, layer_index
from hyper.generators.slabs import is_differentiated


class StyleNetwork(nn.Module, ABC):
    """Latent -> style w -> image; the layers are ``latent``, ``w`` and those of the synthesis.

    Attributes
    ----------
    latent_dim : int
    layers : tuple of Layer
    """

    latent_dim: int
    layers: tuple[Layer, ...]

    @abstractmethod
    def styles(self, z: Tensor) -> Tensor:
        """Truncated styles, the layer ``w``: shape (n, width)."""

    @abstractmethod
    def as_synthesised(self, w: Tensor) -> Tensor:
        """Styles in the shape and type that `output` takes.

        Raises
        ------
        GeneratorError
            When they have another size.
        """

    @abstractmethod
    def output(self, w: Tensor, index: int) -> Tensor:
        """Activation number `index`, counted from ``w``, of styles as `as_synthesised` gives them."""

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of `layer`, shape (n, *shape of the layer), computing no more of the network than it needs.

        Raises
        ------
        GeneratorError
            When there is no such layer, or the latents have another size.
        """
        check_latents(z, self.latent_dim)
        layer_index(self.layers, layer)
        return z if layer == "latent" else self.activations_of_styles(self.styles(z), layer)

    def activations_of_styles(self, w: Tensor, layer: str) -> Tensor:
        """Activation of `layer`, ``w`` or a later one, for styles taken as given.

        Parameters
        ----------
        w : Tensor, shape (n, width); or (n, style, width) where the network takes one for each layer
        layer : str

        Raises
        ------
        GeneratorError
            When there is no such layer, or the styles have another size.
        """
        index, given = layer_index(self.layers[1:], layer), w
        w = self.as_synthesised(w)
        if layer == "w":
            return given
        if len(w) < 2 or w.device.type != "cpu" or is_differentiated(w):
            return self.output(w, index)
        # one by one on the CPU: as fast, and no more than one image's activations are held
        out = w.new_empty(len(w), *self.layers[1 + index].shape)
        for place in range(len(w)):
            out[place] = self.output(w[place : place + 1], index)[0]
        return out

    def images(self, z: Tensor) -> Tensor:
        """RGB images, shape (n, 3, height, width); the network does not clip them to [-1, 1]."""
        return self.activations(z, "image")

    def forward(self, z: Tensor) -> Tensor:
        """Same as `images`."""
        return self.images(z)
