"""One seed a study; every random step derives its own from it and its name."""

import hashlib

import numpy as np


def derive_seed(seed: int, *names: str) -> int:
    """Return a 32-bit seed that depends on the study's seed and the step's name alone."""
    text = "/".join((str(seed), *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "little")


def generator_of(seed: int, *names: str) -> np.random.Generator:
    """Return NumPy's random generator for the named step."""
    return np.random.default_rng(derive_seed(seed, *names))
