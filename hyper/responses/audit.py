"""The leakage audit: what the files say about where each test trial went.

It does not ask the code that made the responses. It reads the z-maps anew, follows every row of the matrices back to
the map that it equals bit for bit, repeats the choice of voxels and the scaling from training maps alone, and compares.
"""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hyper.errors import DataError
from hyper.responses import checks as questions
from hyper.responses.checks import Check
from hyper.responses.evidence import Evidence, Reading, Rows
from hyper.responses.maps import read_trials_table
from hyper.responses.matrices import Responses
from hyper.responses.scores import score_voxels


def audit(evidence: Evidence, count: int, options: Mapping[str, Any], seed: int) -> list[Check]:
    """Look for test trials in selection, scaling and training, and for stimuli in both sets.

    Parameters
    ----------
    evidence : Evidence
    count : int
        Voxels to choose.
    options : mapping
        How voxels are chosen (settings.Selection).
    seed : int
        Of the selection.

    Returns
    -------
    list of Check
        With their faults, of which `demand` makes an error.
    """
    reading = Reading(evidence)
    score = score_voxels(options["method"], reading, evidence.latents, options, seed)
    table, values = reading.table, reading.values
    responses = Responses.load(evidence.responses)
    rows = Rows(table, values)
    return [
        questions.check_splits(table, evidence),
        questions.check_stimuli(responses, table),
        questions.check_latents(responses),
        questions.check_duplicates(table),
        questions.check_selection_trials(evidence, table),
        questions.check_mask(evidence, score, reading.highest > reading.lowest, count),
        questions.check_training(responses, rows, evidence.latents),
        questions.check_scaling(responses, rows),
        questions.check_test(responses, rows, evidence.latents),
        questions.check_provenance(responses, rows, evidence),
    ]


def demand(checks: Sequence[Check], where: str | Path) -> None:
    """Raise when a check found a fault.

    Raises
    ------
    DataError
        With the first fault and the number of the others.
    """
    faults = [(check.question, fault) for check in checks for fault in check.faults]
    if faults:
        others = f" (and {len(faults) - 1} more: see the log)" if len(faults) > 1 else ""
        raise DataError(
            where,
            f"the leakage audit failed: it must hold that {faults[0][0]}, but {faults[0][1]}{others}",
            "Correct the split (dataset.test_stimuli), the latents or the file named, and run select_voxels and "
            "assemble_responses again",
        )


def shared_runs(evidence: Evidence) -> list[str]:
    """Name the runs that hold training and test trials: no leak by itself, but their noise is shared."""
    notes = []
    for path in evidence.tables:
        table = read_trials_table(path)
        if {"train", "test"} <= set(table["split"]):
            series = table["series"].iloc[0]
            notes.append(f"{series} holds training and test trials: their estimates share the noise of the run")
    return notes


def report(checks: Sequence[Check], evidence: Evidence, subject: str) -> dict[str, Any]:
    """Put the result into words and numbers, for the file."""
    files = [evidence.responses, evidence.mask, evidence.score, evidence.selection, evidence.trials, *evidence.tables]
    return {
        "subject": subject,
        "passed": not any(check.faults for check in checks),
        "checks": [
            {"name": c.name, "holds": not c.faults, "what": c.question, "examined": c.examined, "faults": c.faults}
            for c in checks
        ],
        "notes": shared_runs(evidence),
        "sha256": {Path(file).name: _sha256(file) for file in [*files, *evidence.maps]},
    }


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
