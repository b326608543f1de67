"""AlexNet, convolutions only."""

from collections.abc import Collection
from pathlib import Path

from torch import Tensor, nn

from hyper.networks.looking import IMAGENET, Looker, Preparation
from hyper.networks.weights import fill, read_weights

# after the activation of each convolution
LAYERS = {"layer1": 1, "layer2": 4, "layer3": 7, "layer4": 9, "layer5": 11}


class AlexNet(nn.Module):
    """AlexNet in one tower (Krizhevsky, 2014, arXiv:1404.5997), as torchvision has it."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, 4, 2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(192, 384, 3, padding=1), nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1), nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x: Tensor, layers: Collection[str] = tuple(LAYERS)) -> dict[str, Tensor]:
        """Activations of the layers named."""
        at = {index: name for name, index in LAYERS.items()}
        found = {}
        for index, module in enumerate(self.features):
            x = module(x)
            if at.get(index) in layers:
                found[at[index]] = x
        return found


def load_alexnet(path: str | Path) -> Looker:
    """Read torchvision's ``alexnet-owt-7be5be79.pth``; images at 256 x 256 pixels.

    The size is MindEye's (Scotti et al., 2023).

    Raises
    ------
    NetworkError
    """
    network = AlexNet()
    fill(path, network, read_weights(path), ("classifier.",))
    return Looker(network, Preparation(256, *IMAGENET), tuple(LAYERS))
