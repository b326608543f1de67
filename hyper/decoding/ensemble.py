"""Several decoders that answer as one."""

from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from hyper.decoding.base import Pair
from hyper.decoding.dense import DenseDecoder
from hyper.decoding.direction import DirectionDecoder
from hyper.decoding.files import read_tensors, settings_of, write_decoder
from hyper.decoding.least_squares import ComponentsDecoder, LeastSquaresDecoder
from hyper.decoding.linear import LinearDecoder
from hyper.decoding.noise_aware import NoiseAwareDecoder
from hyper.decoding.ridge import RidgeDecoder
from hyper.errors import DataError, SettingsError
from hyper.io.seeds import derive_seed

MEMBERS: dict[str, type[LinearDecoder]] = {
    decoder.kind: decoder
    for decoder in (
        DenseDecoder, RidgeDecoder, LeastSquaresDecoder, ComponentsDecoder, DirectionDecoder, NoiseAwareDecoder,
    )
}  # fmt: skip


class EnsembleDecoder:
    """Mean of the latents that several decoders decode.

    Parameters
    ----------
    members : list of dict
        Kind and settings of each.
    combine : {'direction', 'mean'}
        `direction` brings every member's latent to length 1 before the mean and gives the mean the members' mean
        length; so no member weighs more because it shrinks less. `mean` is the plain mean.
    seed : int
        For members that draw random numbers.
    """

    kind: ClassVar[str] = "ensemble"
    random: ClassVar[bool] = True

    def __init__(
        self, members: list[dict[str, Any]], combine: Literal["direction", "mean"] = "direction", seed: int = 0
    ) -> None:
        self.curve = pd.DataFrame()
        self.fitted = False
        self.members = [_make(member, derive_seed(seed, "member", str(i))) for i, member in enumerate(members)]
        if not self.members:
            raise SettingsError("decoding.decoders", "an ensemble has no members", "Name at least one")
        described = [{"kind": member.kind, **member.settings} for member in self.members]
        self.settings: dict[str, Any] = {"members": described, "combine": combine, "seed": seed}

    def fit(
        self,
        responses: np.ndarray,
        latents: np.ndarray,
        *,
        scaling: Pair | None = None,
        series: np.ndarray | None = None,
        watched: Pair | None = None,
    ) -> Self:
        """Fit every member (see `Decoder.fit`); the curve stacks theirs."""
        curves = []
        for member in self.members:
            member.fit(responses, latents, scaling=scaling, series=series, watched=watched)
            curves.append(member.curve.assign(member=member.kind))
        self.curve = pd.concat(curves, ignore_index=True)
        self.fitted = True
        return self

    def decode(self, responses: np.ndarray, n_repeats: np.ndarray | int | None = None) -> np.ndarray:
        """Decode raw responses, shape (stimulus, voxel)."""
        if not self.fitted:
            raise DataError("decoder", "it has not been fitted", "Fit or load it first")
        decoded = np.stack([member.decode(responses, n_repeats) for member in self.members])
        if self.settings["combine"] == "mean":
            return decoded.mean(axis=0)
        lengths = np.linalg.norm(decoded, axis=2, keepdims=True)
        directions = np.divide(decoded, lengths, out=np.zeros_like(decoded), where=lengths > 0)
        return directions.mean(axis=0) * lengths.mean(axis=0)

    def save(self, path: str | Path) -> None:
        """Write the members' tensors, each name behind the member's number, and all settings."""
        write_decoder(path, self.kind, self.settings, {name: getattr(*place) for name, place in self._places().items()})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote.

        Raises
        ------
        DataError
            When the file is missing, damaged or of another kind of decoder.
        """
        decoder = cls(**settings_of(path, cls.kind))
        places = decoder._places()
        for name, values in read_tensors(path, places).items():
            setattr(*places[name], values)
        decoder.fitted = True
        return decoder

    def _places(self) -> dict[str, tuple[LinearDecoder, str]]:
        """Member and attribute of each tensor in the file."""
        return {
            f"{number}.{name}": (member, name) for number, member in enumerate(self.members) for name in member.tensors
        }


def _make(member: dict[str, Any], seed: int) -> LinearDecoder:
    settings = dict(member)
    kind = settings.pop("kind", None)
    if kind not in MEMBERS:
        raise SettingsError(
            "decoding.decoders", f"{kind!r} cannot be a member of an ensemble", f"Choose from {', '.join(MEMBERS)}"
        )
    if MEMBERS[kind].random:
        settings.setdefault("seed", seed)
    return MEMBERS[kind](**settings)
