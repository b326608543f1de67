"""Whether the face networks behind the metrics of features tell the study's faces apart, in words."""

from collections.abc import Iterable
from pathlib import Path

from hyper.evaluation.features import NETWORKS, SEPARATES
from hyper.io.arrays import read_arrays
from hyper.report.names import network_label


def separation_notes(paths: Iterable[Path]) -> list[str]:
    """A sentence per face network, from the files of features of all subjects.

    The stimuli's own copies at half the resolution are to be found among those of the others; the lowest share over
    subjects counts.
    """
    lowest: dict[str, float] = {}
    for path in paths:
        attributes = read_arrays(path, ["stimulus"], most=1)[1]
        name, share = str(attributes["network"]), float(attributes["separation"])
        lowest[name] = min(share, lowest.get(name, 1.0))
    return [_sentence(name, share) for name, share in lowest.items() if NETWORKS[name].faces]


def _sentence(name: str, share: float) -> str:
    told = (
        f"The network {network_label(name)} tells the stimuli apart in {100 * share:.1f} % of the comparisons with "
        "copies of half the resolution"
    )
    if share < SEPARATES:
        return f"{told}: it does not separate faces like these, and the metrics of its features say nothing."
    return f"{told}."
