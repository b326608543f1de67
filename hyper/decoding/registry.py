"""Decoders by kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hyper.decoding.base import Decoder
from hyper.decoding.dense import DenseDecoder
from hyper.decoding.ensemble import MEMBERS, EnsembleDecoder
from hyper.decoding.files import describe
from hyper.decoding.linear import LinearDecoder
from hyper.decoding.released import ChainerDecoder
from hyper.errors import DataError, SettingsError
from hyper.generators.base import Generator

KINDS: dict[str, type[LinearDecoder] | type[EnsembleDecoder] | type[ChainerDecoder]] = {
    **MEMBERS,
    EnsembleDecoder.kind: EnsembleDecoder,
    ChainerDecoder.kind: ChainerDecoder,
}


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


def equip_decoder(
    decoder: Decoder, load: Callable[[], Generator], checkpoint: Path, code: str = "", threads: int | None = None
) -> None:
    """Give a decoder, before it is fitted, what only some need.

    Parameters
    ----------
    decoder : Decoder
    load : callable
        Returns the generator; called for a decoder whose loss goes through it.
    checkpoint : Path
        Where a long training is kept, to go on from when it is interrupted.
    code : str
        Version of the code; what another version kept is not gone on with.
    threads : int, optional
        Of a training that is shared out; as many as torch may use when not given. The result does not depend on it.
    """
    if isinstance(decoder, EnsembleDecoder):
        for number, member in enumerate(decoder.members, start=1):
            equip_decoder(member, load, checkpoint.with_name(f"member-{number}_{checkpoint.name}"), code, threads)
    if isinstance(decoder, DenseDecoder):
        decoder.checkpoint, decoder.code, decoder.threads = checkpoint, code, threads
        if decoder.settings["layer"] is not None:
            decoder.generator = load()


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
