"""Files of encoding models: kernels, responses as they are read for them, scores, maps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from hyper.encoding.kernels import Kernels, split_kernel
from hyper.encoding.names import map_label
from hyper.encoding.scores import best_features
from hyper.errors import DataError
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.tables import write_table
from hyper.io.volumes import write_voxels

REQUIRED = ("train", "test", "train_stimuli", "test_stimuli")
OPTIONAL = ("train_series", "region", "array", "ijk", "affine")


@dataclass(frozen=True)
class Measured:
    """Responses of a subject, of voxels or of channels of electrodes.

    Attributes
    ----------
    train : ndarray, shape (training trial, channel)
    test : ndarray, shape (test stimulus, channel)
    train_stimuli, test_stimuli : ndarray of str
    train_series : ndarray of str, shape (training trial,), optional
        Run of each trial.
    region : ndarray of str, shape (channel,), optional
    array : ndarray, shape (channel,), optional
        Label of the implanted array of each channel.
    ijk, affine : ndarray, optional
        Places of voxels.
    """

    train: np.ndarray
    test: np.ndarray
    train_stimuli: np.ndarray
    test_stimuli: np.ndarray
    train_series: np.ndarray | None = None
    region: np.ndarray | None = None
    array: np.ndarray | None = None
    ijk: np.ndarray | None = None
    affine: np.ndarray | None = None

    @property
    def placed(self) -> bool:
        """Whether the channels are voxels at known places."""
        return self.ijk is not None and self.affine is not None and bool(np.isfinite(self.affine).all())


def read_measured(path: str | Path) -> Measured:
    """Read a subject's responses.

    Raises
    ------
    DataError
        When a dataset is missing, or shapes contradict each other.
    """
    try:
        with h5py.File(path, "r") as file:
            present = [name for name in OPTIONAL if name in file]
    except OSError as fault:
        raise DataError(path, f"it cannot be read as HDF5 ({fault})", "Run the rule that writes it again") from fault
    found = Measured(**read_arrays(path, [*REQUIRED, *present])[0])
    lengths = {"train_stimuli": len(found.train), "test_stimuli": len(found.test)}
    channels = found.train.shape[1]
    for name, due in {**lengths, "region": channels, "array": channels, "ijk": channels}.items():
        values = getattr(found, name)
        if values is not None and len(values) != due:
            raise DataError(path, f"{name} has {len(values)} entries where {due} are due", "Write the file again")
    if found.test.shape[1] != channels:
        text = f"{found.test.shape[1]} test channels for {channels} training channels"
        raise DataError(path, text, "Write the file again")
    return found


def write_kernel(path: str | Path, kernel: np.ndarray, stimuli: Sequence[str], feature: str, width: int) -> None:
    """Write the kernel of all stimuli, with the name and number of its features."""
    arrays = {"kernel": (kernel, ("stimulus", "other_stimulus")), "stimuli": (np.array(stimuli), ("stimulus",))}
    write_arrays(path, arrays, {"feature": feature, "features": width})


def read_kernels(path: str | Path, measured: Measured, centre: bool) -> Kernels:
    """Read the kernel of a feature for the trials of a subject.

    Raises
    ------
    DataError
        When the kernel knows not all of the stimuli.
    """
    arrays, facts = read_arrays(path, ["kernel", "stimuli"])
    row = {str(name): place for place, name in enumerate(arrays["stimuli"])}
    wanted = [*map(str, measured.train_stimuli), *map(str, measured.test_stimuli)]
    missing = [name for name in wanted if name not in row]
    if missing:
        raise DataError(path, f"it knows no stimulus {missing[0]}", "Compute the features again")
    train, test = ([row[str(name)] for name in names] for names in (measured.train_stimuli, measured.test_stimuli))
    return split_kernel(arrays["kernel"], np.array(train), np.array(test), centre, int(facts["features"]))


def channel_table(
    names: Sequence[str], measured: Measured, regions: np.ndarray, r: np.ndarray, p: np.ndarray, corrected: np.ndarray,
    alpha: float,
) -> pd.DataFrame:  # fmt: skip
    """List the channels with the feature that predicts each best.

    Parameters
    ----------
    names : sequence of str, shape (feature,)
    measured : Measured
    regions : ndarray of str, shape (channel,)
    r, p, corrected : ndarray, shape (feature, channel)
    alpha : float
        Level of the corrected p.
    """
    best, every = best_features(r), np.arange(r.shape[1])
    table = pd.DataFrame({"channel": every + 1, "region": regions})
    if measured.array is not None:
        table["array"] = measured.array
    if measured.placed and measured.ijk is not None:
        table[["i", "j", "k"]] = measured.ijk
    table["feature"] = np.array(names)[best]
    table["r"], table["p"], table["p_corrected"] = r[best, every], p[best, every], corrected[best, every]
    table["significant"] = ((corrected[best, every] < alpha) & (r[best, every] > 0)).astype(int)
    for place, name in enumerate(names):
        table[f"r_{name}"] = r[place]
    return table


def write_encoding_maps(
    stem: str, channels: pd.DataFrame, names: Sequence[str], shape: tuple[int, ...], affine: np.ndarray
) -> None:
    """Write NIfTI maps: the best feature of every voxel and of the significant ones, and r of each feature.

    Parameters
    ----------
    stem : str
        Path before ``_desc-``.
    channels : DataFrame
        From `channel_table`, of voxels with places.
    names : sequence of str
        Features.
    shape : tuple of int
        Of the grid.
    affine : ndarray, shape (4, 4)
    """
    places = channels[["i", "j", "k"]].to_numpy()

    def write(name: str, values: np.ndarray, dtype: type) -> None:
        write_voxels(f"{stem}_desc-{name}.nii.gz", places, values, shape, affine, dtype)

    number = channels["feature"].map({name: place + 1 for place, name in enumerate(names)}).to_numpy()
    write("feature_dseg", number, np.int16)
    write("significantfeature_dseg", np.where(channels["significant"] == 1, number, 0), np.int16)
    table = pd.DataFrame({"index": range(1, len(names) + 1), "name": list(names)})
    write_table(f"{stem}_desc-feature_dseg.tsv", table)
    for name in names:
        write(f"{map_label(name)}_stat-r_statmap", channels[f"r_{name}"].to_numpy(), np.float32)


def write_scores(path: str | Path, names: Sequence[str], arrays: Mapping[str, np.ndarray], regions: np.ndarray) -> None:
    """Write the scores of every feature and channel, and what was predicted.

    Parameters
    ----------
    path : path
    names : sequence of str
    arrays : mapping of str to ndarray
        ``r``, ``p``, ``p_corrected``, ``penalty``, shape (feature, channel), and ``predicted``, shape (feature, test
        stimulus, channel).
    regions : ndarray of str, shape (channel,)
    """
    named = {
        key: (values, ("feature", "channel") if values.ndim == 2 else ("feature", "test_stimulus", "channel"))
        for key, values in arrays.items()
    }
    write_arrays(path, {"features": (np.array(names), ("feature",)), "region": (regions, ("channel",)), **named})
