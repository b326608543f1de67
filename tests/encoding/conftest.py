"""An implant with known truth: arrays of 64 channels, each region tuned to a feature of its own."""

from dataclasses import dataclass

import numpy as np
import pytest

from hyper.encoding.kernels import gram

WIDTHS = {"early": 1500, "middle": 700, "late": 128}
ARRAYS = {"V1": 7, "V4": 4, "IT": 4}
PLANTED = dict(zip(ARRAYS, WIDTHS, strict=True))


@dataclass
class Implant:
    """Responses of 15 arrays, kernels of all stimuli by feature, and the feature planted in each channel."""

    train: np.ndarray
    test: np.ndarray
    regions: np.ndarray
    planted: np.ndarray
    strength: np.ndarray
    kernels: dict[str, np.ndarray]
    features: dict[str, np.ndarray]


def draw_implant(trials=1000, tests=100, seed=4) -> Implant:
    """Features that share a third of their variance; channels of every signal strength from none on."""
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((trials + tests, 60))
    features = {}
    for name, width in WIDTHS.items():
        # spectra fall as those of networks do
        spectrum = np.arange(1, min(width, 300) + 1) ** -0.5
        own = rng.standard_normal((trials + tests, len(spectrum))) * spectrum
        own[:, :60] += 0.7 * common * spectrum[:60]
        features[name] = own @ rng.standard_normal((len(spectrum), width)) / np.sqrt(width) + 0.5
    channels = [region for region, count in ARRAYS.items() for _ in range(64 * count)]
    strength = rng.uniform(0, 1, len(channels)) * (rng.random(len(channels)) < 0.8)
    responses = np.empty((trials + tests, len(channels)))
    for place, region in enumerate(channels):
        values = features[PLANTED[region]]
        signal = (values - values.mean(axis=0)) @ rng.standard_normal(values.shape[1])
        noise = rng.standard_normal(trials + tests)
        noise[trials:] /= 4  # test responses are means over 16 repeats
        responses[:, place] = strength[place] * signal / signal.std() + noise
    kernels = {name: gram(values.astype(np.float32)) for name, values in features.items()}
    planted = np.array([PLANTED[region] for region in channels])
    return Implant(
        responses[:trials], responses[trials:], np.array(channels), planted, strength, kernels,
        {name: values.astype(np.float32) for name, values in features.items()},
    )  # fmt: skip


@pytest.fixture(scope="session")
def implant() -> Implant:
    return draw_implant()
