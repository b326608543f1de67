"""What was seen and what every method made of it, of all people: Figure 5 of the published study."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from hyper.io.arrays import read_arrays
from hyper.report.faces import draw_picture, folded, pictures
from hyper.report.names import predictor_label
from hyper.report.style import INK, MUTED, WIDTH, styled

Pictures = dict[str, np.ndarray]
_MODEL = "-model"
_MARGIN, _TITLE, _TEXT, _GAP = 0.85, 0.26, 0.13, 0.16  # inches


@dataclass(frozen=True)
class Panel:
    """One method: what it could do at best, and what it made of each person's responses.

    Attributes
    ----------
    title : str
    stimuli : dict of str to ndarray of uint8, shape (height, width, 3)
        By id.
    rows : dict of str to dict
        Label, and pictures by the ids of stimuli; a person who did not see one has none of it.
    """

    title: str
    stimuli: Pictures
    rows: dict[str, Pictures] = field(default_factory=dict)


def read_panels(
    labels: Sequence[tuple[str, str]], files: Sequence[str | Path], most: int | None = None, study: str = "HYPER"
) -> list[Panel]:
    """Read the decoders in one panel, and each baseline with its model in one.

    Parameters
    ----------
    labels : sequence of (subject, method)
        Of each subject first a decoder, then the baselines; the model of the baseline ``x`` is called ``x-model``.
    files : sequence of path
        images.h5, parallel to `labels`.
    most : int, optional
        Number of stimuli to keep of each file.
    study : str
        Whose method the decoder is; the title of its panel.
    """
    found = {tuple(label): path for label, path in zip(labels, files, strict=True)}
    subjects = list(dict.fromkeys(subject for subject, _ in found))
    own = {subject: [method for who, method in found if who == subject] for subject in subjects}
    first = {subject: methods[0] for subject, methods in own.items()}
    title = f"{study} ({', '.join(dict.fromkeys(map(predictor_label, first.values()))).lower()})"
    panels = [read_panel(title, {subject: found[subject, first[subject]] for subject in subjects}, (), most)]
    baselines = dict.fromkeys(name for names in own.values() for name in names[1:] if not name.endswith(_MODEL))
    for name in baselines:
        having = [subject for subject in subjects if name in own[subject]]
        models = [found[subject, name + _MODEL] for subject in having if name + _MODEL in own[subject]]
        panels.append(
            read_panel(predictor_label(name), {subject: found[subject, name] for subject in having}, models, most)
        )
    return panels


def read_panel(
    title: str, files: Mapping[str, str | Path], models: Sequence[str | Path] = (), most: int | None = None
) -> Panel:
    """Read what one method made of the stimuli.

    Parameters
    ----------
    title : str
    files : mapping of str to path
        images.h5 of each person.
    models : sequence of path
        images.h5 of the method's model of the stimuli, of each person who saw others.
    most : int, optional
        Number of stimuli to keep of each file.
    """
    stimuli: Pictures = {}
    for path in files.values():
        for name, picture in by_id(path, "stimulus", most).items():
            stimuli.setdefault(name, picture)
    rows: dict[str, Pictures] = {}
    for path in models:
        rows.setdefault("Model", {}).update(by_id(path, "reconstruction", most))
    rows |= {f"sub-{subject}": by_id(path, "reconstruction", most) for subject, path in files.items()}
    return Panel(title, stimuli, rows)


def by_id(path: str | Path, name: str, most: int | None) -> Pictures:
    """Pictures of one file by the ids of their stimuli."""
    ids = read_arrays(path, ["stimuli"], most)[0]["stimuli"]
    return dict(zip(map(str, ids), pictures(path, name, most), strict=True))


def draw_reconstructions(panels: Sequence[Panel], columns: int = 12) -> Figure:
    """Draw the panels A, B, ... below each other: stimuli, below them the model's and each person's reconstructions.

    Parameters
    ----------
    panels : sequence of Panel
        The first shows all its stimuli, in blocks; the others those of its first block.
    columns : int
        Stimuli side by side.
    """
    ids = list(panels[0].stimuli)
    columns = min(columns, len(ids))
    blocks = [[ids[start : start + columns] for start in range(0, len(ids), columns)], *[[ids[:columns]]] * len(panels)]
    size = (WIDTH - _MARGIN) / max(columns, 6)
    heights = [
        _TITLE + len(own) * (_TEXT + (1 + len(panel.rows)) * size) + (len(own) - 1) * _GAP / 2
        for panel, own in zip(panels, blocks, strict=False)
    ]
    width, height = _MARGIN + columns * size, sum(heights) + _GAP * (len(panels) - 1) + 0.05
    top = height
    with styled():
        figure = plt.figure(figsize=(width, height))
        for place, (panel, own, tall) in enumerate(zip(panels, blocks, heights, strict=False)):
            letter = chr(ord("A") + place)
            line = 1 - (height - top + _TITLE / 2) / height
            figure.text(0.06 / width, line, letter, size=11, weight="bold", va="center", color=INK)
            figure.text(_MARGIN / width, line, panel.title, size=8.5, weight="bold", va="center", color=INK)
            start = top - _TITLE
            for block in own:
                _draw_block(figure, panel, block, start, size)
                start -= _TEXT + (1 + len(panel.rows)) * size + _GAP / 2
            top -= tall + _GAP
    return figure


def _draw_block(figure: Figure, panel: Panel, ids: Sequence[str], top: float, size: float) -> None:
    """Draw these stimuli, their ids below them, and each row of the panel; `top` and `size` in inches."""
    width, height = figure.get_size_inches()
    for line, (label, found) in enumerate({"Stimulus": panel.stimuli, **panel.rows}.items()):
        bottom = top - (line + 1) * size - (_TEXT if line else 0)
        weight, colour = ("bold", INK) if line == 0 else ("normal", MUTED if label == "Model" else INK)
        at = ((_MARGIN - 0.1) / width, (bottom + size / 2) / height)
        figure.text(*at, folded(label), ha="right", va="center", weight=weight, color=colour)
        for column, name in enumerate(ids):
            if name in found:
                box = (_MARGIN + column * size, bottom, size)
                draw_picture(figure, found[name], box, name if line == 0 else "", line == 0)
