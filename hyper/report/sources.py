"""What the page is made of, as files and plain values."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from hyper.errors import DataError
from hyper.report.missing import Missing

_TYPES = {".png": "image/png", ".svg": "image/svg+xml", ".jpg": "image/jpeg", ".gif": "image/gif"}
_OF_RUNS = 1000, 0  # pixels at most, and no attempt without loss


@dataclass(frozen=True)
class FigureFile:
    """A figure on disk.

    Attributes
    ----------
    kind : str
        Which section it belongs to: motion, quality, registration, flicker, brain, carpet, design, voxels, ceiling,
        reliability, map, metrics, faces, reconstructions, interpolations, training, layers, surface, regions, edits,
        attributes, encoding, encodingmap, regional, curves, generalisation or frames.
    path : Path
        The file to embed, PNG or SVG.
    subject : str, optional
        None for a figure of the whole study.
    others : tuple of Path
        The same figure in other formats or for print, to link to.
    """

    kind: str
    path: Path
    subject: str | None = None
    others: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Sources:
    """Everything the page shows; what a study does not have stays empty.

    Attributes
    ----------
    study : str
    folder : Path
        The study's results; links to files are relative to its subfolder ``report``.
    subjects, decoders : sequence of str
    trials : mapping of str to Path
        How the data were read, JSON per subject.
    settings, defaults : mapping
        Every setting, and every default.
    versions : mapping
        From `hyper.report.provenance.collect_versions`.
    figures : sequence of FigureFile
    decoders_of : mapping of str to sequence of str
        Each subject's decoders, where some have not all.
    shown_of : mapping of str to sequence of str
        What is shown face by face: each subject's decoders, then baselines; the decoders where it is not given.
    images, latents : mapping of str to sequence of Path
        Per subject, parallel to its decoders.
    choices : mapping of str to Path
        Per subject, the table of decoders on left-out training runs.
    selections, audits, ceilings : mapping of str to Path
        Per subject: how voxels were chosen, the leakage audit, the noise ceiling.
    features : sequence of Path
        What networks make of the images, by subject and network.
    metrics, table1, truth, attributes : Path, optional
        Tables.
    over_time : mapping of str to (Path, Path, Path)
        Of animals with responses over time: tables of curves and of latencies, and the animation (GIF).
    animations : mapping of str to Path
        Per subject, a GIF from the faces decoded to those seen.
    maps : mapping of str to Path
        Summary of each subject's map of layers; its tables lie beside it.
    encodings : mapping of str to Path
        Table of each subject's features by region; other tables of the encoding models lie beside it.
    files : sequence of Path
        Deliverables to list.
    missing : sequence of Missing
        What the last run did not make, where it failed.
    """

    study: str
    folder: Path
    subjects: Sequence[str]
    decoders: Sequence[str]
    trials: Mapping[str, Path]
    settings: Mapping[str, Any]
    defaults: Mapping[str, Any]
    versions: Mapping[str, Any]
    figures: Sequence[FigureFile] = ()
    decoders_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    shown_of: Mapping[str, Sequence[str]] = field(default_factory=dict)
    images: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    latents: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    choices: Mapping[str, Path] = field(default_factory=dict)
    selections: Mapping[str, Path] = field(default_factory=dict)
    audits: Mapping[str, Path] = field(default_factory=dict)
    ceilings: Mapping[str, Path] = field(default_factory=dict)
    features: Sequence[Path] = ()
    metrics: Path | None = None
    table1: Path | None = None
    animations: Mapping[str, Path] = field(default_factory=dict)
    truth: Path | None = None
    attributes: Path | None = None
    over_time: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    maps: Mapping[str, Path] = field(default_factory=dict)
    encodings: Mapping[str, Path] = field(default_factory=dict)
    files: Sequence[Path] = ()
    missing: Sequence[Missing] = ()

    @property
    def share(self) -> bool:
        """Whether the page will be handed on."""
        return bool(self.settings.get("report", {}).get("share", False))

    @property
    def simulated(self) -> bool:
        """Whether the data were simulated."""
        return bool(self.settings.get("study", {}).get("simulated", False))

    @property
    def implanted(self) -> bool:
        """Whether the responses are those of implanted electrodes."""
        return self.settings.get("dataset", {}).get("implants") is not None

    @property
    def whole(self) -> bool:
        """Whether the study went beyond the general linear model."""
        return self.settings.get("study", {}).get("last_stage", "report") == "report"

    def figures_of(self, kind: str) -> list[FigureFile]:
        """Figures of one kind, in the order given."""
        return [figure for figure in self.figures if figure.kind == kind]

    def link(self, path: str | Path) -> str:
        """Address of a file as seen from the page; empty in a page that will be handed on without it."""
        return "" if self.share else "../" + self.name_of(path)

    def name_of(self, path: str | Path) -> str:
        """Name of a file within the study's results."""
        try:
            return Path(path).resolve().relative_to(self.folder.resolve()).as_posix()
        except ValueError:
            raise DataError(path, f"it does not lie below {self.folder}", "List files of this study only") from None


