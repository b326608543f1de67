"""A dataset that passed its checks is not read again before every plan while no file of it changes."""

import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from hyper.errors import HyperError
from hyper.io.atomic import write_text
from hyper.preprocess.engines.programs import find_engine_faults
from hyper.settings.code_version import code_version

PLAN = "hyper/doctor/plan.py"


def dataset_state(files: Iterable[Path], settings: Any) -> str:
    """Hash of size and time of every file or folder, of the settings that the checks read, and of the checks' code."""
    digest = hashlib.sha256(json.dumps([settings, code_version(PLAN)]).encode())
    for path in files:
        try:
            state = path.stat()
            digest.update(f"\0{path}\0{state.st_size}\0{state.st_mtime_ns}".encode())
        except OSError:
            digest.update(f"\0{path}\0missing".encode())
    return digest.hexdigest()


def faults_unless_checked(plan: Any, record: Path) -> list[HyperError]:
    """Return what is wrong with a study, or nothing at once if it was examined in the same state before.

    Parameters
    ----------
    plan : Plan
    record : Path
        Where the state of the last examination without a fault is kept.
    """
    if plan.simulated or plan.given is not None or plan.implanted:
        faults: list[HyperError] = plan.faults()
        return faults
    state = dataset_state(plan.examined(), plan.tree)
    try:
        if record.read_text(encoding="utf-8") == state:
            return find_engine_faults(plan.settings.preprocess.engines)  # programs come and go
    except OSError:
        pass
    faults = plan.faults()
    if not faults:
        with suppress(OSError):  # a folder that nobody may write to is no reason to refuse a plan
            write_text(record, state)
    return faults
