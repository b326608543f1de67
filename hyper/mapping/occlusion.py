"""Searchlight-occlusion: what each voxel's surroundings do for each layer."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from hyper.decoding.linear import LinearDecoder
from hyper.errors import DataError
from hyper.generators.base import Generator
from hyper.io.arrays import read_arrays, write_arrays
from hyper.io.seeds import generator_of
from hyper.mapping.interpolation import interpolate, steps
from hyper.mapping.layer import LayerErrors
from hyper.mapping.screening import UNLIKELY, Estimate, estimate, mean_levels, race, with_mean
from hyper.mapping.statistics import Measure, effects, permutation_statistics
from hyper.mapping.updates import Removal, latent_updates, removal, scaled_of
from hyper.responses.matrices import Responses

Mode = Literal["exact", "screened"]
BLOCK = 64  # cubes at a time

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Searchlight:
    """How voxels are removed and errors computed.

    Attributes
    ----------
    removal : {'mean', 'conditional'}
    measure : {'similarity', 'error'}
        What the statistics and the screening's choice of winners are about.
    mode : {'exact', 'screened'}
    mixed : bool
        Multiply in bfloat16 inside the generator.
    left : float
        Screened: share of the removals' squared steps that interpolation leaves unspanned.
    drawn : int
        Screened: cubes drawn at random that are computed, to learn what interpolation misses.
    confidence : float
        Screened: of the error bound.
    wrong : float
        Screened: expected share of voxels with another winner than if all were computed, at most.
    seed : int
        Of the cubes that are drawn.
    """

    removal: Removal = "mean"
    measure: Measure = "similarity"
    mode: Mode = "exact"
    mixed: bool = False
    left: float = 0.03
    drawn: int = 64
    confidence: float = 0.95
    wrong: float = 0.02
    seed: int = 0


@dataclass
class Occlusion:
    """Errors without the surroundings of voxels, and their standardised effects.

    Attributes
    ----------
    voxels : ndarray of int, shape (voxel,)
        Which of the mask's voxels.
    layers : ndarray of str, shape (layer,)
    errors : ndarray, shape (layer, voxel, stimulus)
        Mean squared error of the activation without the cube around a voxel.
    exact : ndarray of bool, shape (layer, voxel)
        Where `errors` were computed, not estimated.
    intact : ndarray, shape (layer, stimulus, stimulus)
        Errors with all voxels: of the prediction of a stimulus against the true activation of each.
    observed : ndarray, shape (layer, voxel)
        From `permutation_statistics`.
    highest : ndarray, shape (layer, permutation)
    bound : ndarray, shape (layer, voxel)
        Of the error of the mean effect; 0 where it was computed.
    evaluations : ndarray, shape (layer,)
        Latents that went through the generator.
    """

    voxels: np.ndarray
    layers: np.ndarray
    errors: np.ndarray
    exact: np.ndarray
    intact: np.ndarray
    observed: np.ndarray
    highest: np.ndarray
    bound: np.ndarray
    evaluations: np.ndarray

    _DIMENSIONS = {
        "voxels": ("voxel",),
        "layers": ("layer",),
        "errors": ("layer", "voxel", "stimulus"),
        "exact": ("layer", "voxel"),
        "intact": ("layer", "prediction", "stimulus"),
        "observed": ("layer", "voxel"),
        "highest": ("layer", "permutation"),
        "bound": ("layer", "voxel"),
        "evaluations": ("layer",),
    }

    def save(self, path: str | Path, **attributes: object) -> None:
        """Write HDF5 with named dimensions."""
        write_arrays(path, {name: (getattr(self, name), dims) for name, dims in self._DIMENSIONS.items()}, attributes)

    @classmethod
    def load(cls, path: str | Path) -> "Occlusion":
        """Read what `save` wrote."""
        return cls(**read_arrays(path, list(cls._DIMENSIONS))[0])

    def effects(self, measure: Measure) -> np.ndarray:
        """Effects, shape (layer, voxel, stimulus)."""
        pairs = zip(self.errors, np.diagonal(self.intact, axis1=1, axis2=2), strict=True)
        return np.stack([effects(own.astype(np.float64), whole, measure) for own, whole in pairs])

    @classmethod
    def gather(cls, parts: Sequence["Occlusion"]) -> "Occlusion":
        """Put chunks of voxels together, in the order of the voxels.

        Raises
        ------
        DataError
            When chunks are missing, doubled or of different decoders.
        """
        first = parts[0]
        voxels = np.concatenate([part.voxels for part in parts])
        order = np.argsort(voxels)
        if not np.array_equal(voxels[order], np.arange(len(voxels))):
            raise DataError("mapping", "chunks of voxels are missing or doubled", "Run the rule occlude again")
        for part in parts:
            if list(part.layers) != list(first.layers) or not np.allclose(part.intact, first.intact, atol=1e-5):
                raise DataError("mapping", "chunks come from different decoders", "Run the rule occlude again")

        def joined(name: str) -> np.ndarray:
            return np.concatenate([getattr(part, name) for part in parts], axis=1)[:, order]

        return cls(
            voxels[order], first.layers, joined("errors"), joined("exact"), first.intact, joined("observed"),
            np.max([part.highest for part in parts], axis=0), joined("bound"),
            np.sum([part.evaluations for part in parts], axis=0),
        )  # fmt: skip


def occlude(
    decoders: Sequence[LinearDecoder], generator: Generator, responses: Responses, cubes: np.ndarray,
    voxels: np.ndarray, orders: np.ndarray, searchlight: Searchlight,
) -> Occlusion:  # fmt: skip
    """Remove the cube around each of some voxels from the input of each layer's decoder.

    Parameters
    ----------
    decoders : sequence of LinearDecoder
        Each trained on one layer: their settings hold `layer` and `centre`.
    generator : Generator
    responses : Responses
    cubes : ndarray of int, shape (all voxels, largest)
        From `neighbourhoods.cubes`.
    voxels : ndarray of int, shape (voxel,)
        Which of them.
    orders : ndarray of int, shape (permutation, stimulus)
        From `statistics.permutations`.
    searchlight : Searchlight
    """
    runs = [_Layer(decoder, generator, responses, cubes[voxels], searchlight) for decoder in decoders]
    if searchlight.mode == "screened":
        observed, highest = _screen(runs, orders, searchlight)
    else:
        observed, highest = map(np.stack, zip(*(run.exactly(orders) for run in runs), strict=True))
    for run in runs:
        _log.info("%s: %d latents for %d voxels, %d stimuli", run.name, run.layer.seen, len(voxels), len(run.latents))
    return Occlusion(
        voxels, np.array([run.name for run in runs]), np.stack([run.errors for run in runs]),
        np.stack([run.exact for run in runs]), np.stack([run.intact for run in runs]), observed, highest,
        np.stack([run.bound for run in runs]), np.array([run.layer.seen for run in runs]),
    )  # fmt: skip


class _Layer:
    """One layer's decoder, its latents with all voxels, what the removals take away, and the errors found so far."""

    def __init__(
        self, decoder: LinearDecoder, generator: Generator, responses: Responses, cubes: np.ndarray, how: Searchlight
    ) -> None:
        self.name, self.measure = str(decoder.settings["layer"]), how.measure
        test, train = (scaled_of(decoder, values) for values in (responses.test, responses.train))
        removed = removal(how.removal, test, train)
        self.latents = (test @ decoder.weight.T.astype(np.float64) + decoder.bias).astype(np.float32)
        self.updates = latent_updates(decoder, removed, cubes)
        centre = decoder.settings.get("centre") or 1.0
        self.layer = LayerErrors(generator, self.name, responses.test_latents, centre, how.mixed)
        self.intact = self.layer.compute(self.latents)
        self.errors = np.empty(self.updates.shape[:2], np.float32)
        self.exact, self.bound = np.zeros(len(cubes), bool), np.zeros(len(cubes))

    def compute(self, cubes: np.ndarray | slice) -> np.ndarray:
        """Compute the errors of some cubes, shape (cube, stimulus, stimulus), and keep those of the right pairs."""
        paired = self.layer.compute(self.latents - self.updates[cubes])
        self.errors[cubes] = np.diagonal(paired, axis1=1, axis2=2)
        self.exact[cubes], self.bound[cubes] = True, 0.0
        return paired

    def statistics(self, paired: np.ndarray, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        values = effects(paired.astype(np.float64), self.intact, self.measure)
        return permutation_statistics(values, orders)

    def exactly(self, orders: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute all cubes."""
        found = []
        for block in _blocks(len(self.errors)):
            found.append(self.statistics(self.compute(block), orders))
        observed, highest = zip(*found, strict=True)
        return np.concatenate(observed), np.max(highest, axis=0)


class _Screened:
    """One layer in the screened mode: errors by interpolation, what it misses by the cubes that were computed."""

    def __init__(self, run: _Layer, orders: np.ndarray, drawn: np.ndarray, how: Searchlight) -> None:
        self.run, self.drawn, self.how = run, len(drawn), how
        found = interpolate(run.layer, run.latents, run.updates, how.left)
        observed, highest = [], []
        for block in _blocks(len(run.errors)):
            paired = np.stack([own.paired(block) for own in found], axis=1)
            beyond = np.stack([own.beyond[block] for own in found], axis=1)
            run.errors[block] = np.maximum(np.diagonal(paired, axis1=1, axis2=2) + beyond, 0)
            values, most = run.statistics(paired, orders)
            observed.append(values)
            highest.append(most)
        self.observed, self.highest = np.concatenate(observed), np.max(highest, axis=0)
        self.first = mean_levels(run.errors, run.measure)
        self.left = np.mean([own.left for own in found], axis=0)
        self.known, self.inner = np.empty(0, int), np.empty((len(run.errors), 0), np.float32)
        self.power = np.zeros(len(run.errors))
        for number, latent in enumerate(run.latents):
            self.power += np.square(steps(run.layer, latent, run.updates[:, number])).sum(axis=1)
        self.compute(drawn)

    def compute(self, cubes: np.ndarray) -> int:
        """Compute some cubes, but those that already were, and say how many."""
        cubes = cubes[~self.run.exact[cubes]]
        if not len(cubes):
            return 0
        for block in np.array_split(cubes, -(-len(cubes) // BLOCK)):
            self.run.compute(block)
        inner = np.zeros((len(self.first), len(cubes)), np.float32)
        for number, latent in enumerate(self.run.latents):
            own = steps(self.run.layer, latent, self.run.updates[:, number])
            inner += own @ own[cubes].T
        self.known, self.inner = np.concatenate([self.known, cubes]), np.hstack([self.inner, inner])
        return len(cubes)

    def estimate(self) -> Estimate:
        """Mean level without each cube."""
        exact = mean_levels(self.run.errors[self.known], self.run.measure)
        apart = self.power[:, None] + self.power[self.known] - 2 * self.inner
        apart = np.maximum(apart, 0) / max(float(self.power.mean()), 1e-30)
        return estimate(self.first, self.left, apart, self.known, exact, self.drawn, self.how.confidence)

    def finish(self, found: Estimate) -> None:
        """Shift the errors that were not computed to the estimated means."""
        run = self.run
        rest = np.flatnonzero(~run.exact)
        run.errors[rest] = with_mean(run.errors[rest], found.values[rest], run.measure)
        run.bound[rest] = found.bound[rest]


def _screen(runs: Sequence[_Layer], orders: np.ndarray, how: Searchlight) -> tuple[np.ndarray, np.ndarray]:
    """Interpolate; compute cubes, the least clear first, until few winners can be wrong."""
    count = len(runs[0].errors)
    drawn = generator_of(how.seed, "mapping", "drawn").choice(count, min(count, how.drawn), replace=False)
    layers = [_Screened(run, orders, drawn, how) for run in runs]
    intact = np.array([mean_levels(np.diagonal(run.intact), how.measure) for run in runs])
    unlikely = UNLIKELY
    while True:
        estimates = [layer.estimate() for layer in layers]
        state = race(estimates, intact, how.confidence)
        _log.info(
            "%.2f %% of the voxels computed, %.2f %% of the layers expected to be wrong",
            100 * np.mean([run.exact.mean() for run in runs]), 100 * state.wrong.mean(),
        )  # fmt: skip
        if state.wrong.mean() <= how.wrong:
            break
        doubtful = np.argsort(-state.wrong, kind="stable")[: max(BLOCK // 2, count // 100)]
        open_ = state.contenders(unlikely)[:, doubtful]
        if not sum(layer.compute(doubtful[own]) for layer, own in zip(layers, open_, strict=True)):
            unlikely = min(unlikely, how.wrong / len(layers))  # the most doubtful cube has a layer beyond this
    for layer, own in zip(layers, estimates, strict=True):
        layer.finish(own)
    return np.stack([layer.observed for layer in layers]), np.stack([layer.highest for layer in layers])


def _blocks(count: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, count)) for start in range(0, count, BLOCK)]
