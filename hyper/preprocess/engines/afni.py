"""AFNI: 3dvolreg, within a run and between runs. It leaves out the obliquity of a grid: it gets copies without."""

from pathlib import Path

import numpy as np

from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.engines.conventions import Grid, cardinal_affine, from_afni
from hyper.preprocess.engines.stock import (
    AlignRunEngine,
    RealignEngine,
    as_numbers,
    grid_of,
    mean_of_realigned,
    plain_copy,
    run_stock,
)
from hyper.preprocess.grids import resample_to


class AfniRealign(RealignEngine):
    """3dvolreg to the first volume, then to the mean of the realigned ones."""

    engine = "afni"

    def _poses(self, folder: Path) -> np.ndarray:
        grid = grid_of(self.inputs.bold)
        stored = cardinal_affine(grid.affine)
        copy = plain_copy(self.inputs.bold, "bold", stored)
        first = from_afni(_volreg(copy, "first"), grid, stored)
        mean = mean_of_realigned(self.inputs.bold, first, self.inputs.mean_volumes)
        write_image("mean.nii", mean, stored)
        return from_afni(_volreg(copy, "second", "mean.nii"), grid, stored)


class AfniAlignRun(AlignRunEngine):
    """3dvolreg, coarse to fine, of the run's boldref on the grid of the first one's."""

    engine = "afni"

    def _matrix(self, folder: Path) -> np.ndarray:
        reference, affine = read_volume(self.inputs.reference)
        grid, stored = Grid(reference.shape, np.asarray(affine, float)), cardinal_affine(affine)
        moving = resample_to(*read_volume(self.inputs.boldref), grid.shape, grid.affine, smooth=False)
        write_image("reference.nii", reference, stored)
        write_image("boldref.nii", moving, stored)
        return from_afni(_volreg("boldref.nii", "pose", "reference.nii", "-twopass"), grid, stored)[0]


def _volreg(moving: str, name: str, base: str | None = None, args: str | None = None) -> np.ndarray:
    """Rows of the matrices, shape (volume, 12)."""
    from nipype.interfaces import afni

    run_stock(
        afni.Volreg,
        f"{name}.aff12.1D",
        in_file=moving,
        out_file=f"{name}.nii",
        oned_file=f"{name}.1D",
        oned_matrix_save=f"{name}.aff12.1D",
        md1d_file=f"{name}_md.1D",
        zpad=4,
        outputtype="NIFTI",
        **({"basefile": base} if base else {}),
        **({"args": args} if args else {}),
    )
    return as_numbers(f"{name}.aff12.1D")
