"""What the audit looks at, and one reading of all z-maps by code that selection and assembly do not use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hyper.errors import DataError
from hyper.io.volumes import iterate_volumes
from hyper.responses.maps import IDENTITY, Labelled, fingerprints, read_trials_table


@dataclass
class Evidence:
    """What the audit reads: everything that selection and assembly read, and what they wrote.

    Attributes
    ----------
    responses, mask, score, selection : path
        responses.h5; mask and score of the voxels (NIfTI); table of the trials that chose them.
    maps, tables : sequence of path
        z-maps of each run and their tables.
    trials : path
        The study's trials of this subject, as read from the events.
    brain : ndarray of bool, shape (x, y, z)
    region : ndarray of bool, shape (x, y, z), optional
    latents : ndarray, shape (stimulus, latent)
    active : ndarray of bool, shape (x, y, z)
        Content of `mask`.
    scored : ndarray, shape (x, y, z)
        Content of `score`.
    """

    responses: Path
    mask: Path
    score: Path
    selection: Path
    maps: Sequence[Path]
    tables: Sequence[Path]
    trials: Path
    brain: np.ndarray
    region: np.ndarray | None
    latents: np.ndarray
    active: np.ndarray
    scored: np.ndarray


class Reading:
    """One pass over all z-maps: training maps for the score, and of every trial the values at the active voxels.

    Attributes
    ----------
    table : DataFrame
        `IDENTITY`, and ``sha256`` of the map inside the brain.
    values : ndarray, shape (trial, active voxel), float32
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._tables: list[pd.DataFrame] = []
        self._values: list[np.ndarray] = []
        voxels = int(evidence.brain.sum())
        self.lowest, self.highest = np.full(voxels, np.inf, np.float32), np.full(voxels, -np.inf, np.float32)

    def __iter__(self) -> Iterator[Labelled]:
        """Yield the training maps of each run inside the brain."""
        evidence = self._evidence
        for maps, table_path in zip(evidence.maps, evidence.tables, strict=True):
            table = read_trials_table(table_path)[IDENTITY]
            inside, active, hashes = [], [], []
            for block in iterate_volumes(maps):
                for volume in np.moveaxis(block, 3, 0):
                    values = volume[evidence.brain]
                    active.append(volume[evidence.active])
                    hashes += fingerprints(values[None])
                    if table["split"].iloc[min(len(hashes), len(table)) - 1] == "train":
                        inside.append(values)
                        self.lowest, self.highest = np.minimum(self.lowest, values), np.maximum(self.highest, values)
            if len(hashes) != len(table):
                raise DataError(maps, f"{len(hashes)} maps for {len(table)} trials", "Run the GLM of this run again")
            self._values.append(np.array(active, np.float32))
            self._tables.append(table.assign(sha256=hashes))
            if inside:
                yield np.stack(inside), table[table["split"] == "train"].reset_index(drop=True)

    @property
    def table(self) -> pd.DataFrame:
        """All trials that were read."""
        return pd.concat(self._tables, ignore_index=True)

    @property
    def values(self) -> np.ndarray:
        """Their values at the active voxels."""
        return np.concatenate(self._values)


class Rows:
    """Which trials have given values at the active voxels."""

    def __init__(self, table: pd.DataFrame, values: np.ndarray) -> None:
        self.table, self.values = table, values
        self.split = table["split"].to_numpy(str)
        self.labels = list(zip(table["series"], table["stimulus"], strict=True))
        self.sha256 = fingerprints(values)
        self._owners: dict[str, list[int]] = {}
        for index, key in enumerate(self.sha256):
            self._owners.setdefault(key, []).append(index)

    def of(self, row: np.ndarray) -> list[int]:
        """Indices of the trials whose values are these, bit for bit."""
        return self._owners.get(fingerprints(row[None])[0], [])

    def name(self, index: int) -> str:
        """Name a trial, for messages."""
        row = self.table.iloc[index]
        return f"{row['series']} trial {row['trial']} ({row['split']}, stimulus {row['stimulus']})"
