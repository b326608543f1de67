"""Simulated recordings of implanted electrodes: what is planted where and when, written in the published formats."""

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from hyper.encoding.simple import gabor_features
from hyper.generators.base import Generator, rounded_uint8
from hyper.generators.batches import generate
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.atomic import atomic_path
from hyper.io.seeds import generator_of
from hyper.responses.implants import NAMES, ChannelLayout

_RISE = 15.0  # ms, time constant of a response's rise
_FALL = 250.0  # ms, of its decay
_JITTER = 4.0  # ms, standard deviation of the latency within a region
_BLOCK = 32  # trials made at a time
_HEADER = "MATLAB 7.3 MAT-file, Platform: GLNXA64, Created by hyper (simulated) HDF5 schema 1.00 ."


@dataclass(frozen=True)
class Planted:
    """What the channels of a region respond to.

    Attributes
    ----------
    feature : str
        ``energy``, ``latent`` or the name of a layer of the generator.
    latency : float
        From the onset of the stimulus, ms.
    """

    feature: str
    latency: float


@dataclass(frozen=True)
class Trial:
    """A trial's course.

    Attributes
    ----------
    duration, onset, sampling : float
        In ms.
    noise, sample_noise : float
        Standard deviation of the noise of a response and of a sample, relative to what is planted.
    repeats : int
        Of the test stimuli, averaged.
    """

    duration: float = 300.0
    onset: float = 100.0
    sampling: float = 5.0
    noise: float = 2.0
    sample_noise: float = 6.0
    repeats: int = 10

    @property
    def time_ms(self) -> np.ndarray:
        """Samples, from the onset of the stimulus."""
        return np.arange(round(self.duration / self.sampling)) * self.sampling - self.onset


def draw_styles(count: int, latent_dim: int, offset: float, seed: int, split: str) -> np.ndarray:
    """Draw latents of unit variance about a mean that is not zero, as styles have, shape (count, latent).

    Parameters
    ----------
    count, latent_dim : int
    offset : float
        Root-mean-square of the mean over latent dimensions.
    seed : int
    split : str
        Training and test stimuli have the same mean and other draws.
    """
    centre = generator_of(seed, "implants", "mean latent").standard_normal(latent_dim)
    centre *= offset / np.sqrt(np.square(centre).mean())
    return (centre + generator_of(seed, "implants", split).standard_normal((count, latent_dim))).astype(np.float32)


