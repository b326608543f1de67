"""The z-maps of runs as rows of a matrix, each row with the trial it belongs to and a fingerprint."""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.io.tables import read_table
from hyper.io.volumes import iterate_volumes, load_image

IDENTITY = ["series", "trial", "stimulus", "split", "latent_row"]
Labelled = tuple[np.ndarray, pd.DataFrame]


@dataclass(frozen=True)
class RunMaps:
    """The z-maps of a run and the table that names them (columns of the trials table, one row a volume)."""

    maps: Path
    trials: Path

    def read(self, mask: np.ndarray) -> Labelled:
        """Return z inside the mask, shape (trial, voxel), and the table.

        Raises
        ------
        DataError
            When the maps lie on another grid, or their number is not that of the trials.
        """
        table = read_trials_table(self.trials)
        shape = load_image(self.maps).shape
        if shape[:3] != mask.shape:
            raise DataError(self.maps, f"its grid {shape[:3]} is not the mask's {mask.shape}", "Run the GLM again")
        if len(shape) == 4 and shape[3] != len(table):
            raise DataError(self.maps, f"{shape[3]} maps for {len(table)} trials", "Run the GLM of this run again")
        values = np.empty((len(table), int(mask.sum())), np.float32)
        start = 0
        for block in iterate_volumes(self.maps):
            values[start : start + block.shape[3]] = block[mask].T
            start += block.shape[3]
        return values, table


@dataclass
class TrainingMaps:
    """The training trials of all runs, read one run at a time; what was handed out is on record.

    Parameters
    ----------
    runs : sequence of RunMaps
    mask : ndarray of bool, shape (x, y, z)
        Voxels to read.

    Attributes
    ----------
    record : list of DataFrame
        A table for each run that has been read: `IDENTITY` and the ``sha256`` of each map.
    lowest, highest : ndarray, shape (voxel,)
        Over the trials that were read; NaN where a value was not finite.
    """

    runs: Iterable[RunMaps]
    mask: np.ndarray
    record: list[pd.DataFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        voxels = int(self.mask.sum())
        self.lowest, self.highest = np.full(voxels, np.inf, np.float32), np.full(voxels, -np.inf, np.float32)

    def __iter__(self) -> Iterator[Labelled]:
        """Yield z, shape (trial, voxel), and the table of the training trials of each run that has any."""
        for run in self.runs:
            values, table = run.read(self.mask)
            training = (table["split"] == "train").to_numpy()
            if not training.any():
                continue
            values, table = values[training], table[training].reset_index(drop=True)
            self.record.append(table[IDENTITY].assign(sha256=fingerprints(values)))
            np.minimum(self.lowest, values.min(axis=0), out=self.lowest)
            np.maximum(self.highest, values.max(axis=0), out=self.highest)
            yield values, table

    @property
    def usable(self) -> np.ndarray:
        """Whether a voxel was finite in every trial and not the same in all, shape (voxel,)."""
        return self.highest > self.lowest

    @property
    def trials(self) -> pd.DataFrame:
        """The record of all runs in one table."""
        return pd.concat(self.record, ignore_index=True)


def read_trials_table(path: str | Path) -> pd.DataFrame:
    """Read the table of a run's maps.

    Raises
    ------
    DataError
        When it does not say which trial each map belongs to.
    """
    table = read_table(path, dtype={"series": str, "stimulus": str, "split": str})
    missing = [name for name in IDENTITY if name not in table]
    if missing:
        raise DataError(
            path, f"it has no column {missing[0]!r}: its maps are not of single trials", "Set glm.regressors: trial"
        )
    return table


def fingerprints(values: np.ndarray) -> list[str]:
    """SHA-256 of each row's values as little-endian float32."""
    rows = np.ascontiguousarray(values, dtype="<f4")
    return [hashlib.sha256(row.tobytes()).hexdigest() for row in rows]
