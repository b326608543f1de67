"""Response matrices: single training trials, test stimuli averaged over their repeats."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.tables import read_table
from hyper.io.volumes import iterate_volumes


@dataclass
class Responses:
    """What the decoders learn from and are tested on.

    Attributes
    ----------
    train : ndarray, shape (train_trial, voxel), float32
        z of single trials.
    test : ndarray, shape (test_stimulus, voxel), float32
        z averaged over the repeats of a stimulus.
    train_stimuli, test_stimuli, train_series : ndarray of str
    train_latents, test_latents : ndarray, shape (trial or stimulus, latent)
    test_repeats : ndarray of int
        Trials behind each row of `test`.
    ijk : ndarray, shape (voxel, 3)
    affine : ndarray, shape (4, 4)
    mean, std : ndarray, shape (voxel,)
        Of `train` alone.
    """

    train: np.ndarray
    test: np.ndarray
    train_stimuli: np.ndarray
    test_stimuli: np.ndarray
    train_series: np.ndarray
    train_latents: np.ndarray
    test_latents: np.ndarray
    test_repeats: np.ndarray
    ijk: np.ndarray
    affine: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    _DIMENSIONS = {
        "train": ("train_trial", "voxel"),
        "test": ("test_stimulus", "voxel"),
        "train_stimuli": ("train_trial",),
        "test_stimuli": ("test_stimulus",),
        "train_series": ("train_trial",),
        "train_latents": ("train_trial", "latent"),
        "test_latents": ("test_stimulus", "latent"),
        "test_repeats": ("test_stimulus",),
        "ijk": ("voxel", "axis"),
        "affine": ("row", "column"),
        "mean": ("voxel",),
        "std": ("voxel",),
    }

    def save(self, path: str | Path, **attributes: object) -> None:
        """Write HDF5 with named dimensions."""
        write_arrays(path, {name: (getattr(self, name), dims) for name, dims in self._DIMENSIONS.items()}, attributes)

    @classmethod
    def load(cls, path: str | Path) -> "Responses":
        """Read what `save` wrote."""
        return cls(**read_arrays(path, list(cls._DIMENSIONS))[0])


@dataclass(frozen=True)
class RunMaps:
    """The z-maps of a run and the table that names them (columns of the trials table, one row a volume)."""

    maps: Path
    trials: Path

    def read(self, mask: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
        """Return z inside the mask, shape (trial, voxel), and the table."""
        table = read_table(self.trials, dtype={"stimulus": str})
        values = np.concatenate([block[mask] for block in iterate_volumes(self.maps)], axis=1).T
        if len(values) != len(table):
            raise DataError(self.maps, f"{len(values)} maps for {len(table)} trials", "Run the GLM of this run again")
        return values, table

    def read_training(self, mask: np.ndarray) -> np.ndarray:
        """Return z of the training trials inside the mask, shape (voxel, trial); maps of test trials are dropped."""
        values, table = self.read(mask)
        return values[(table["split"] == "train").to_numpy()].T


def assemble(runs: list[RunMaps], mask: np.ndarray, affine: np.ndarray, latents: np.ndarray) -> Responses:
    """Gather the responses of the active voxels over runs.

    Parameters
    ----------
    runs : list of RunMaps
    mask : ndarray of bool
        Active voxels, on the grid of the maps.
    affine : ndarray, shape (4, 4)
    latents : ndarray, shape (stimulus, latent)

    Returns
    -------
    Responses
        Scaling from training trials only; a voxel that never varies keeps the scale 1.
    """
    parts = [run.read(mask) for run in runs]
    values = np.concatenate([part[0] for part in parts]).astype(np.float32)
    table = pd.concat([part[1] for part in parts], ignore_index=True)
    train = (table["split"] == "train").to_numpy()
    test_stimuli = sorted(table["stimulus"][table["split"] == "test"].unique())
    members = [((table["stimulus"] == name) & (table["split"] == "test")).to_numpy() for name in test_stimuli]
    row = table.drop_duplicates("stimulus").set_index("stimulus")["latent_row"]
    std = values[train].std(axis=0, dtype=np.float64)
    return Responses(
        train=values[train],
        test=np.stack([values[own].mean(axis=0) for own in members]),
        train_stimuli=table["stimulus"][train].to_numpy(str),
        test_stimuli=np.array(test_stimuli, dtype=str),
        train_series=table["series"][train].to_numpy(str),
        train_latents=latents[table["latent_row"][train].to_numpy(int)],
        test_latents=latents[[int(row[name]) for name in test_stimuli]],
        test_repeats=np.array([own.sum() for own in members]),
        ijk=np.array(np.nonzero(mask)).T,
        affine=affine,
        mean=values[train].mean(axis=0, dtype=np.float64),
        std=np.where(std > 0, std, 1.0),
    )
