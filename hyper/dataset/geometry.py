"""Where the header of an image says that it lies, and whether its two ways of saying so agree."""

from pathlib import Path

import nibabel as nib
import numpy as np

from hyper.dataset.layout import Run
from hyper.errors import DatasetError
from hyper.io.volumes import load_image

_SAME_MM = 0.1


def check_placed(path: Path, image: nib.Nifti1Image) -> None:
    """Refuse a header that leaves orientation and origin open: left and right would be guessed.

    Raises
    ------
    DatasetError
        When the codes of sform and qform are both 0.
    """
    if not int(image.header["sform_code"]) and not int(image.header["qform_code"]):
        fault = "its header does not say how it lies (sform and qform have code 0), so left and right are unknown"
        raise DatasetError(path, fault, "Convert it again from its source, or set the sform where it is known")


def geometry_notes(runs: list[Run]) -> list[tuple[str, str]]:
    """Say which headers contradict themselves, and whether the runs of a subject lie on different grids.

    Parameters
    ----------
    runs : list of Run
        Of one subject.

    Returns
    -------
    list of (series, note)
    """
    notes = []
    grids: dict[bytes, str] = {}
    for run in runs:
        image = load_image(run.bold)
        apart = _forms_apart(image)
        if apart > _SAME_MM:
            notes.append((run.series, f"sform and qform differ (up to {apart:.3g} mm); the sform was taken"))
        grids.setdefault(repr((image.shape[:3], image.affine.round(3).tolist())).encode(), run.series)
    if len(grids) > 1:
        notes.append(("", f"the runs lie on {len(grids)} grids, first in {', '.join(grids.values())}; each is brought "
                          "to the first run's space"))  # fmt: skip
    return notes


def _forms_apart(image: nib.Nifti1Image) -> float:
    """Largest distance (mm) between the corners' places by sform and by qform; 0 where only one is valid."""
    sform, qform = image.get_sform(coded=True)[0], image.get_qform(coded=True)[0]
    if sform is None or qform is None:
        return 0.0
    corners = np.array(np.meshgrid(*[(0, size - 1) for size in image.shape[:3]])).reshape(3, -1)
    moved = (sform - qform) @ np.vstack([corners, np.ones(corners.shape[1])])
    return float(np.linalg.norm(moved[:3], axis=0).max())
