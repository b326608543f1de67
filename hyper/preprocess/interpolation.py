"""Values of a volume between its voxels: linear, cubic B-spline, windowed sinc.

A cubic B-spline through a volume that is nowhere negative can dip below zero beside a steep edge, and so does a
windowed sinc; what they give is then clipped at zero.
"""

import numpy as np
from scipy import ndimage

from hyper.io.spaces import apply_affine

INTERPOLATIONS = ("cubic", "linear", "lanczos")
_LOBES = 3
# (sqrt(3) - 2) ** 12 = 1e-7: so far from an edge the prefilter no longer knows of it
_REACH = {"linear": 2, "cubic": 12, "lanczos": _LOBES + 1}


def interpolate(
    volume: np.ndarray, to_voxels: np.ndarray, points: np.ndarray, method: str = "cubic"
) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate a volume, mirrored at its edges.

    Parameters
    ----------
    volume : ndarray, shape (x, y, z)
        Values that are not finite count as 0.
    to_voxels : ndarray, shape (4, 4)
        World to voxel indices.
    points : ndarray, shape (3, n)
        World coordinates, mm.
    method : {"cubic", "linear", "lanczos"}
        Cubic is by B-splines (Unser et al., 1993, IEEE Trans. Signal Processing 41, 821), lanczos a sinc of three lobes
        to each side under a window of the same form (Duchon, 1979, J. Applied Meteorology 18, 1016).

    Returns
    -------
    values : ndarray, shape (n,), float32
        0 outside the field of view.
    inside : ndarray of bool, shape (n,)
        Which points lie in the field of view: no further than half a voxel from the centre of one.
    """
    voxels = apply_affine(to_voxels, points)
    edge = np.array(volume.shape)[:, None] - 0.5
    inside: np.ndarray = np.all((voxels >= -0.5) & (voxels <= edge), axis=0)
    values = np.zeros(points.shape[1], np.float32)
    if not inside.any():
        return values, inside
    places = voxels if inside.all() else voxels[:, inside]
    low = np.maximum(np.floor(places.min(1)).astype(int) - _REACH[method], 0)
    high = np.ceil(places.max(1)).astype(int) + _REACH[method] + 1
    part = np.ascontiguousarray(volume[tuple(slice(first, last) for first, last in zip(low, high, strict=True))])
    if not np.isfinite(part.sum()):
        part = np.nan_to_num(part, nan=0.0, posinf=0.0, neginf=0.0)
    found = _sample(part.astype(np.float32, copy=False), places - low[:, None], method)
    values[inside] = np.maximum(found, 0) if part.min() >= 0 else found
    return values, inside


def _sample(volume: np.ndarray, places: np.ndarray, method: str) -> np.ndarray:
    if method == "lanczos":
        return _lanczos(volume, places)
    order = 3 if method == "cubic" else 1
    coefficients = ndimage.spline_filter(volume, order, output=np.float32, mode="mirror") if order > 1 else volume
    return ndimage.map_coordinates(coefficients, places, order=order, prefilter=False, mode="mirror", output=np.float32)


def _lanczos(volume: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Sum over the six neighbours along each axis; weights are scaled to sum to 1, so that a constant stays one."""
    padded = np.pad(volume, _LOBES, mode="reflect" if min(volume.shape) > _LOBES else "edge")
    first = np.floor(places).astype(np.intp)
    offsets = np.arange(1 - _LOBES, _LOBES + 1)[:, None]
    indices, weights = [], []
    for axis, size in enumerate(padded.shape):
        away = (places[axis] - first[axis]) - offsets
        weight = np.sinc(away) * np.sinc(away / _LOBES)
        weights.append((weight / weight.sum(0)).astype(np.float32))
        indices.append(np.clip(first[axis] + offsets + _LOBES, 0, size - 1))
    _, wide, deep = padded.shape
    flat, total = padded.ravel(), np.zeros(places.shape[1], np.float32)
    for x_index, x_weight in zip(indices[0] * (wide * deep), weights[0], strict=True):
        for y_index, y_weight in zip(indices[1] * deep, weights[1], strict=True):
            start, column = x_index + y_index, np.zeros_like(total)
            for z_index, z_weight in zip(indices[2], weights[2], strict=True):
                column += z_weight * flat.take(start + z_index)
            total += x_weight * y_weight * column
    return total