def middle_layer(generator: Generator) -> str:
    """Name of the layer halfway between latent and image."""
    return generator.layers[len(generator.layers) // 2].name


def feature_of(generator: Generator, latents: np.ndarray, name: str) -> np.ndarray:
    """Compute a feature of the pictures that latents make.

    Parameters
    ----------
    generator : Generator
    latents : ndarray, shape (n, latent)
    name : str
        ``energy``: contrast energy, `hyper.encoding.simple.gabor_features`; ``latent``; or the name of a layer, of
        which the activation is averaged to at most 8 x 8.

    Returns
    -------
    ndarray of float32, shape (n, feature)
    """
    if name == "latent":
        return latents.astype(np.float32)
    if name == "energy":
        blocks = generate(generator, latents)
        return np.concatenate([gabor_features(rounded_uint8(block)) for block in blocks])
    activations = np.concatenate([_pooled(block) for block in generate(generator, latents, name)])
    return activations.reshape(len(latents), -1).astype(np.float32)


def _pooled(maps: np.ndarray) -> np.ndarray:
    """Means over squares, (n, channel, height, width) to at most 8 x 8."""
    if maps.ndim != 4:
        return maps
    n, channels, height, width = maps.shape
    down, across = max(1, height // 8), max(1, width // 8)
    return maps.reshape(n, channels, height // down, down, width // across, across).mean(axis=(3, 5))


def components_of(train: np.ndarray, test: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of the training features, at unit variance, and the test features on them."""
    mean = train.mean(axis=0, dtype=np.float64)
    centred = train - mean
    _, values, right = np.linalg.svd(centred, full_matrices=False)
    kept = right[: min(number, int((values > values[0] * 1e-6).sum()))]
    scores = centred @ kept.T
    spread = scores.std(axis=0)
    return scores / spread, (test - mean) @ kept.T / spread


def tune(
    features: Mapping[str, tuple[np.ndarray, np.ndarray]], layout: ChannelLayout, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Give each channel a random linear combination of its region's components, at unit variance in training.

    Parameters
    ----------
    features : mapping of str to (ndarray, ndarray)
        Training and test components, shape (n, component), of each region.
    layout : ChannelLayout
    seed : int

    Returns
    -------
    train, test : ndarray, shape (n, channel)
    """
    parts = []
    for region, count in layout.regions.items():
        train, test = features[region]
        weights = generator_of(seed, "implants", "tuning", region).standard_normal((train.shape[1], count))
        drive = train @ weights
        spread = drive.std(axis=0)
        parts.append((drive / spread, test @ weights / spread))
    return np.concatenate([part[0] for part in parts], axis=1), np.concatenate([part[1] for part in parts], axis=1)


def plant(
    generator: Generator,
    latents: tuple[np.ndarray, np.ndarray],
    planted: Mapping[str, Planted],
    layout: ChannelLayout,
    components: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """What each training and test picture evokes in each channel, without noise or time, shape (n, channel) each.

    Parameters
    ----------
    generator : Generator
    latents : tuple of ndarray, shape (n, latent)
        Of training and test pictures.
    planted : mapping of str to Planted
        By region.
    layout : ChannelLayout
    components : int
        Principal components of a feature that channels respond to.
    seed : int
    """
    every, count = np.concatenate(latents), len(latents[0])
    made = {name: feature_of(generator, every, name) for name in {region.feature for region in planted.values()}}
    features = {
        name: components_of(made[region.feature][:count], made[region.feature][count:], components)
        for name, region in planted.items()
    }
    return tune(features, layout, seed)


def courses(layout: ChannelLayout, planted: Mapping[str, Planted], trial: Trial, seed: int) -> np.ndarray:
    """Share of the drive that each channel shows at each sample, shape (channel, time); zero before its latency."""
    late = latencies(layout, planted, seed)
    since = trial.time_ms[None] - late[:, None]
    rising = (1 - np.exp(-np.maximum(since, 0) / _RISE)) * np.exp(-np.maximum(since, 0) / _FALL)
    return np.where(since > 0, rising, 0.0)


def latencies(layout: ChannelLayout, planted: Mapping[str, Planted], seed: int) -> np.ndarray:
    """Latency of each channel, shape (channel,), ms from the onset."""
    means = np.repeat([planted[name].latency for name in layout.regions], list(layout.regions.values()))
    return np.maximum(means + _JITTER * generator_of(seed, "implants", "latency").standard_normal(len(means)), 0)


def write_latents(path: str | Path, train: np.ndarray, test: np.ndarray) -> None:
    """Write the latents as the published ones are: a pickled mapping."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(pickle.dumps({"train": train, "test": test}, protocol=4))


def write_recording(
    path: str | Path, drives: tuple[np.ndarray, np.ndarray], layout: ChannelLayout, trial: Trial, seed: int
) -> None:  # fmt: skip
    """Write one response per trial and channel, normalised, as MATLAB 7.3 would, the broken array with noise alone."""
    noises = trial.noise, trial.noise / np.sqrt(trial.repeats)
    values = []
    for name, drive, noise in zip(NAMES, drives, noises, strict=True):
        values.append(drive + noise * generator_of(seed, "implants", name).standard_normal(drive.shape))
    mean, std = values[0].mean(axis=0), values[0].std(axis=0)
    with _matlab(path) as file:
        for name, responses in zip(NAMES, values, strict=True):
            wired = _wired((responses - mean) / std, layout, generator_of(seed, "implants", "broken", name))
            _label(file.create_dataset(name, data=wired.T.astype(np.float32)))


def write_timeseries(
    path: str | Path, drives: tuple[np.ndarray, np.ndarray], course: np.ndarray, layout: ChannelLayout, trial: Trial,
    seed: int,
) -> None:  # fmt: skip
    """Write responses over time, (time, channel, trial) in the file as MATLAB 7.3 has (trial, channel, time).

    Noise is white over channels and trials and correlated over neighbouring samples.
    """
    noises = trial.sample_noise, trial.sample_noise / np.sqrt(trial.repeats)
    with _matlab(path) as file:
        for name, drive, noise in zip(NAMES, drives, noises, strict=True):
            rng = generator_of(seed, "implants", "time", name)
            shape = course.shape[1], layout.wired, len(drive)
            dataset = file.create_dataset(name, shape, np.float32, chunks=(shape[0], shape[1], min(8, shape[2])))
            for start in range(0, len(drive), _BLOCK):
                part = drive[start : start + _BLOCK]
                samples = part[:, :, None] * course + noise * _smooth_noise(rng, (*part.shape, course.shape[1]))
                wired = _wired(samples, layout, rng)
                dataset[:, :, start : start + len(part)] = wired.transpose(2, 1, 0)
            _label(dataset)


def _smooth_noise(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Noise of unit variance, correlated by one half with the sample before."""
    white = rng.standard_normal((*shape[:-1], shape[-1] + 1))
    return (white[..., 1:] + white[..., :-1]) / np.sqrt(2)


def _wired(values: np.ndarray, layout: ChannelLayout, rng: np.random.Generator) -> np.ndarray:
    """Put the broken array back among the channels, axis 1."""
    if layout.broken is None:
        return values
    first, last = layout.broken
    noise = rng.standard_normal((len(values), last - first, *values.shape[2:]))
    return np.concatenate([values[:, :first], noise, values[:, first:]], axis=1)


def write_truth(
    path: str | Path, layout: ChannelLayout, planted: Mapping[str, Planted], course: np.ndarray, trial: Trial,
    seed: int,
) -> None:  # fmt: skip
    """Write what is planted in each channel: region, array, feature, latency and course."""
    features = np.array([planted[name].feature for name in layout.regions])
    arrays = {
        "region": (layout.region, ("channel",)),
        "array": (layout.arrays, ("channel",)),
        "feature": (np.repeat(features, list(layout.regions.values())), ("channel",)),
        "latency_ms": (latencies(layout, planted, seed), ("channel",)),
        "course": (course, ("channel", "time")),
        "time_ms": (trial.time_ms, ("time",)),
    }
    write_arrays(path, arrays, {"noise": trial.noise, "sample_noise": trial.sample_noise, "repeats": trial.repeats})


def planted_features(path: str | Path, exclude: Sequence[int] = ()) -> np.ndarray:
    """Name the feature planted in each channel as encoding models call it, from a file of `write_truth`.

    Parameters
    ----------
    path : str or Path
    exclude : sequence of int
        Channels that are left out, as of `ChannelLayout`.

    Returns
    -------
    ndarray of str, shape (channel,)
        ``gabor``, ``z`` or ``generator-`` and the name of a layer.
    """
    named = {"energy": "gabor", "latent": "z"}
    planted = read_arrays(path, ["feature"])[0]["feature"]
    return np.delete([named.get(str(name), f"generator-{name}") for name in planted], list(exclude))


@contextmanager
def _matlab(path: str | Path) -> Iterator[h5py.File]:
    """Write an HDF5 file behind the 512 bytes that MATLAB expects before it."""
    with atomic_path(path) as temporary:
        with h5py.File(temporary, "w", userblock_size=512) as file:
            yield file
        with open(temporary, "r+b") as start:
            start.write(_HEADER.ljust(116).encode() + bytes(8) + b"\x00\x02IM")


def _label(dataset: h5py.Dataset) -> None:
    dataset.attrs["MATLAB_class"] = np.bytes_("single")
