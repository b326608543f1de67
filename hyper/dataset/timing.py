"""Repetition time: the sidecar's, with the header as a witness."""

from pathlib import Path
from typing import Any

import nibabel as nib

from hyper.dataset.layout import Run, sidecar_of, sidecar_paths
from hyper.errors import DatasetError
from hyper.io.tables import read_json
from hyper.io.volumes import load_image

_SECONDS_PER_UNIT = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def repetition_time(run: Run, override: float | None = None) -> tuple[float, list[str]]:
    """Return a run's repetition time in seconds and what is to be said about it.

    The setting wins over the sidecar, the sidecar over the header.

    Raises
    ------
    DatasetError
        When no source states a usable value.
    """
    header = _header_value(load_image(run.bold))
    if override is not None:
        return override, [f"{run.series}: repetition time {override:g} s as set (header: {header:g} s)"]
    sidecar = _sidecar_value(run)
    if sidecar is None:
        if not 0.1 <= header <= 20:
            raise DatasetError(
                run.bold,
                f"no sidecar states RepetitionTime and the header's {header:g} s is not usable",
                "Add RepetitionTime to the sidecar or set dataset.repetition_time",
            )
        return header, [f"{run.series}: no sidecar states RepetitionTime; the header's {header:g} s was taken"]
    if abs(header - sidecar) > 1e-3:
        witness = f"the header states a repetition time of {header:g} s, the sidecar {sidecar:g} s"
        return sidecar, [f"{run.series}: {witness}; the sidecar wins"]
    return sidecar, []


def _sidecar_value(run: Run) -> float | None:
    value: Any = sidecar_of(run).get("RepetitionTime")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.1 <= value <= 20:
        hint = " (milliseconds?)" if isinstance(value, (int, float)) and value > 20 else ""
        raise DatasetError(
            _stating(run),
            f"it states RepetitionTime {value!r:.40} for {run.bold.name}, which is no time in seconds{hint}",
            "Correct it or set dataset.repetition_time",
        )
    return float(value)


def _stating(run: Run) -> Path:
    """The nearest sidecar that states the repetition time."""
    return next(path for path in reversed(sidecar_paths(run)) if "RepetitionTime" in read_json(path))


def _header_value(image: nib.Nifti1Image) -> float:
    zooms = image.header.get_zooms()
    unit = image.header.get_xyzt_units()[1]
    return float(zooms[3]) * _SECONDS_PER_UNIT.get(unit, 1.0) if len(zooms) > 3 else 0.0
