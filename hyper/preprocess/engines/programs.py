"""Which programs the engines need, and whether this machine has them."""

import os
import shutil
from collections.abc import Mapping

from hyper.errors import EngineError, HyperError

PROGRAMS: dict[str, dict[str, tuple[str, ...]]] = {
    "spm": dict.fromkeys(("realign", "align_run", "anatomical", "coregistration"), ("matlab",)),
    "fsl": {
        "realign": ("mcflirt",),
        "align_run": ("flirt",),
        "anatomical": ("flirt", "fnirt", "convertwarp"),
        "coregistration": ("flirt",),
    },
    "afni": {"realign": ("3dvolreg",), "align_run": ("3dvolreg",)},
    "ants": {
        "align_run": ("antsRegistration",),
        "anatomical": ("antsRegistration", "antsApplyTransforms"),
        "coregistration": ("antsRegistration",),
    },
}
_MENDS = {
    "spm": "Put matlab (with SPM12 on its path) on the PATH, or name the standalone SPM12 in SPMMCRCMD",
    "fsl": "Install FSL (fsl.fmrib.ox.ac.uk) and put its programs on the PATH",
    "afni": "Install AFNI (afni.nimh.nih.gov) and put its programs on the PATH",
    "ants": "Install ANTs (github.com/ANTsX/ANTs) and put its programs on the PATH",
}


def programs_of(engine: str, step: str) -> list[str]:
    """Name the programs that an engine runs in a step; none for our own.

    SPM is MATLAB's command, ``MATLABCMD`` where that is set, or what ``SPMMCRCMD`` runs, the standalone SPM12.
    """
    names = PROGRAMS.get(engine, {}).get(step, ())
    if engine != "spm":
        return list(names)
    command = os.environ.get("SPMMCRCMD") or os.environ.get("MATLABCMD") or "matlab"
    return [command.split()[0]] if names else []


def find_engine_faults(engines: Mapping[str, str]) -> list[HyperError]:
    """Say which programs are missing, before anything runs.

    Parameters
    ----------
    engines : mapping of str to str
        Engine of each step.

    Returns
    -------
    list of HyperError
        One per engine.
    """
    faults: list[HyperError] = []
    for engine in dict.fromkeys(engines.values()):
        steps = [step for step, name in engines.items() if name == engine]
        missing = _missing(engine, steps)
        if missing:
            names = " and ".join([", ".join(missing[:-1]), missing[-1]] if len(missing) > 1 else missing)
            fault = f"{names} {'is' if len(missing) == 1 else 'are'} not on the PATH (needed for {', '.join(steps)})"
            others = [name for name in PROGRAMS if name != engine and not _missing(name, list(PROGRAMS[name]))]
            found = f"; {', '.join(others)} {'is' if len(others) == 1 else 'are'} installed here" if others else ""
            mend = f"{_MENDS[engine]}; or set preprocess.engine: hyper, which needs no program{found}"
            faults.append(EngineError(f"preprocess: the engine {engine!r}", fault, mend))
    return faults


def _missing(engine: str, steps: list[str]) -> list[str]:
    needed = dict.fromkeys(name for step in steps for name in programs_of(engine, step))
    return [name for name in needed if shutil.which(name) is None]
