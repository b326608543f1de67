"""One run of one simulated person, from the plan to the files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hyper.generators.presented import image_name
from hyper.io.arrays import write_arrays
from hyper.io.atomic import write_text
from hyper.io.seeds import generator_of
from hyper.io.volumes import write_series
from hyper.simulation.design import RunDesign, design_run, events_text
from hyper.simulation.motion import draw_motion
from hyper.simulation.phantom import Phantom
from hyper.simulation.scanner import acquire, place_scanner, response_courses


def simulate_run(
    phantom: Phantom,
    latents: np.ndarray,
    settings: Mapping[str, Any],
    seed: int,
    subject: str,
    series: str,
    bold: str | Path,
    events: str | Path,
    truth: str | Path,
) -> None:
    """Simulate one run and write its image, its events and what was planted.

    Parameters
    ----------
    phantom : Phantom
    latents : ndarray, shape (stimulus, latent)
    settings : mapping
        Settings simulation.
    seed : int
        The study's seed.
    subject, series : str
        Labels.
    bold, events, truth : path
        Outputs: int16 NIfTI, TSV, HDF5.
    """
    scanner, tr = settings["scanner"], settings["scanner"]["repetition_time"]
    run = design_run(settings["design"], tr, seed, subject, series)
    view = place_scanner(scanner, phantom, seed, subject)
    motion = draw_motion(settings["motion"], run.volumes, seed, subject, series)
    null = settings["response"]["null"]
    courses = response_courses(run.onsets, run.duration, run.volumes, tr)
    changes = (courses @ phantom.nodes.responses(latents, run.stimuli, null)).astype(np.float32)
    rng = generator_of(seed, "simulation", "noise", subject, series)
    blocks = acquire(phantom, view, motion, changes, settings["noise"], scanner["intensity"], rng)
    write_text(events, events_text(run))
    _write_truth(truth, run, motion, phantom.planted.responses(latents, run.stimuli, null), settings)
    write_series(bold, blocks, (*view.shape, run.volumes), view.affine, tr, np.int16)


def _write_truth(
    path: str | Path, run: RunDesign, motion: np.ndarray, responses: np.ndarray, settings: Mapping[str, Any]
) -> None:
    stimuli = np.array([Path(image_name(number)).stem for number in run.stimuli], dtype=object)
    write_arrays(
        path,
        {
            "motion": (motion, ("volume", "row", "column")),
            "onsets": (run.onsets, ("trial",)),
            "stimuli": (stimuli, ("trial",)),
            "responses": (responses, ("trial", "voxel")),
        },
        {"duration": run.duration, **{f"noise_{name}": value for name, value in settings["noise"].items()}},
    )
