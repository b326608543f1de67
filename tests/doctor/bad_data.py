"""What shows in intermediate data alone: each line gives a decoder or the choice of voxels what they cannot use."""

import numpy as np
import pandas as pd

from hyper.decoding.registry import make_decoder
from hyper.preprocess.resampling import bold_mask
from hyper.responses.selection import best_voxels, describe

BOX = np.ones((4, 4, 4))
TRIALS, VOXELS, LATENTS = 40, 25, 7


def matrices():
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(TRIALS, LATENTS))
    return latents @ rng.normal(size=(LATENTS, VOXELS)) + rng.normal(size=(TRIALS, VOXELS)), latents


def fitted(change, kind="ridge"):
    def fit():
        responses, latents = change(*matrices())
        return make_decoder(kind, seed=1).fit(responses, latents).decode(responses[:2])

    return fit


def at(row, column, value, which=0):
    def change(*pair):
        pair[which][row, column] = value
        return pair

    return change


def scores(*values):
    return np.array(values, float)


# name: what is tried, what the message says
REFUSED_DATA = {
    "voxels: fewer usable than asked for": (
        lambda: best_voxels(scores(1, np.nan, 2), 3), "Set responses.voxels to 2 or fewer",
    ),
    "voxels: none usable": (lambda: best_voxels(scores(np.nan, np.nan), 1), "Look at the z-maps"),
    "voxels: none in the region": (
        lambda: best_voxels(scores(np.nan), 1, "within the region (1 voxels)"), "within the region (1 voxels)",
    ),
    "mask: runs that do not overlap": (
        lambda: bold_mask([BOX * (np.arange(4) < 2), BOX * (np.arange(4) > 1)], BOX > 0), "Look at registration.png",
    ),
    "mask: brain that no run covers": (lambda: bold_mask([BOX * 0], BOX > 0), "Look at registration.png"),
    "decoder: NaN in responses": (fitted(at(3, 4, np.nan)), "1 values are not finite"),
    "decoder: infinite latent": (fitted(at(3, 4, np.inf, 1)), "1 values are not finite"),
    "decoder: one trial": (fitted(lambda x, z: (x[:1], z[:1])), "1 trials are too few"),
    "decoder: rows that do not match": (fitted(lambda x, z: (x[:-1], z)), "39 responses for 40 latents"),
    "decoder: no voxels": (fitted(lambda x, z: (x[:, :0], z)), "the shape (40, 0) is that of no matrix"),
}  # fmt: skip


def tie():
    cut = best_voxels(scores(1, 3, 2, 2, 0, 2), 2)
    facts = {
        "method": "mean_z", "voxels": 2, "candidates": 6, "brain_voxels": 6, "region_voxels": None,
        "unusable_voxels": 0, "lowest_score": cut.lowest, "highest_score": cut.highest, "tied_at_the_cut": cut.tied,
        "tied_taken": cut.tied_taken, "chosen_at_or_below_zero": 0, "training_trials": 9,
    }  # fmt: skip
    return cut.chosen, describe(facts)


# name: what is tried (it gives what is made of it, and sentences that are said), a sentence among them
READ_DATA = {
    "voxels: ties at the cut": (tie, "3 voxels tie at the cut: the first 1 in the order of the volume were taken"),
    "decoder: fewer trials than voxels": (lambda: (fitted(lambda x, z: (x[:9], z[:9]))(), []), None),
    "decoder: a latent that never varies": (lambda: (fitted(lambda x, z: (x, z * (np.arange(7) > 0)))(), []), None),
    "decoder: a voxel that never varies": (lambda: (fitted(lambda x, z: (x * (np.arange(25) > 0), z))(), []), None),
}  # fmt: skip


def tried(what):
    """What the message is, or what is said, of a case of either table."""
    made, said = what()
    assert np.isfinite(pd.DataFrame(np.atleast_2d(made)).to_numpy()).all()
    return said
