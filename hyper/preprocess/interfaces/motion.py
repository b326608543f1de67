"""nipype interfaces of the motion of a run: within it, and from the first run to it."""

from pathlib import Path

from nipype.interfaces.base import BaseInterfaceInputSpec, File, TraitedSpec, traits

from hyper.io.arrays import write_arrays
from hyper.io.tables import write_table
from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.align_run import align_run
from hyper.preprocess.motion import motion_table
from hyper.preprocess.node import Interface
from hyper.preprocess.realign import realign_run


class _FitInputs(BaseInterfaceInputSpec):
    smoothing_mm = traits.Range(low=0.1, value=5.0, usedefault=True, desc="full width at half maximum (mm)")
    spacing_mm = traits.Range(low=0.1, value=3.0, usedefault=True, desc="distance of the sampling points (mm)")
    informative_share = traits.Range(low=0.01, high=1.0, value=0.25, usedefault=True, desc="share of the points used")
    seed = traits.Int(0, usedefault=True, desc="seed of the jitter of the points")


class RealignInputs(_FitInputs):
    """Inputs of `Realign`."""

    bold = File(exists=True, mandatory=True, desc="4-D BOLD run")
    tolerance_mm = traits.Range(low=1e-6, value=0.02, usedefault=True, desc="smallest step of the head (mm)")
    mean_volumes = traits.Range(low=2, value=64, usedefault=True, desc="volumes in the mean, at most")
    radius_mm = traits.Range(low=1.0, value=50.0, usedefault=True, desc="radius for framewise displacement (mm)")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class RealignOutputs(TraitedSpec):
    """Outputs of `Realign`."""

    motion = File(exists=True, desc="table of parameters, framewise displacement, misfit, outliers")
    boldref = File(exists=True, desc="mean of the realigned volumes")
    matrices = File(exists=True, desc="world of the boldref to world of each volume")


class Realign(Interface):
    """Realign a run to its first, then to its mean volume."""

    input_spec = RealignInputs
    output_spec = RealignOutputs
    files = {"motion": "motion.tsv", "boldref": "boldref.nii.gz", "matrices": "matrices.h5"}

    def _produce(self, folder: Path) -> None:
        options = self.inputs.trait_get()
        names = ("smoothing_mm", "spacing_mm", "informative_share", "tolerance_mm", "mean_volumes", "seed", "threads")
        result = realign_run(self.inputs.bold, **{name: options[name] for name in names})
        write_table(
            folder / self.files["motion"],
            motion_table(result.matrices, self.inputs.radius_mm, result.misfit, result.outliers),
        )
        write_image(folder / self.files["boldref"], result.boldref, result.affine)
        dimensions = ("volume", "row", "column")
        write_arrays(folder / self.files["matrices"], {"matrices": (result.matrices, dimensions)})


class AlignRunInputs(_FitInputs):
    """Inputs of `AlignRun`."""

    reference = File(exists=True, mandatory=True, desc="boldref of the subject's first run")
    boldref = File(exists=True, mandatory=True, desc="boldref of the run")
    tolerance_mm = traits.Range(low=1e-6, value=0.01, usedefault=True, desc="smallest step of the head (mm)")


class MatrixOutputs(TraitedSpec):
    """A rigid matrix."""

    matrix = File(exists=True, desc="rigid matrix, world to world")


class AlignRun(Interface):
    """Align a run's boldref to the subject's first one."""

    input_spec = AlignRunInputs
    output_spec = MatrixOutputs
    files = {"matrix": "matrix.h5"}

    def _produce(self, folder: Path) -> None:
        options = self.inputs.trait_get()
        names = ("smoothing_mm", "spacing_mm", "informative_share", "tolerance_mm", "seed")
        matrix = align_run(
            *read_volume(self.inputs.reference),
            *read_volume(self.inputs.boldref),
            **{name: options[name] for name in names},
            name=self.inputs.boldref,
        )
        write_arrays(folder / self.files["matrix"], {"matrix": (matrix, ("row", "column"))})


REALIGN = {"hyper": Realign}
ALIGN_RUN = {"hyper": AlignRun}
