"""Names of features in print."""


def feature_label(name: str) -> str:
    """Name of a feature in print."""
    known = {"pixels": "Pixels", "gabor": "Gabor", "dlib": "dlib", "clip": "CLIP", "z": "z", "w": "w"}
    if name.startswith("vgg16-"):
        trained, layer = name.split("-")[1:]
        return f"{'VGGFace' if trained == 'faces' else 'VGG16'}-{layer}"
    return known.get(name) or (f"Layer {name.removeprefix('generator-')}" if name.startswith("generator-") else name)