def embed_file(path: str | Path) -> str:
    """Return an image file as a data URI.

    Raises
    ------
    DataError
        When the file is missing or of another type.
    """
    path = Path(path)
    if path.suffix not in _TYPES:
        raise DataError(path, "it is no PNG, SVG, JPEG or GIF", "Give an image")
    try:
        return f"data:{_TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"
    except FileNotFoundError:
        raise DataError(path, "the figure does not exist", "Run the rule that draws it") from None


def embed(figure: FigureFile) -> str:
    """Return a figure of the page as a data URI; that of one run smaller, since a large study has hundreds of them."""
    return embed_figure(figure.path, *_OF_RUNS) if figure.kind == "carpet" else embed_figure(figure.path)


def embed_figure(path: str | Path, widest: int = 1600, lossless: int = 150_000) -> str:
    """Return a figure as a data URI of a fraction of its PNG's size: WebP, without loss where that is small enough.

    A drawing of lines (SVG) is embedded as it is.

    Parameters
    ----------
    path : path
        PNG or SVG file.
    widest : int
        Pixels along the longer side.
    lossless : int
        A figure that takes more bytes than this without loss is embedded with loss; 0 does not try.

    Raises
    ------
    DataError
        When the file is missing or no image.
    """
    if Path(path).suffix == ".svg":
        return embed_file(path)
    try:
        with Image.open(path) as picture:
            if getattr(picture, "is_animated", False):
                return embed_animation(path, quality=86)[0]
            image = picture.convert("RGB")
    except FileNotFoundError:
        raise DataError(path, "the figure does not exist", "Run the rule that draws it") from None
    except OSError as fault:
        raise DataError(path, f"it is no image ({fault})", "Delete it and run its rule again") from fault
    image.thumbnail((widest, widest), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    if lossless:
        image.save(buffer, "WEBP", lossless=True)
    if not 0 < buffer.tell() <= lossless:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=86, method=6)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def embed_animation(path: str | Path, quality: int = 75) -> tuple[str, str]:
    """Return an animation as a data URI, as WebP a fraction of its size, and its first frame as another.

    Raises
    ------
    DataError
        When the file is missing or no image.
    """
    try:
        with Image.open(path) as animation:
            frames, times = [], []
            for frame in ImageSequence.Iterator(animation):
                frames.append(frame.convert("RGB"))
                times.append(frame.info.get("duration", 100))
    except FileNotFoundError:
        raise DataError(path, "the animation does not exist", "Run the rule that draws it") from None
    except OSError as fault:
        raise DataError(path, f"it is no image ({fault})", "Delete it and run its rule again") from fault
    found = []
    for options in ({"save_all": True, "append_images": frames[1:], "duration": times, "loop": 0}, {}):
        buffer = io.BytesIO()
        frames[0].save(buffer, "WEBP", quality=quality, method=6, **options)
        found.append(f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}")
    return found[0], found[1]


def embed_picture(picture: np.ndarray, largest: int = 192) -> str:
    """Return an RGB picture as a data URI: PNG when it is small, else JPEG of at most `largest` pixels.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
    largest : int
        Pixels along the longer side.
    """
    image = Image.fromarray(np.ascontiguousarray(picture, np.uint8))
    buffer = io.BytesIO()
    if max(image.size) <= largest / 2:
        image.save(buffer, "PNG", optimize=True)
        return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    image.thumbnail((largest, largest), Image.Resampling.LANCZOS)
    image.save(buffer, "JPEG", quality=88)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"
