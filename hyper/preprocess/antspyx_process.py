"""What `hyper.preprocess.antspyx` starts: ``python -m hyper.preprocess.antspyx_process TASK GIVEN.npz MADE.npy``."""

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

_FLIP = np.array([-1.0, -1.0, 1.0])


def register(given: Mapping[str, np.ndarray]) -> np.ndarray:
    """See `hyper.preprocess.antspyx.register_by_ants`."""
    import ants
    import pandas as pd

    static = _image(given["static"], given["static_affine"])
    moving = _image(given["moving"], given["moving_affine"])
    iterations = tuple(int(number) for number in given["iterations"])
    options: dict[str, Any] = {"type_of_transform": "Affine"}
    if recipe := str(given["recipe"]):
        options = {"type_of_transform": recipe}
    elif iterations:
        options = {"type_of_transform": "SyN", "syn_metric": "CC", "syn_sampling": int(given["radius"])}
        options["reg_iterations"] = iterations
    found = ants.registration(static, moving, **options)["fwdtransforms"]
    points = pd.DataFrame(given["points"].T * _FLIP, columns=["x", "y", "z"])
    return (ants.apply_transforms_to_points(3, points, found)[["x", "y", "z"]].to_numpy() * _FLIP).T


def correct(given: Mapping[str, np.ndarray]) -> np.ndarray:
    """See `hyper.preprocess.antspyx.correct_by_n4`."""
    import ants

    mask = _image(given["mask"], given["affine"])
    return ants.n4_bias_field_correction(_image(given["volume"], given["affine"]), mask=mask).numpy()


def _image(values: np.ndarray, affine: np.ndarray) -> Any:
    """ITK counts world coordinates from right to left and from front to back."""
    import ants

    columns = _FLIP[:, None] * affine[:3]
    spacing = np.linalg.norm(columns[:, :3], axis=0)
    place = {"origin": columns[:, 3].tolist(), "spacing": spacing.tolist(), "direction": columns[:, :3] / spacing}
    return ants.from_numpy(np.ascontiguousarray(values, np.float32), **place)


def main() -> None:
    """Run one task."""
    task, source, target = sys.argv[1:]
    with np.load(source, allow_pickle=False) as given:
        np.save(target, {"register": register, "correct": correct}[task](given))


if __name__ == "__main__":
    main()
