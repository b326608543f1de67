"""What linear decoders share: scaling of voxels, decoding, files."""

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from hyper.decoding.base import Pair, check_matrix, check_training
from hyper.decoding.files import read_tensors, settings_of, write_decoder
from hyper.errors import DataError


class LinearDecoder:
    """latent = weight @ ((response - mean) / std) + bias.

    Attributes
    ----------
    weight : ndarray, shape (latent, voxel)
    bias : ndarray, shape (latent,)
    mean, std : ndarray, shape (voxel,)
        Scaling of the training responses; 0 and 1 where the setting `scaling` is ``none``.
    """

    kind: ClassVar[str]
    random: ClassVar[bool] = False
    tensors: ClassVar[tuple[str, ...]] = ("weight", "bias", "mean", "std")

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.curve = pd.DataFrame()
        self.weight: np.ndarray = np.empty((0, 0))
        self.bias: np.ndarray = np.empty(0)
        self.mean: np.ndarray = np.empty(0)
        self.std: np.ndarray = np.empty(0)

    def fit(
        self,
        responses: np.ndarray,
        latents: np.ndarray,
        *,
        scaling: Pair | None = None,
        series: np.ndarray | None = None,
        watched: Pair | None = None,
    ) -> Self:
        """Learn from training trials (see `Decoder.fit`)."""
        check_training(responses, latents)
        if watched is not None:
            check_matrix("watched responses", watched[0], responses.shape[1])
            check_matrix("watched latents", watched[1], latents.shape[1])
        self._set_scaling(responses, scaling)
        self._weigh_voxels(self._scaled(responses), np.asarray(latents, np.float64))
        watched = None if watched is None else (self._scaled(watched[0]), watched[1])
        self._fit_scaled(self._scaled(responses), np.asarray(latents, np.float64), series, watched)
        return self

    def _weigh_voxels(self, responses: np.ndarray, latents: np.ndarray) -> None:
        """Change `std`, and so the weight of voxels, given scaled responses; most kinds do not."""

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        """Set `weight`, `bias` and `curve` from scaled responses."""
        raise NotImplementedError

    def decode(self, responses: np.ndarray, n_repeats: np.ndarray | int | None = None) -> np.ndarray:
        """Decode raw responses, shape (stimulus, voxel), to latents, float64; the number of repeats plays no part."""
        self._check_fitted()
        check_matrix("responses", responses, self.weight.shape[1])
        return self._scaled(responses) @ self.weight.T.astype(np.float64) + self.bias

    def save(self, path: str | Path) -> None:
        """Write tensors, kind and settings."""
        write_decoder(path, self.kind, self.settings, {name: getattr(self, name) for name in self.tensors})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            When the file is missing, damaged or of another kind of decoder.
        """
        decoder = cls(**settings_of(path, cls.kind))
        for name, values in read_tensors(path, cls.tensors).items():
            setattr(decoder, name, values)
        return decoder

    def _check_fitted(self) -> None:
        if not self.mean.size:
            raise DataError("decoder", "it has not been fitted", "Fit or load it first")

    def _set_scaling(self, responses: np.ndarray, scaling: Pair | None) -> None:
        voxels = responses.shape[1]
        if self.settings["scaling"] == "none":
            scaling = np.zeros(voxels), np.ones(voxels)
        elif scaling is None:
            std = responses.std(axis=0, dtype=np.float64)
            scaling = responses.mean(axis=0, dtype=np.float64), np.where(std > 0, std, 1.0)
        self.mean, self.std = (np.array(values, np.float64) for values in scaling)
        if self.mean.shape != (voxels,) or self.std.shape != (voxels,) or not (self.std > 0).all():
            raise DataError("scaling", f"it is no mean and positive std of {voxels} voxels", "Assemble the responses")

    def _scaled(self, responses: np.ndarray) -> np.ndarray:
        return (responses.astype(np.float64) - self.mean) / self.std
