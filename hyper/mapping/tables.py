"""From errors to maps: each voxel's layer, its significance and its certainty."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from hyper.io.spaces import apply_affine
from hyper.io.tables import write_table
from hyper.io.volumes import write_voxels
from hyper.mapping.occlusion import Occlusion
from hyper.mapping.statistics import (
    Measure,
    agreement,
    bootstrap_confidence,
    family_wise_p,
    groups_of,
    levels,
    permutation_statistics,
    similarity,
    winners,
)


@dataclass(frozen=True)
class Limits:
    """What counts as significant and as certain.

    Attributes
    ----------
    measure : {'similarity', 'error'}
        Effect that decides.
    alpha : float
        Family-wise level over voxels and layers.
    certain : float
        Least confidence of a certain winner.
    bootstrap : int
        Samples behind the confidence.
    seed : int
    """

    measure: Measure = "similarity"
    alpha: float = 0.05
    certain: float = 0.95
    bootstrap: int = 1000
    seed: int = 0


def voxel_table(found: Occlusion, ijk: np.ndarray, affine: np.ndarray, limits: Limits) -> pd.DataFrame:
    """Describe every voxel.

    Parameters
    ----------
    found : Occlusion
        Of all voxels.
    ijk : ndarray, shape (voxel, 3)
    affine : ndarray, shape (4, 4)
    limits : Limits

    Returns
    -------
    DataFrame
        i, j, k; x, y, z (mm); layer; p (of that layer, family-wise over voxels and layers); significant; confidence
        (of the bootstrap); certain; computed (whether the layers that could win were computed, not estimated); and for
        every layer similarity_loss, error_growth, z (standardised effect) and p (family-wise within the layer).
    """
    values = found.effects(limits.measure)
    best = winners(values)
    joint = family_wise_p(found.observed, found.highest.max(axis=0))
    table = pd.DataFrame(ijk, columns=["i", "j", "k"])
    table[["x", "y", "z"]] = apply_affine(affine, np.asarray(ijk, float).T).T.round(3)
    table["layer"] = np.asarray(found.layers)[best]
    table["p"] = joint[best, np.arange(len(best))]
    table["significant"] = table["p"] <= limits.alpha
    table["confidence"] = bootstrap_confidence(values, limits.bootstrap, limits.seed)
    table["certain"] = table["confidence"] >= limits.certain
    table["computed"] = found.exact[best, np.arange(len(best))]
    losses, growths = (found.effects(measure).mean(axis=2) for measure in ("similarity", "error"))
    for number, layer in enumerate(found.layers):
        table[f"similarity_loss_{layer}"] = losses[number]
        table[f"error_growth_{layer}"] = growths[number]
        table[f"z_{layer}"] = found.observed[number]
        table[f"p_{layer}"] = family_wise_p(found.observed[number], found.highest[number])
    return table


def layer_table(found: Occlusion, voxels: pd.DataFrame, orders: np.ndarray, measure: Measure) -> pd.DataFrame:
    """Describe every layer: how well its activation is decoded, and what it has on the map.

    Parameters
    ----------
    found : Occlusion
    voxels : DataFrame
        From `voxel_table`.
    orders : ndarray of int, shape (permutation, stimulus)
    measure : {'similarity', 'error'}

    Returns
    -------
    DataFrame
        layer; similarity (mean over stimuli of 1/(1+MSE) of decoded and true activations), sem; chance (mean over all
        pairings of predictions and stimuli); p (of the pairing); voxels, significant, certain (how many it has);
        latents_computed.
    """
    rows = []
    for number, layer in enumerate(found.layers):
        paired = similarity(found.intact[number].astype(np.float64))
        own = np.diagonal(paired)
        observed, highest = permutation_statistics(
            levels(found.intact[number].astype(np.float64), measure)[None], orders
        )
        chosen = voxels[voxels["layer"] == layer]
        rows.append(
            {
                "layer": layer,
                "similarity": own.mean(),
                "sem": own.std(ddof=1) / np.sqrt(len(own)),
                "chance": paired.mean(),
                "p": family_wise_p(observed, highest)[0],
                "voxels": len(chosen),
                "significant": int(chosen["significant"].sum()),
                "certain": int(chosen["certain"].sum()),
                "latents_computed": int(found.evaluations[number]),
            }
        )
    return pd.DataFrame(rows)


def summary(
    found: Occlusion, voxels: pd.DataFrame, runs: Sequence[Sequence[str]], edges: Sequence[int], limits: Limits
) -> dict[str, Any]:
    """Describe the map in a few numbers.

    Parameters
    ----------
    found : Occlusion
    voxels : DataFrame
        From `voxel_table`.
    runs : sequence of sequence of str
        Runs that showed each stimulus.
    edges : sequence of int
        Voxels along each axis of the cube.
    limits : Limits
    """
    groups, how = groups_of(runs)
    values = found.effects(limits.measure)
    chosen = voxels["significant"].to_numpy()
    share, kappa = agreement(values, groups)
    own_share, own_kappa = agreement(values[:, chosen], groups)
    return {
        "measure": limits.measure,
        "cube_voxels": [int(edge) for edge in edges],
        "voxels": len(voxels),
        "stimuli": int(values.shape[2]),
        "alpha": limits.alpha,
        "significant": int(chosen.sum()),
        "certain": int(voxels["certain"].sum()),
        "significant_and_certain": int((chosen & voxels["certain"]).sum()),
        "computed_share": float(found.exact.mean()),
        "largest_bound": float(found.bound.max(initial=0)),
        "split": how,
        "split_groups": len(groups),
        "split_agreement": _plain(share),
        "split_kappa": _plain(kappa),
        "split_agreement_significant": _plain(own_share),
        "split_kappa_significant": _plain(own_kappa),
    }


def write_maps(
    stem: str, voxels: pd.DataFrame, layers: Sequence[str], shape: tuple[int, ...], affine: np.ndarray
) -> None:
    """Write NIfTI maps: the layers, those of significant voxels, the effects, the confidence.

    Parameters
    ----------
    stem : str
        Path before ``_desc-``.
    voxels : DataFrame
        From `voxel_table`.
    layers : sequence of str
    shape : tuple of int
        Of the grid.
    affine : ndarray, shape (4, 4)
    """
    places = voxels[["i", "j", "k"]].to_numpy()

    def write(name: str, values: np.ndarray, dtype: type) -> None:
        write_voxels(f"{stem}_desc-{name}.nii.gz", places, values, shape, affine, dtype)

    number = voxels["layer"].map({layer: place + 1 for place, layer in enumerate(layers)}).to_numpy()
    write("layer_dseg", number, np.int16)
    write("significant_dseg", np.where(voxels["significant"], number, 0), np.int16)
    write("confidence_map", voxels["confidence"].to_numpy(), np.float32)
    names = pd.DataFrame({"index": range(1, len(layers) + 1), "name": list(layers)})
    write_table(Path(f"{stem}_desc-layer_dseg.tsv"), names)
    for layer in layers:
        write(f"{layer}_effect", voxels[f"similarity_loss_{layer}"].to_numpy(), np.float32)
        write(f"{layer}mse_effect", voxels[f"error_growth_{layer}"].to_numpy(), np.float32)


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
