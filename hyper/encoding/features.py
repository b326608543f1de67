"""Features of stimuli by name: of networks that look at the images, of the generator that made them, of filters.

docs/encoding.md describes each and how its images are prepared.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path

import h5py
import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d, pad

from hyper.encoding.names import VGG, Feature
from hyper.encoding.simple import gabor_features, pixel_features
from hyper.encoding.stimuli import Stimuli
from hyper.errors import DataError
from hyper.generators.base import Generator
from hyper.generators.batches import generate
from hyper.io.atomic import atomic_path
from hyper.networks.face_recognition import load_face_recognition
from hyper.networks.looking import Looker
from hyper.networks.vgg import load_vgg16
from hyper.networks.vit import load_clip

Blocks = Iterator[np.ndarray]
_RESAMPLING = {
    "vgg16-faces": Image.Resampling.LANCZOS,
    "vgg16-objects": Image.Resampling.BILINEAR,
    "clip": Image.Resampling.BICUBIC,
}
_SIMPLE: dict[str, Callable[[], Callable[[np.ndarray], np.ndarray]]] = {
    "pixels": lambda: pixel_features,
    "gabor": lambda: gabor_features,
    "dlib": load_face_recognition,
}


def features_of_images(
    chosen: Feature, images: Iterable[np.ndarray], weights: str | Path | None, device: torch.device
) -> Blocks:
    """Yield features of images, block by block.

    Parameters
    ----------
    chosen : Feature
    images : iterable of ndarray of uint8, shape (n, height, width, 3)
    weights : path, optional
        Of the network, for those that no package brings.
    device : device

    Yields
    ------
    ndarray of float32, shape (n, feature)

    Raises
    ------
    NetworkError, EngineError
        When the network cannot be had.
    DataError
        When it needs weights and has none.
    """
    look = _SIMPLE[chosen.name]() if chosen.name in _SIMPLE else _looker(chosen, weights, device)
    for block in images:
        values = look(block)
        yield values.reshape(len(values), -1).astype(np.float32)


def features_of_latents(chosen: Feature, latents: np.ndarray, generator: Generator) -> Blocks:
    """Yield latents, styles or activations of a layer of the generator, block by block, float32, shape (n, feature).

    Raises
    ------
    DataError
        When the generator has no such latents.
    GeneratorError
        When it has no such layer.
    """
    normal = getattr(generator, "normal_latents", True)
    if chosen.name == "z" and not normal:
        fault = "the study's latents are styles, from which z cannot be had"
        raise DataError("encoding.features", fault, "Give z as a file in encoding.files")
    if chosen.name == "z" or (chosen.name == "w" and not normal):
        yield latents.astype(np.float32)
    elif chosen.name == "w":
        if not hasattr(generator, "styles"):
            raise DataError("encoding.features", "the study's generator has no styles w", "Take w out")
        weight = next(iter(generator.parameters()))
        with torch.no_grad():
            yield generator.styles(torch.as_tensor(latents).to(weight.device, torch.float32)).float().cpu().numpy()
    else:
        for block in generate(generator, latents, chosen.name.removeprefix("generator-")):
            yield block.reshape(len(block), -1)


def features_of_file(path: str | Path, stimuli: Stimuli) -> Blocks:
    """Yield features that a file holds, in the order of the stimuli.

    Parameters
    ----------
    path : path
        HDF5 with the datasets ``features``, (stimulus, ...), and ``stimuli``, their names; more stimuli than the
        study's may be in it.

    Raises
    ------
    DataError
        When the file is damaged, or a stimulus is missing.
    """
    try:
        with h5py.File(path, "r") as file:
            if "features" not in file or "stimuli" not in file:
                raise DataError(path, "it lacks the datasets 'features' and 'stimuli'", "Write both")
            names = [str(name) for name in file["stimuli"].asstr()[:]]
            row = {name: place for place, name in enumerate(names)}
            missing = [name for name in stimuli.names if name not in row]
            if missing or len(names) != len(file["features"]):
                fault = (
                    f"stimulus {missing[0]} is not in it" if missing else "its features and stimuli differ in number"
                )
                raise DataError(path, fault, "Write the features of all stimuli")
            for name in stimuli.names:
                yield np.asarray(file["features"][row[name]], np.float32).reshape(1, -1)
    except (OSError, TypeError) as fault:
        raise DataError(path, f"it cannot be read as HDF5 ({fault})", "Write it again") from fault


def write_features(path: str | Path, blocks: Blocks, stimuli: Stimuli, **attributes: object) -> tuple[int, int]:
    """Write features as they come: HDF5 with ``features`` (stimulus, feature), float32, and ``stimuli``.

    Returns
    -------
    tuple of int
        Shape of the features.

    Raises
    ------
    DataError
        When one is not finite.
    """
    count, written = len(stimuli.names), 0
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        first = next(blocks)
        width = first.shape[1]
        # read by columns, written by rows
        chunks = (min(count, 64), min(width, 2048))
        data = file.create_dataset("features", (count, width), np.float32, chunks=chunks)
        for block in chain([first], blocks):
            if not np.isfinite(block).all():
                name = stimuli.names[written + int(np.flatnonzero(~np.isfinite(block).all(axis=1))[0])]
                raise DataError(path, f"a feature of stimulus {name} is not finite", "Correct the weights or the file")
            data[written : written + len(block)] = block
            written += len(block)
        if written != count:
            raise ValueError(f"{path}: features of {written} stimuli where {count} were announced")
        file.create_dataset("stimuli", data=np.array(stimuli.names, object), dtype=h5py.string_dtype())
        for name, labels in {"features": ("stimulus", "feature"), "stimuli": ("stimulus",)}.items():
            for axis, label in enumerate(labels):
                file[name].dims[axis].label = label
        file.attrs.update(attributes)
    return count, width


def _looker(chosen: Feature, weights: str | Path | None, device: torch.device) -> Callable[[np.ndarray], np.ndarray]:
    if weights is None:
        setting = f"encoding.weights.{chosen.weights}"
        raise DataError(setting, f"{chosen.name} needs a file of weights", "Give its path")
    match = VGG.fullmatch(chosen.name)
    if match:
        network, layer, depth = load_vgg16(weights), f"pool{match[2]}", int(match[2])
    else:
        network, layer, depth = load_clip(weights), "embedding", 0
    network.to(device)
    resampling = _RESAMPLING[chosen.name.rstrip("-12345")]

    def look(images: np.ndarray) -> np.ndarray:
        found = network.activations(_resized(images, network, resampling), [layer])[layer]
        return halve(torch.from_numpy(found)).numpy() if depth in (1, 2) else found

    return look


def _resized(images: np.ndarray, network: Looker, resampling: Image.Resampling) -> np.ndarray:
    """Images as a whole at the network's size, by the published interpolation."""
    size = getattr(network.prepare, "size", None)
    if size is None or images.shape[1:3] == (size, size):
        return images
    return np.stack([np.array(Image.fromarray(image).resize((size, size), resampling)) for image in images])


def halve(maps: Tensor) -> Tensor:
    """Down-sample maps, shape (n, channel, height, width), to half their height and width, as published.

    A Gaussian of 2 x 2 samples at (+-1, +-1) and sigma 1, which is 1/e at each, convolved over a map with zeros before
    its first row and column; every second row and column from the first on is kept.
    """
    return avg_pool2d(pad(maps, (1, 0, 1, 0)), 2, 2) * (4 * float(np.exp(-1.0)))
