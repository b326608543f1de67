"""FSL: MCFLIRT, FLIRT, FNIRT."""

from pathlib import Path

import numpy as np
from nipype.interfaces.base import traits

from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.engines.conventions import Grid, from_flirt, from_fsl_field, onto_grid
from hyper.preprocess.engines.stock import (
    AlignRunEngine,
    RealignEngine,
    RegisterAnatomicalEngine,
    RegisterAnatomicalInputs,
    RegisterBoldEngine,
    as_numbers,
    grid_of,
    link,
    run_stock,
)
from hyper.preprocess.template import Template

_TYPE = {"output_type": "NIFTI_GZ"}


class FslRealign(RealignEngine):
    """MCFLIRT to the mean volume."""

    engine = "fsl"

    def _poses(self, folder: Path) -> np.ndarray:
        from nipype.interfaces import fsl

        bold = link(self.inputs.bold, "bold")
        run_stock(
            fsl.MCFLIRT,
            "moved.nii.gz.par",
            in_file=bold,
            out_file="moved.nii.gz",
            mean_vol=True,
            save_mats=True,
            save_plots=True,
            **_TYPE,
        )
        grid = grid_of(bold)
        files = sorted(Path("moved.nii.gz.mat").glob("MAT_*"))
        return from_flirt(np.stack([as_numbers(file) for file in files]), grid, grid)


class FslAlignRun(AlignRunEngine):
    """FLIRT with normalised correlation; both volumes start from the scanner's coordinates."""

    engine = "fsl"

    def _matrix(self, folder: Path) -> np.ndarray:
        return _flirt(self.inputs.boldref, self.inputs.reference, "normcorr", 6, uses_qform=True)


class FslRegisterBold(RegisterBoldEngine):
    """FLIRT with mutual information."""

    engine = "fsl"

    def _matrix(self, folder: Path) -> np.ndarray:
        return _flirt(self.inputs.boldref, self.inputs.t1w, "mutualinfo", 6)


class FslRegisterAnatomicalInputs(RegisterAnatomicalInputs):
    """Inputs of `FslRegisterAnatomical`."""

    warp_resolution_mm = traits.Range(low=0.5, value=2.0, usedefault=True, desc="grid of the registration (mm)")


class FslRegisterAnatomical(RegisterAnatomicalEngine):
    """FLIRT (12 parameters), then FNIRT to the same template as ours; convertwarp turns its splines into a field."""

    engine = "fsl"
    input_spec = FslRegisterAnatomicalInputs

    def _coordinates(self, folder: Path, template: Template) -> np.ndarray:
        from nipype.interfaces import fsl

        coarse = self._template(self.inputs.warp_resolution_mm)
        write_image("template.nii.gz", 1000 * coarse.t1 * coarse.brain, coarse.affine)
        _flirt(self.inputs.brain, "template.nii.gz", "corratio", 12)
        run_stock(
            fsl.FNIRT,
            "coefficients.nii.gz",
            ref_file="reference.nii.gz",
            in_file=_name(self.inputs.brain),
            affine_file="matrix.txt",
            fieldcoeff_file="coefficients.nii.gz",
            warped_file="warped.nii.gz",
            log_file="fnirt.log",
            **_TYPE,
        )
        run_stock(
            fsl.ConvertWarp,
            "field.nii.gz",
            reference="reference.nii.gz",
            warp1="coefficients.nii.gz",
            out_abswarp=True,
            out_file="field.nii.gz",
            **_TYPE,
        )
        coordinates = from_fsl_field(read_volume("field.nii.gz")[0], grid_of(self.inputs.brain))
        return onto_grid(coordinates, coarse.affine, Grid(template.t1.shape, template.affine))


def _name(path: str) -> str:
    return "moving.nii.gz" if path.endswith(".gz") else "moving.nii"


def _flirt(moving: str, reference: str, cost: str, parameters: int, uses_qform: bool = False) -> np.ndarray:
    """World of the reference to world of the moving volume; leaves matrix.txt and both links in the folder."""
    from nipype.interfaces import fsl

    run_stock(
        fsl.FLIRT,
        "matrix.txt",
        in_file=link(moving, "moving"),
        reference=link(reference, "reference"),
        dof=parameters,
        cost=cost,
        out_matrix_file="matrix.txt",
        out_file="flirted.nii.gz",
        **_TYPE,
        **({"uses_qform": True} if uses_qform else {}),
    )
    return from_flirt(as_numbers("matrix.txt"), grid_of(moving), grid_of(reference))
