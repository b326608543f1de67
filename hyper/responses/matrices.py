"""Response matrices: single training trials, test stimuli averaged over their repeats."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.responses.ceiling import noise_ceiling
from hyper.responses.maps import IDENTITY, RunMaps, fingerprints

_TRIAL = "trials/"


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
    test_trials : ndarray, shape (test_trial, voxel), float32, optional
        The single trials behind `test`: for noise ceilings, never for a decoder to learn from.
    test_trial_stimuli, test_trial_series : ndarray of str, optional
    ncsnr, reliability : ndarray, shape (voxel,), optional
        Noise ceiling from the test repeats (`hyper.responses.ceiling`).
    region, array : ndarray, shape (voxel,), optional
        Of electrodes: name of the region, and number of the implanted array.
    trials : DataFrame, optional
        Every trial, what became of it, and the SHA-256 of its values at the voxels (`PROVENANCE`).
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
    test_trials: np.ndarray | None = None
    test_trial_stimuli: np.ndarray | None = None
    test_trial_series: np.ndarray | None = None
    ncsnr: np.ndarray | None = None
    reliability: np.ndarray | None = None
    region: np.ndarray | None = None
    array: np.ndarray | None = None
    trials: pd.DataFrame | None = None

    @classmethod
    def of_matrices(
        cls,
        train: np.ndarray,
        test: np.ndarray,
        train_latents: np.ndarray,
        test_latents: np.ndarray,
        repeats: int,
        series: str,
        region: np.ndarray | None = None,
        array: np.ndarray | None = None,
    ) -> "Responses":
        """Take matrices of which nothing else is known.

        Stimuli are numbered in the order of the rows, the trials belong to one series, and the voxels have no place:
        `ijk` is -1 and `affine` nan.

        Parameters
        ----------
        train, test : ndarray, shape (trial or stimulus, voxel)
        train_latents, test_latents : ndarray, shape (trial or stimulus, latent)
        repeats : int
            Trials behind each row of `test`.
        series : str
            What the series is called.
        region, array : ndarray of str, optional
            Of each voxel.
        """
        mean, std = scaling_of(train)
        return cls(
            train=train.astype(np.float32, copy=False),
            test=test.astype(np.float32, copy=False),
            train_stimuli=numbered("train", len(train)),
            test_stimuli=numbered("test", len(test)),
            train_series=np.full(len(train), series),
            train_latents=train_latents,
            test_latents=test_latents,
            test_repeats=np.full(len(test), repeats),
            ijk=np.full((train.shape[1], 3), -1),
            affine=np.full((4, 4), np.nan),
            mean=mean,
            std=std,
            region=region,
            array=array,
        )

    def within(self, region: str) -> "Responses":
        """Keep the channels of one region.

        Raises
        ------
        DataError
            When no channel is of that region.
        """
        own = np.zeros(len(self.ijk), bool) if self.region is None else self.region == region
        if not own.any():
            raise DataError("responses", f"no channel is of the region {region!r}", "Correct dataset.implants.regions")
        parts: dict[str, np.ndarray] = {}
        for name, dimensions in (_DIMENSIONS | _OPTIONAL).items():
            values = getattr(self, name)
            if values is not None and "voxel" in dimensions:
                parts[name] = np.compress(own, values, axis=dimensions.index("voxel"))
        return replace(self, **parts)  # type: ignore[arg-type]

    def save(self, path: str | Path, **attributes: object) -> None:
        """Write HDF5 with named dimensions."""
        known = {name: getattr(self, name) for name in (*_DIMENSIONS, *_OPTIONAL)}
        dimensions = _DIMENSIONS | _OPTIONAL
        arrays = {name: (values, dimensions[name]) for name, values in known.items() if values is not None}
        if self.trials is not None:
            arrays |= {f"{_TRIAL}{name}": (self.trials[name].to_numpy(), ("trial",)) for name in self.trials}
        write_arrays(path, arrays, {"units": "z", "scaling": "mean and std of train", **attributes})

    @classmethod
    def load(cls, path: str | Path) -> "Responses":
        """Read what `save` wrote.

        Raises
        ------
        DataError
            When the file is no HDF5 file or lacks a dataset.
        """
        present = _names(path)
        wanted = [name for name in _OPTIONAL if name in present]
        columns = [name for name in present if name.startswith(_TRIAL)]
        arrays = read_arrays(path, [*_DIMENSIONS, *wanted, *columns])[0]
        trials = pd.DataFrame({name.removeprefix(_TRIAL): arrays.pop(name) for name in columns}) if columns else None
        return cls(**arrays, trials=trials)


PROVENANCE = [*IDENTITY, "selection", "scaling", "train_row", "test_row", "sha256"]
_DIMENSIONS: dict[str, tuple[str, ...]] = {
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
_OPTIONAL: dict[str, tuple[str, ...]] = {
    "test_trials": ("test_trial", "voxel"),
    "test_trial_stimuli": ("test_trial",),
    "test_trial_series": ("test_trial",),
    "ncsnr": ("voxel",),
    "reliability": ("voxel",),
    "region": ("voxel",),
    "array": ("voxel",),
}


def _names(path: str | Path) -> list[str]:
    found: list[str] = []
    try:
        with h5py.File(path, "r") as file:
            file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    except OSError as fault:
        raise DataError(path, f"it cannot be read as HDF5 ({fault})", "Run the rule that writes it again") from fault
    return found


def assemble(
    runs: Sequence[RunMaps],
    mask: np.ndarray,
    affine: np.ndarray,
    latents: np.ndarray,
    selection: pd.DataFrame | None = None,
    splits: int = 100,
    seed: int = 0,
) -> Responses:
    """Gather the responses of the active voxels over runs.

    Parameters
    ----------
    runs : sequence of RunMaps
    mask : ndarray of bool
        Active voxels, on the grid of the maps.
    affine : ndarray, shape (4, 4)
    latents : ndarray, shape (stimulus, latent)
    selection : DataFrame, optional
        The trials that the mask rests on (columns series and trial), for the record.
    splits : int
        Random halves for the reliability.
    seed : int

    Returns
    -------
    Responses
        Scaling from training trials only; a voxel that never varies keeps the scale 1.

    Raises
    ------
    DataError
        When there are no training or no test trials.
    """
    parts = [run.read(mask) for run in runs]
    values = np.concatenate([part[0] for part in parts])
    table = pd.concat([part[1] for part in parts], ignore_index=True)
    train, test = ((table["split"] == name).to_numpy() for name in ("train", "test"))
    if not train.any() or not test.any():
        fault = f"there are {train.sum()} training and {test.sum()} test trials"
        raise DataError("responses", fault, "Check the split of the stimuli (dataset.test_stimuli)")
    test_stimuli, test_row = np.unique(table["stimulus"][test].to_numpy(str), return_inverse=True)
    row_of = table[test].drop_duplicates("stimulus").set_index("stimulus")["latent_row"]
    shown, series = table["stimulus"].to_numpy(str), table["series"].to_numpy(str)
    ceiling = noise_ceiling(values[test], shown[test], series[test], splits, seed)
    mean, std = scaling_of(values[train])
    return Responses(
        train=values[train],
        test=average(values[test], test_row),
        train_stimuli=shown[train],
        test_stimuli=test_stimuli,
        train_series=series[train],
        train_latents=latents[table["latent_row"][train].to_numpy(int)],
        test_latents=latents[[int(row_of[name]) for name in test_stimuli]],
        test_repeats=np.bincount(test_row),
        ijk=np.array(np.nonzero(mask)).T,
        affine=affine,
        mean=mean,
        std=std,
        test_trials=values[test],
        test_trial_stimuli=shown[test],
        test_trial_series=series[test],
        ncsnr=ceiling.ncsnr,
        reliability=ceiling.reliability,
        trials=_provenance(table, values, selection, test_row),
    )


def scaling_of(train: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each voxel over training trials; 1 for a voxel that never varies."""
    std = train.std(axis=0, dtype=np.float64)
    return train.mean(axis=0, dtype=np.float64), np.where(std > 0, std, 1.0)


