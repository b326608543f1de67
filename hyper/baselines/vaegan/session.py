"""A training from its files: goes on where it stopped, logs, draws a sheet, keeps the result."""

import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from hyper.baselines.vaegan.checkpoint import VERSION, write_vaegan
from hyper.baselines.vaegan.training import Training
from hyper.errors import DataError
from hyper.generators.identity import identity_of
from hyper.io.atomic import atomic_path
from hyper.io.tables import write_table

_log = logging.getLogger(__name__)
HELD_OUT = 64
_COLUMNS = 16


def train(training: Training, folder: str | Path, name: str, minutes: float | None = None) -> Path | None:
    """Train until all images were shown or the time is up; call it again to go on.

    Parameters
    ----------
    training : Training
        A new one; its state is read from `folder` when there is one of the same recipe and generator, and kept in the
        end, so that a finished training is not repeated.
    folder : str or Path
        Gets ``state.pt``, ``training.tsv``, ``sheet.png`` (held-out faces above what became of them) and, in the end,
        ``vaegan.safetensors``.
    name : str
        What the generator is called.
    minutes : float, optional
        Stop after so long, between two pools.

    Returns
    -------
    Path or None
        Of the result; None when the time was up before the end.
    """
    folder = Path(folder)
    state, target = folder / "state.pt", folder / "vaegan.safetensors"
    generator = identity_of(training.generator)
    key = {"version": VERSION, "generator": generator, "recipe": _plain(training)}
    rows = _restore(training, state, key)
    faces = training.held_out(HELD_OUT)
    began = time.monotonic()
    while not training.finished:
        rows.append(_row(training, faces))
        with atomic_path(state) as temporary:
            torch.save({"key": key, "rows": rows} | training.state(), temporary)
        _log.info("%s", "  ".join(f"{column} {value:.4g}" for column, value in rows[-1].items()))
        if minutes is not None and time.monotonic() - began > 60 * minutes and not training.finished:
            _log.info("time is up after %d of %d pools; do the same to go on", training.pool, training.recipe.pools)
            return None
    write_table(folder / "training.tsv", pd.DataFrame(rows))
    _draw_sheet(training, faces, folder / "sheet.png")
    write_vaegan(target, training.network, _plain(training), generator, name)
    return target


def pixel_correlation(true: np.ndarray, made: np.ndarray) -> float:
    """Correlation over pixels and colours of each image with its counterpart, averaged over images."""
    pairs = (np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(true, made, strict=True))
    return float(np.mean(list(pairs)))


def _row(training: Training, faces: np.ndarray) -> dict[str, float]:
    began = time.monotonic()
    losses = training.train_pool()
    recipe = training.recipe
    row: dict[str, float] = {"images": min(training.pool * recipe.pool, recipe.images), **losses}
    if not np.isfinite(list(row.values())).all():
        raise DataError("VAE-GAN", f"its losses are not finite after {row['images']} images", "Lower the rate")
    row["held_out_correlation"] = pixel_correlation(faces, _passed(training, faces))
    row["seconds"] = time.monotonic() - began
    return row


def _passed(training: Training, faces: np.ndarray) -> np.ndarray:
    return training.network.images(training.network.encode(faces), faces.shape[1])


def _draw_sheet(training: Training, faces: np.ndarray, path: Path) -> None:
    """Rows of held-out faces, each above its reconstructions."""
    made = _passed(training, faces)
    rows = []
    for start in range(0, len(faces), _COLUMNS):
        rows += [np.concatenate(list(images[start : start + _COLUMNS]), axis=1) for images in (faces, made)]
    with atomic_path(path) as temporary:
        Image.fromarray(np.concatenate(rows)).save(temporary, format="PNG")


def _restore(training: Training, path: Path, key: dict[str, Any]) -> list[dict[str, float]]:
    if not path.exists():
        return []
    try:
        state: dict[str, Any] = torch.load(path, map_location=training.device, weights_only=True)
        if state["key"] != key:
            _log.info("%s is of other settings or another generator: training starts anew", path)
            return []
        training.restore(state)
        rows = list(state["rows"])
    except Exception as fault:
        raise DataError(path, f"it is no saved training ({type(fault).__name__})", "Remove it to begin anew") from fault
    _log.info("going on after %d of %d pools", training.pool, training.recipe.pools)
    return rows


def _plain(training: Training) -> dict[str, Any]:
    return asdict(training.recipe) | {"channels": list(training.recipe.channels)}
