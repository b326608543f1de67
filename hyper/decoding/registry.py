"""Decoders by kind."""

from pathlib import Path
from typing import Any

from hyper.decoding.base import Decoder
from hyper.decoding.ensemble import MEMBERS, EnsembleDecoder
from hyper.decoding.linear import LinearDecoder, describe
from hyper.errors import DataError, SettingsError

KINDS: dict[str, type[LinearDecoder] | type[EnsembleDecoder]] = {**MEMBERS, EnsembleDecoder.kind: EnsembleDecoder}


def make_decoder(kind: str, seed: int, **settings: Any) -> Decoder:
    """Return an unfitted decoder.

    Parameters
    ----------
    kind : str
        Key of `KINDS`.
    seed : int
        For the kinds that draw random numbers.
    **settings
        Arguments of the decoder.

    Raises
    ------
    SettingsError
        When there is no such kind.
    """
    if kind not in KINDS:
        raise SettingsError("decoding.decoders", f"there is no kind {kind!r}", f"Choose one of {', '.join(KINDS)}")
    if KINDS[kind].random:
        settings["seed"] = seed
    return KINDS[kind](**settings)


def load_decoder(path: str | Path) -> Decoder:
    """Read a saved decoder of any kind.

    Raises
    ------
    DataError
        When the file is missing, damaged or of an unknown kind.
    """
    kind, _ = describe(path)
    if kind not in KINDS:
        raise DataError(path, f"it holds a decoder of the unknown kind {kind!r}", "Use the version that wrote it")
    return KINDS[kind].load(path)
