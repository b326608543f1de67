"""Features of faces by a network trained to tell people apart.

``dlib``: the face-recognition ResNet of dlib (King, 2017), 128 features, whose weights the PyPI package
face-recognition-models carries (CC0). dlib itself is the package dlib-bin. Neither is needed for anything else.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from hyper.errors import EngineError
from hyper.evaluation.identification import wins
from hyper.evaluation.similarity import correlations

PACKAGES = "dlib-bin==20.0.1.post1 face-recognition-models==0.3.0"
SEPARATES = 0.95
_CHIP = 150  # pixels, what the network was trained on
Network = Callable[[np.ndarray], np.ndarray]


def load_network(name: str) -> Network:
    """Return the function from images, shape (n, height, width, 3), uint8, to features, shape (n, feature).

    Raises
    ------
    EngineError
        When there is no such network, or a package is missing.
    """
    if name not in NETWORKS:
        raise EngineError("evaluation.features", f"there is no network {name!r}", f"Choose {' or '.join(NETWORKS)}")
    return NETWORKS[name]()


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


def _dlib() -> Network:
    spec = find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations or find_spec("dlib") is None:
        fault = "dlib or the weights of its face network are not installed"
        raise EngineError("evaluation.features: dlib", fault, f"Run `pip install --no-deps {PACKAGES}`")
    import dlib

    weights = Path(spec.submodule_search_locations[0]) / "models/dlib_face_recognition_resnet_model_v1.dat"
    network = dlib.face_recognition_model_v1(str(weights))

    def features(images: np.ndarray) -> np.ndarray:
        chips = (Image.fromarray(image).resize((_CHIP, _CHIP), Image.Resampling.BICUBIC) for image in images)
        return np.array([network.compute_face_descriptor(np.asarray(chip)) for chip in chips], np.float64)

    return features


NETWORKS: dict[str, Callable[[], Network]] = {"dlib": _dlib}
