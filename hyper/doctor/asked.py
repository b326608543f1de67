"""What the settings ask for, against what there is to give."""

from collections.abc import Mapping

import pandas as pd

from hyper.decoding.alignment import common_stimuli
from hyper.errors import DataError, HyperError, SettingsError
from hyper.settings.preprocess import Template
from hyper.settings.responses import Responses

PACKAGED_BRAIN_MM3 = 1_883_000  # of the packaged brain mask
_SLACK = 1.02  # a coarse grid has a few voxels more or fewer than the volume says


def find_count_faults(responses: Responses, template: Template) -> list[HyperError]:
    """Say when more voxels are asked for than a brain has; those that never vary are known after the GLM alone."""
    if template.t1w is not None:
        return []
    most = PACKAGED_BRAIN_MM3 / template.resolution_mm**3
    if responses.voxels <= _SLACK * most:
        return []
    fault = f"{responses.voxels} voxels are asked for where the template's brain has {most:.0f} of "
    fault += f"{template.resolution_mm:g} mm"
    return [SettingsError("responses.voxels", fault, "Set fewer, or a finer preprocess.template.resolution_mm")]


def find_sharing_faults(shown: Mapping[str, pd.DataFrame]) -> list[HyperError]:
    """Say whether subjects saw too few training stimuli in common, from the trials of each."""
    try:
        common_stimuli(
            {subject: table["stimulus"][table["split"] == "train"].astype(str) for subject, table in shown.items()}
        )
    except DataError as fault:
        return [fault]
    return []


def names_of(shown: Mapping[str, pd.DataFrame]) -> list[str]:
    """Names of the training and test stimuli of all subjects, from the trials of each."""
    return sorted({
        str(name)
        for table in shown.values()
        for name in table["stimulus"][table["split"].isin(["train", "test"])]
    })  # fmt: skip
