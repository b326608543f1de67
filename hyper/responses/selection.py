"""The choice of voxels."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.io.tables import write_json, write_table
from hyper.io.volumes import write_image
from hyper.responses.maps import RunMaps, TrainingMaps
from hyper.responses.scores import score_voxels

log = logging.getLogger(__name__)
Named = str | Path


@dataclass(frozen=True)
class Cut:
    """The best voxels and what was decided where the line was drawn.

    Attributes
    ----------
    chosen : ndarray of int
        Indices, ascending.
    lowest, highest : float
        Scores of the last and the first that were taken.
    tied, tied_taken : int
        Voxels that score exactly as the last one taken, and how many of them were taken; equal without a tie.
    """

    chosen: np.ndarray
    lowest: float
    highest: float
    tied: int
    tied_taken: int


@dataclass(frozen=True)
class Selection:
    """Voxels chosen for the decoders.

    Attributes
    ----------
    mask : ndarray of bool, shape (x, y, z)
    score : ndarray, shape (x, y, z), float32
        0 outside the brain and where a voxel cannot be used.
    facts : dict
        How the choice was made, for the sidecar.
    trials : DataFrame
        The trials it rests on, with the SHA-256 of each map.
    """

    mask: np.ndarray
    score: np.ndarray
    facts: dict[str, Any]
    trials: pd.DataFrame

    def save(self, affine: np.ndarray, mask: Named, score: Named, facts: Named, trials: Named) -> None:
        """Write mask and score as NIfTI, the facts as JSON, the trials as TSV."""
        write_image(mask, self.mask.astype(np.uint8), affine)
        write_image(score, self.score, affine)
        write_json(facts, self.facts)
        write_table(trials, self.trials)


def select_voxels(
    runs: Sequence[RunMaps],
    brain: np.ndarray,
    region: np.ndarray | None,
    latents: np.ndarray,
    count: int,
    options: Mapping[str, Any],
    seed: int,
) -> Selection:
    """Choose the voxels with the highest score, from training trials alone.

    Parameters
    ----------
    runs : sequence of RunMaps
        Of all runs; maps of test trials are passed over.
    brain : ndarray of bool, shape (x, y, z)
    region : ndarray of bool, shape (x, y, z), optional
        Voxels to choose within; the whole brain when not given.
    latents : ndarray, shape (stimulus, latent)
    count : int
        How many to choose.
    options : mapping
        method, and the options of each (settings.Selection).
    seed : int

    Raises
    ------
    DataError
        When fewer voxels than asked for can be used, or the method has nothing to work with.
    """
    training = TrainingMaps(runs, brain)
    score = score_voxels(options["method"], training, latents, options, seed)
    candidates = usable_voxels(score, training.usable, brain, region)
    where = f"within the region ({int(region.sum())} voxels)" if region is not None else "in the brain"
    cut = best_voxels(np.where(candidates, score, np.nan), count, where)
    mask, volume = np.zeros(brain.shape, bool), np.zeros(brain.shape, np.float32)
    mask.flat[np.flatnonzero(brain)[cut.chosen]] = True
    volume[brain] = np.where(training.usable & np.isfinite(score), score, 0)
    facts: dict[str, Any] = {
        "method": options["method"],
        "voxels": count,
        "candidates": int(candidates.sum()),
        "brain_voxels": int(brain.sum()),
        "region_voxels": None if region is None else int(region.sum()),
        "unusable_voxels": int((~training.usable).sum()),
        "lowest_score": cut.lowest,
        "highest_score": cut.highest,
        "tied_at_the_cut": cut.tied,
        "tied_taken": cut.tied_taken,
        "chosen_at_or_below_zero": int((score[cut.chosen] <= 0).sum()),
        "training_trials": len(training.trials),
    }
    facts["in_words"] = describe(facts)
    for sentence in facts["in_words"]:
        log.info("%s", sentence)
    return Selection(mask, volume, facts, training.trials)


def usable_voxels(score: np.ndarray, usable: np.ndarray, brain: np.ndarray, region: np.ndarray | None) -> np.ndarray:
    """Which voxels of the brain may be chosen, shape (voxel,): they vary, have a score and lie in the region."""
    candidates = usable & np.isfinite(score)
    return candidates if region is None else candidates & region[brain]


def best_voxels(score: np.ndarray, count: int, where: str = "in the brain") -> Cut:
    """Find the `count` highest scores; among equals at the cut those win that come first (C order of the volume).

    Parameters
    ----------
    score : ndarray, shape (voxel,)
        NaN where a voxel cannot be used.
    count : int
    where : str
        For the message.

    Raises
    ------
    DataError
        When fewer voxels than asked for can be used.
    """
    usable = int(np.isfinite(score).sum())
    if usable < count:
        raise DataError(
            "responses.voxels",
            f"{count} voxels are asked for but only {usable} can be used {where}; the others never vary or are not "
            "finite",
            f"Set responses.voxels to {usable} or fewer, or give a larger region" if usable else "Look at the z-maps",
        )
    order = np.argsort(-np.where(np.isfinite(score), score, -np.inf), kind="stable")[:count]
    last = score[order[-1]]
    tied, taken = int((score == last).sum()), int((score[order] == last).sum())
    return Cut(np.sort(order), float(last), float(score[order[0]]), tied, taken)


_METHODS = {
    "mean_z": "mean z over the training trials",
    "reliability": "split-half reliability over repeated training stimuli",
    "encoding": "correlation of left-out training runs with their prediction from the latents",
}


def describe(facts: Mapping[str, Any]) -> list[str]:
    """Say in words how voxels were chosen, from the facts of the sidecar."""
    within = "the brain" if facts["region_voxels"] is None else f"a region of {facts['region_voxels']:,} voxels"
    sentences = [
        f"{facts['voxels']:,} of {facts['candidates']:,} usable voxels in {within}, by "
        f"{_METHODS[facts['method']]} ({facts['lowest_score']:.3g} to {facts['highest_score']:.3g}), from "
        f"{facts['training_trials']:,} training trials"
    ]
    if facts["tied_at_the_cut"] > facts["tied_taken"]:
        sentences.append(
            f"{facts['tied_at_the_cut']} voxels tie at the cut: the first {facts['tied_taken']} in the order of the "
            "volume were taken"
        )
    if facts["chosen_at_or_below_zero"]:
        sentences.append(
            f"{facts['chosen_at_or_below_zero']:,} of the chosen voxels score zero or less: fewer voxels may do better"
        )
    if facts["unusable_voxels"]:
        sentences.append(f"{facts['unusable_voxels']:,} voxels of the brain never vary and cannot be chosen")
    return sentences
