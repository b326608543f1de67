"""SPM12: Realign, Coregister, Normalise12. It reads no compressed files and writes into headers: it gets copies."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from nipype.interfaces.base import traits

from hyper.errors import EngineError
from hyper.io.volumes import load_image, read_volume
from hyper.preprocess.engines.conventions import Grid, from_spm, from_spm_header, onto_grid
from hyper.preprocess.engines.stock import (
    AlignRunEngine,
    RealignEngine,
    RealignInputs,
    RegisterAnatomicalEngine,
    RegisterBoldEngine,
    as_numbers,
    grid_of,
    plain_copy,
    run_stock,
)
from hyper.preprocess.template import Template


class SpmRealignInputs(RealignInputs):
    """Inputs of `SpmRealign`."""

    smoothing_mm = traits.Range(low=0.1, value=5.0, usedefault=True, desc="full width at half maximum (mm)")
    spacing_mm = traits.Range(low=0.1, value=4.0, usedefault=True, desc="distance of the sampling points (mm)")


class SpmRealign(RealignEngine):
    """Realign a run to its first, then to its mean volume."""

    engine = "spm"
    input_spec = SpmRealignInputs

    def _poses(self, folder: Path) -> np.ndarray:
        from nipype.interfaces import spm

        run_stock(
            spm.Realign,
            "rp_bold.txt",
            in_files=plain_copy(self.inputs.bold, "bold"),
            jobtype="estimate",
            register_to_mean=True,
            fwhm=self.inputs.smoothing_mm,
            separation=self.inputs.spacing_mm,
            **command(folder),
        )
        return from_spm(as_numbers("rp_bold.txt"))


class SpmAlignRun(AlignRunEngine):
    """Coregister the run's boldref to the first one by normalised cross-correlation."""

    engine = "spm"

    def _matrix(self, folder: Path) -> np.ndarray:
        return np.linalg.inv(_coregister(folder, self.inputs.boldref, self.inputs.reference, "ncc"))


class SpmRegisterBold(RegisterBoldEngine):
    """Coregister the T1w brain to the boldref by normalised mutual information."""

    engine = "spm"

    def _matrix(self, folder: Path) -> np.ndarray:
        return _coregister(folder, self.inputs.t1w, self.inputs.boldref, "nmi")


class SpmRegisterAnatomical(RegisterAnatomicalEngine):
    """Unified segmentation (Normalise12). Its space is that of SPM's tissue maps, taken as the template's."""

    engine = "spm"

    def _coordinates(self, folder: Path, template: Template) -> np.ndarray:
        from nipype.interfaces import spm

        copy = plain_copy(self.inputs.brain, "t1w")
        run_stock(spm.Normalize12, "y_t1w.nii", image_to_align=copy, jobtype="est", **command(folder))
        field, affine = read_volume("y_t1w.nii")
        return onto_grid(field.reshape(*field.shape[:3], 3), affine, Grid(template.t1.shape, template.affine))


def command(folder: Path) -> dict[str, Any]:
    """Return how SPM is called: ``SPMMCRCMD`` for the standalone SPM12, else ``MATLABCMD``, else matlab.

    Raises
    ------
    EngineError
        When the standalone SPM12 would get a path with spaces, which nipype does not quote.
    """
    standalone = os.environ.get("SPMMCRCMD")
    if not standalone:
        return {"matlab_cmd": os.environ.get("MATLABCMD") or "matlab"}
    if " " in str(folder):
        raise EngineError(folder, "the standalone SPM12 takes no path with spaces", "Run the study in another folder")
    return {"matlab_cmd": standalone, "use_mcr": True}


def _coregister(folder: Path, source: str, target: str, cost: str) -> np.ndarray:
    """World of the source to world of the target."""
    from nipype.interfaces import spm

    copy = plain_copy(source, "source")
    run_stock(
        spm.Coregister,
        copy,
        target=plain_copy(target, "target"),
        source=copy,
        jobtype="estimate",
        cost_function=cost,
        **command(folder),
    )
    return from_spm_header(grid_of(source).affine, np.asarray(load_image(copy).affine, float))
