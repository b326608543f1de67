"""Generators of which the style is the latent."""

from torch import Tensor, nn

from hyper.generators.base import Layer, layer_index
from hyper.generators.mapped import StyleNetwork


class StyleGenerator(nn.Module):
    """A style network whose latent is the style w, which is taken as given: neither mapped nor truncated.

    Parameters
    ----------
    network : StyleNetwork
    """

    normal_latents = False

    def __init__(self, network: StyleNetwork) -> None:
        super().__init__()
        self.network = network
        (self.latent_dim,) = network.layers[1].shape
        self.layers = (Layer("latent", network.layers[1].shape), *network.layers[2:])

    def activations(self, z: Tensor, layer: str) -> Tensor:
        """Activation of `layer`, shape (n, *shape of the layer), for styles of shape (n, latent_dim).

        Raises
        ------
        GeneratorError
            When there is no such layer, or the styles have another size.
        """
        layer_index(self.layers, layer)
        return self.network.activations_of_styles(z, "w" if layer == "latent" else layer)

    def images(self, z: Tensor) -> Tensor:
        """RGB images, shape (n, 3, height, width)."""
        return self.activations(z, "image")

    def forward(self, z: Tensor) -> Tensor:
        """Same as `images`."""
        return self.images(z)
