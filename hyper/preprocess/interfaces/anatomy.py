"""nipype interfaces of the anatomy: brain extraction, normalisation, coregistration."""

from pathlib import Path

import numpy as np
from nipype.interfaces.base import BaseInterfaceInputSpec, File, TraitedSpec, traits

from hyper.errors import DatasetError
from hyper.io.arrays import write_arrays
from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.brain import brain_mask, correct_bias
from hyper.preprocess.coregistration import register_bold
from hyper.preprocess.node import Interface
from hyper.preprocess.normalisation import register_anatomical


class ExtractBrainInputs(BaseInterfaceInputSpec):
    """Inputs of `ExtractBrain`."""

    t1w = File(exists=True, mandatory=True, desc="T1-weighted volume")
    method = traits.Enum("deepbet", "none", usedefault=True, desc="how the brain is found")
    bias_order = traits.Range(low=0, high=5, value=2, usedefault=True, desc="degree of the receive field; 0: leave it")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class ExtractBrainOutputs(TraitedSpec):
    """Outputs of `ExtractBrain`."""

    mask = File(exists=True, desc="mask of the brain")
    brain = File(exists=True, desc="corrected T1-weighted brain, 0 outside the mask")


class ExtractBrain(Interface):
    """Find the brain in a T1-weighted volume."""

    input_spec = ExtractBrainInputs
    output_spec = ExtractBrainOutputs
    files = {"mask": "mask.nii.gz", "brain": "brain.nii.gz"}

    def _produce(self, folder: Path) -> None:
        volume, affine = read_volume(self.inputs.t1w)
        volume = np.squeeze(volume)
        if volume.ndim != 3:
            fault = f"its shape is {volume.shape} where one volume is due"
            raise DatasetError(self.inputs.t1w, fault, "Give a 3-D T1w file")
        mask = brain_mask(volume, affine, self.inputs.method, self.inputs.threads, self.inputs.t1w)
        write_image(folder / self.files["mask"], mask.astype(np.uint8), affine)
        write_image(folder / self.files["brain"], correct_bias(volume, affine, mask, self.inputs.bias_order), affine)


class _BrainInputs(BaseInterfaceInputSpec):
    t1w = File(exists=True, mandatory=True, desc="T1-weighted brain, 0 outside the mask")
    mask = File(exists=True, mandatory=True, desc="mask of the brain")


class RegisterAnatomicalInputs(_BrainInputs):
    """Inputs of `RegisterAnatomical`."""

    resolution_mm = traits.Range(low=0.5, value=2.0, usedefault=True, desc="voxels of the template grid (mm)")
    warp_resolution_mm = traits.Range(low=0.5, value=2.0, usedefault=True, desc="grid of the registration (mm)")
    affine_iterations = traits.List(traits.Int, value=[200, 100], usedefault=True, desc="coarse to fine")
    warp_iterations = traits.List(traits.Int, value=[40, 25, 10], usedefault=True, desc="coarse to fine; [] for none")
    radius = traits.Range(low=1, value=3, usedefault=True, desc="radius of the cross-correlation (voxels)")


class RegisterAnatomicalOutputs(TraitedSpec):
    """Outputs of `RegisterAnatomical`."""

    map = File(exists=True, desc="T1w world coordinates (mm) of each point of the template grid")


class RegisterAnatomical(Interface):
    """Register the brain to the template."""

    input_spec = RegisterAnatomicalInputs
    output_spec = RegisterAnatomicalOutputs
    files = {"map": "map.nii.gz"}

    def _produce(self, folder: Path) -> None:
        volume, affine = read_volume(self.inputs.t1w)
        mask, _ = read_volume(self.inputs.mask)
        coordinates, template_affine = register_anatomical(
            volume,
            affine,
            mask > 0,
            resolution_mm=self.inputs.resolution_mm,
            warp_resolution_mm=self.inputs.warp_resolution_mm,
            affine_iterations=tuple(self.inputs.affine_iterations),
            warp_iterations=tuple(self.inputs.warp_iterations),
            radius=self.inputs.radius,
        )
        write_image(folder / self.files["map"], coordinates, template_affine)


class RegisterBoldInputs(_BrainInputs):
    """Inputs of `RegisterBold`."""

    boldref = File(exists=True, mandatory=True, desc="boldref of the subject's first run")
    resolution_mm = traits.Range(low=0.5, value=4.0, usedefault=True, desc="grid and distance of the points (mm)")
    smoothing_mm = traits.List(traits.Float, value=[10.0, 5.0], usedefault=True, desc="coarse to fine (mm)")
    seed = traits.Int(0, usedefault=True, desc="seed of the jitter of the points")


class RegisterBoldOutputs(TraitedSpec):
    """Outputs of `RegisterBold`."""

    matrix = File(exists=True, desc="T1w world to boldref world")


class RegisterBold(Interface):
    """Register the reference boldref to the brain."""

    input_spec = RegisterBoldInputs
    output_spec = RegisterBoldOutputs
    files = {"matrix": "matrix.h5"}

    def _produce(self, folder: Path) -> None:
        mask, _ = read_volume(self.inputs.mask)
        matrix = register_bold(
            *read_volume(self.inputs.boldref),
            *read_volume(self.inputs.t1w),
            mask > 0,
            resolution_mm=self.inputs.resolution_mm,
            smoothing_mm=tuple(self.inputs.smoothing_mm),
            seed=self.inputs.seed,
        )
        write_arrays(folder / self.files["matrix"], {"matrix": (matrix, ("row", "column"))})


REGISTER_ANATOMICAL = {"hyper": RegisterAnatomical}
REGISTER_BOLD = {"hyper": RegisterBold}
