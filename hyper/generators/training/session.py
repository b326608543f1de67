"""A training from its files: goes on where it stopped, logs, draws sheets, keeps the result."""

import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image

from hyper.errors import DataError
from hyper.generators.base import rounded_uint8
from hyper.generators.batches import generate
from hyper.generators.checkpoints.own import write_own
from hyper.generators.pggan import PGGAN
from hyper.generators.training import growth
from hyper.generators.training.trainer import Training
from hyper.io.atomic import atomic_path
from hyper.io.seeds import generator_of
from hyper.io.tables import read_table, write_table

_log = logging.getLogger(__name__)
_SHEET = 64


def train(training: Training, folder: str | Path, every: int = 5000, minutes: float | None = None) -> Path | None:
    """Train until the schedule ends or the time is up; call it again to go on.

    Parameters
    ----------
    training : Training
        A new one; its state is read from `folder` when there is one.
    folder : str or Path
        Gets ``state.pt``, ``training.tsv``, ``sheets/*.png`` and, as soon as the last level stands alone,
        ``generator.safetensors`` (half precision): the moving average at the last save.
    every : int
        Images between two rows of the table, sheets and saved states.
    minutes : float, optional
        Stop after so long, at the next save.

    Returns
    -------
    Path or None
        Of the generator; None when the time was up before the schedule's end.
    """
    folder = Path(folder)
    state, table, target = (folder / name for name in ("state.pt", "training.tsv", "generator.safetensors"))
    _restore(training, state)
    rows: list[dict] = read_table(table).query("images <= @training.seen").to_dict("records") if table.exists() else []
    began, total = time.monotonic(), training.recipe.schedule.images
    while training.seen < total:
        rows.append(_stretch(training, min(total, training.seen + every)))
        write_table(table, pd.DataFrame(rows))
        _save(training, state)
        draw_sheet(training.average, folder / "sheets" / f"{training.seen:09d}.png", training.recipe.seed)
        if training.finished:
            write_own(target, growth.finished(training.average), state, "hyper-training", torch.float16)
        _log.info("%s", "  ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()))
        if minutes is not None and time.monotonic() - began > 60 * minutes and training.seen < total:
            _log.info("time is up after %d of %d images; run the same command to go on", training.seen, total)
            return None
    return target


def draw_sheet(network: PGGAN, path: str | Path, seed: int, count: int = _SHEET) -> None:
    """Write a square of images from fixed latents as PNG."""
    latents = generator_of(seed, "sheet").standard_normal((count, network.latent_dim)).astype(np.float32)
    images = rounded_uint8(np.concatenate(list(generate(network, latents))))
    side = int(np.ceil(count**0.5))
    sheet = np.zeros((side * side, *images.shape[1:]), np.uint8)
    sheet[:count] = images
    height, width = images.shape[1:3]
    pixels = sheet.reshape(side, side, height, width, 3).swapaxes(1, 2).reshape(side * height, side * width, 3)
    with atomic_path(path) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG")


def _stretch(training: Training, until: int) -> dict[str, float]:
    began, start = time.monotonic(), training.seen
    sums: dict[str, torch.Tensor] = {}
    steps = 0
    while training.seen < until:
        for name, value in training.step().items():
            sums[name] = sums[name] + value if name in sums else value
        steps += 1
    row = {"images": training.seen, "pixels": training.size, "fade": training.critic.fade}
    row |= {name: float(value) / steps for name, value in sums.items()}
    row["images_per_second"] = (training.seen - start) / (time.monotonic() - began)
    if not np.isfinite(list(row.values())).all():
        raise DataError("training", f"its losses are not finite after {training.seen} images", "Lower --rate")
    return row


def _save(training: Training, path: Path) -> None:
    with atomic_path(path) as temporary:
        torch.save({"recipe": _plain(training)} | training.state(), temporary)


def _restore(training: Training, path: Path) -> None:
    if not path.exists():
        return
    try:
        state: dict[str, Any] = torch.load(path, map_location=training.device, weights_only=True)
        recipe = state["recipe"]
    except Exception as fault:
        raise DataError(path, f"it is no saved training ({type(fault).__name__})", "Remove it to begin anew") from fault
    if recipe != _plain(training):
        changed = [name for name, value in _plain(training).items() if recipe.get(name) != value]
        raise DataError(
            path, f"it was begun with another {', '.join(changed)}", "Use another folder, or the same options"
        )
    state["random"] = state["random"].cpu()
    training.restore(state)
    _log.info("going on after %d images", training.seen)


def _plain(training: Training) -> dict[str, Any]:
    return asdict(training.recipe)
