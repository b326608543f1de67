"""Names of confounds, as fMRIPrep gives them, and the groups a model may ask for."""

import difflib
import re
from collections.abc import Iterable

MOTION = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")
TISSUES = ("csf", "white_matter", "global_signal")
EXPANSIONS = ("", "_derivative1", "_power2", "_derivative1_power2")
SINGLE = ("framewise_displacement", "dvars", "std_dvars")
GROUPS = {
    "motion": MOTION,
    "motion12": tuple(name + end for end in EXPANSIONS[:2] for name in MOTION),
    "motion24": tuple(name + end for end in EXPANSIONS for name in MOTION),
    "tissues": TISSUES[:2],
}
COSINE = re.compile(r"cosine(\d\d)?$")
FIXED = tuple(name + end for name in (*TISSUES, *MOTION) for end in EXPANSIONS) + SINGLE


def unknown_confound(name: str) -> str | None:
    """Say that a name is neither a confound nor a group, with the nearest that is; None when it is one."""
    known = [*FIXED, *GROUPS, "cosine"]
    if name in known or COSINE.match(name):
        return None
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"there is no confound {name!r}" + (f", did you mean {near[0]!r}?" if near else "")


def expand_confounds(names: Iterable[str], columns: Iterable[str]) -> list[str]:
    """Return the columns that names and groups stand for, each once, in the order asked for.

    Parameters
    ----------
    names : iterable of str
        Columns; groups (`GROUPS`); ``cosine`` for every cosine term.
    columns : iterable of str
        What the table holds.
    """
    cosines = [column for column in columns if COSINE.match(column)]
    found: list[str] = []
    for name in names:
        found += cosines if name == "cosine" else GROUPS.get(name, (name,))
    return list(dict.fromkeys(found))
