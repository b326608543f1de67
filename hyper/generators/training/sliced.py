"""Sliced Wasserstein distance between two sets of images (Karras et al., 2018, section 5)."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hyper.errors import DataError
from hyper.io.seeds import generator_of

SMALLEST = 16
_PATCH = 7
_PATCHES = 128
_DIRECTIONS = 512


def sliced_wasserstein(first: np.ndarray, second: np.ndarray, seed: int = 0) -> dict[int, float]:
    """Distance of the distributions of small patches at each level of a Laplacian pyramid, times 1000.

    Of every image 128 patches of 7 x 7 pixels are taken at each level and normalised per colour over the whole set;
    the distance is the mean over 512 random directions of the mean absolute difference of the sorted projections.
    0 means equal; compare with that of two sets of real images of the same number, which is not 0.

    Parameters
    ----------
    first, second : ndarray of uint8, shape (n, 3, size, size)
        As many images in both.
    seed : int
        Of the patches and directions.

    Returns
    -------
    dict of int to float
        By the level's pixels a side, the finest first, down to 16.

    Raises
    ------
    DataError
        When the two differ in shape or the images are smaller than 16 pixels.
    """
    if first.shape != second.shape or first.ndim != 4 or first.shape[-1] < SMALLEST:
        shapes = f"{first.shape} and {second.shape}"
        raise DataError("images", f"{shapes} cannot be compared", f"Give two equal sets of {SMALLEST} pixels or more")
    pyramids = [_pyramid(torch.from_numpy(np.ascontiguousarray(images)).float()) for images in (first, second)]
    return {a.shape[-1]: _distance(a, b, seed) for a, b in zip(*pyramids, strict=True)}


def _pyramid(images: Tensor) -> list[Tensor]:
    levels = []
    while images.shape[-1] > SMALLEST:
        coarse = functional.avg_pool2d(images, 2)
        wide = functional.interpolate(coarse, scale_factor=2.0, mode="bilinear", align_corners=False)
        levels.append(images - wide)
        images = coarse
    return [*levels, images]


def _distance(first: Tensor, second: Tensor, seed: int) -> float:
    size = str(first.shape[-1])
    a = _descriptors(first, generator_of(seed, "patches", "first", size))
    b = _descriptors(second, generator_of(seed, "patches", "second", size))
    directions = generator_of(seed, "directions", size).standard_normal((a.shape[1], _DIRECTIONS)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=0)
    total = 0.0
    for at in range(0, _DIRECTIONS, 64):
        chosen = torch.from_numpy(directions[:, at : at + 64])
        total += float((a @ chosen).sort(0).values.sub_((b @ chosen).sort(0).values).abs_().mean(0).sum())
    return 1000 * total / _DIRECTIONS


def _descriptors(images: Tensor, random: np.random.Generator) -> Tensor:
    """Return patches as rows, normalised per colour, shape (128 n, 147)."""
    n, _, height, width = images.shape
    row = torch.from_numpy(random.integers(0, height - _PATCH + 1, (n, _PATCHES)))
    column = torch.from_numpy(random.integers(0, width - _PATCH + 1, (n, _PATCHES)))
    within = torch.arange(_PATCH)
    rows = (row[..., None] + within)[:, :, :, None]
    columns = (column[..., None] + within)[:, :, None, :]
    image = torch.arange(n)[:, None, None, None]
    patches = images.permute(0, 2, 3, 1)[image, rows, columns]  # (n, 128, 7, 7, 3)
    mean = patches.mean((0, 1, 2, 3))
    spread = patches.std((0, 1, 2, 3))
    return ((patches - mean) / spread.clamp_min(1e-6)).reshape(n * _PATCHES, -1)