def numbered(split: str, count: int) -> np.ndarray:
    """Name stimuli in the order of the rows."""
    return np.array([f"{split}-{number:04d}" for number in range(1, count + 1)])


def average(values: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Mean over the trials of each stimulus, shape (stimulus, voxel), float32."""
    return np.stack([values[row == index].mean(axis=0, dtype=np.float64) for index in range(row.max() + 1)]).astype(
        np.float32
    )


def _provenance(
    table: pd.DataFrame, values: np.ndarray, selection: pd.DataFrame | None, test_row: np.ndarray
) -> pd.DataFrame:
    """One row per trial: identity, whether it chose voxels or scaled, its rows in the matrices (-1: none), its hash."""
    train, test = ((table["split"] == name).to_numpy() for name in ("train", "test"))
    used = set() if selection is None else set(zip(selection["series"].astype(str), selection["trial"], strict=True))
    rows = table[IDENTITY].astype({"series": str, "stimulus": str, "split": str}).reset_index(drop=True)
    rows["latent_row"] = rows["latent_row"].fillna(-1).astype(int)
    rows["trial"] = rows["trial"].astype(int)
    rows["selection"] = [int((s, t) in used) for s, t in zip(rows["series"], rows["trial"], strict=True)]
    rows["scaling"] = train.astype(int)
    rows["train_row"] = np.where(train, np.cumsum(train) - 1, -1)
    rows["test_row"] = -1
    rows.loc[test, "test_row"] = test_row
    rows["sha256"] = fingerprints(values)
    return rows[PROVENANCE]
