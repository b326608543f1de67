"""nipype interfaces of the anatomy: brain extraction, normalisation, coregistration."""

from pathlib import Path

import numpy as np
from nipype.interfaces.base import BaseInterfaceInputSpec, File, TraitedSpec, traits

from hyper.errors import DatasetError
from hyper.io.arrays import write_arrays
from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.brain import bold_brain_mask, brain_mask, correct_bias
from hyper.preprocess.coregistration import register_bold
from hyper.preprocess.node import Interface
from hyper.preprocess.normalisation import CONTRASTS, register_to_template
from hyper.preprocess.template import TemplateFiles

OWN_WARPS = ("hyper", "dipy", "antspyx")


class _ExtractInputs(BaseInterfaceInputSpec):
    bias = traits.Enum("polynomial", "n4", "none", usedefault=True, desc="how the receive field is divided out")
    bias_order = traits.Range(low=0, high=5, value=2, usedefault=True, desc="degree of the polynomial; 0: leave it")
    seed = traits.Int(0, usedefault=True, desc="seed of N4")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class ExtractBrainInputs(_ExtractInputs):
    """Inputs of `ExtractBrain`."""

    t1w = File(exists=True, mandatory=True, desc="T1-weighted volume")
    method = traits.Enum("deepbet", "none", usedefault=True, desc="how the brain is found")


class ExtractBrainOutputs(TraitedSpec):
    """Outputs of `ExtractBrain`."""

    mask = File(exists=True, desc="mask of the brain")
    brain = File(exists=True, desc="corrected brain, 0 outside the mask")


class _Extract(Interface):
    output_spec = ExtractBrainOutputs
    files = {"mask": "mask.nii.gz", "brain": "brain.nii.gz"}

    def _write(self, folder: Path, volume: np.ndarray, affine: np.ndarray, mask: np.ndarray) -> None:
        inputs = self.inputs
        corrected = correct_bias(volume, affine, mask, inputs.bias_order, method=inputs.bias, seed=inputs.seed)
        write_image(folder / self.files["mask"], mask.astype(np.uint8), affine)
        write_image(folder / self.files["brain"], corrected, affine)


class ExtractBrain(_Extract):
    """Find the brain in a T1-weighted volume."""

    input_spec = ExtractBrainInputs

    def _produce(self, folder: Path) -> None:
        volume, affine = _read_one(self.inputs.t1w)
        mask = brain_mask(volume, affine, self.inputs.method, self.inputs.threads, self.inputs.t1w)
        self._write(folder, volume, affine, mask)


class ExtractBoldBrainInputs(_ExtractInputs):
    """Inputs of `ExtractBoldBrain`."""

    boldref = File(exists=True, mandatory=True, desc="mean BOLD volume")
    template = traits.Dict(usedefault=True, desc="settings of the template; the packaged one when empty")


class ExtractBoldBrain(_Extract):
    """Find the brain in a mean BOLD volume."""

    input_spec = ExtractBoldBrainInputs

    def _produce(self, folder: Path) -> None:
        volume, affine = _read_one(self.inputs.boldref)
        mask = bold_brain_mask(volume, affine, TemplateFiles.of(self.inputs.template), self.inputs.boldref)
        self._write(folder, volume, affine, mask)


def _read_one(path: str) -> tuple[np.ndarray, np.ndarray]:
    volume, affine = read_volume(path)
    volume = np.squeeze(volume)
    if volume.ndim != 3:
        raise DatasetError(path, f"its shape is {volume.shape} where one volume is due", "Give a 3-D file")
    return volume, affine


class RegisterAnatomicalInputs(BaseInterfaceInputSpec):
    """Inputs of `RegisterAnatomical`."""

    brain = File(exists=True, mandatory=True, desc="brain, 0 outside the mask")
    mask = File(exists=True, mandatory=True, desc="mask of the brain")
    contrast = traits.Enum(*CONTRASTS, usedefault=True, desc="contrast of the brain")
    template = traits.Dict(usedefault=True, desc="settings of the template; the packaged one at 2 mm when empty")
    engine = traits.Enum(*OWN_WARPS, usedefault=True, desc="who finds the warp")
    quick = traits.Bool(False, usedefault=True, desc="half the iterations at 3 mm or more")
    warp_resolution_mm = traits.Range(low=0.5, value=2.0, usedefault=True, desc="grid of the registration (mm)")
    affine_iterations = traits.List(traits.Int, value=[200, 100], usedefault=True, desc="coarse to fine")
    warp_iterations = traits.List(traits.Int, value=[30, 40, 40], usedefault=True, desc="coarse to fine; [] for none")
    radius = traits.Range(low=1, value=2, usedefault=True, desc="radius of the cross-correlation (voxels)")
    seed = traits.Int(0, usedefault=True, desc="seed of antspyx")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class RegisterAnatomicalOutputs(TraitedSpec):
    """Outputs of `RegisterAnatomical`."""

    map = File(exists=True, desc="world coordinates (mm) in the volume of each point of the template grid")


class RegisterAnatomical(Interface):
    """Register a brain, in T1 or in BOLD contrast, to the template."""

    input_spec = RegisterAnatomicalInputs
    output_spec = RegisterAnatomicalOutputs
    files = {"map": "map.nii.gz"}

    def _produce(self, folder: Path) -> None:
        inputs = self.inputs
        volume, affine = read_volume(inputs.brain)
        mask, _ = read_volume(inputs.mask)
        names = ("contrast", "engine", "quick", "warp_resolution_mm", "radius", "seed", "threads")
        coordinates, template_affine = register_to_template(
            volume,
            affine,
            mask > 0,
            resolution_mm=inputs.template.get("resolution_mm", 2.0),
            files=TemplateFiles.of(inputs.template),
            affine_iterations=tuple(inputs.affine_iterations),
            warp_iterations=tuple(inputs.warp_iterations),
            **{name: getattr(inputs, name) for name in names},
        )
        write_image(folder / self.files["map"], coordinates, template_affine)


class _BrainInputs(BaseInterfaceInputSpec):
    t1w = File(exists=True, mandatory=True, desc="T1-weighted brain, 0 outside the mask")
    mask = File(exists=True, mandatory=True, desc="mask of the brain")


class RegisterBoldInputs(_BrainInputs):
    """Inputs of `RegisterBold`."""

    boldref = File(exists=True, mandatory=True, desc="boldref of the subject's first run")
    resolution_mm = traits.Range(low=0.5, value=4.0, usedefault=True, desc="grid of the mutual information (mm)")
    boundary_mm = traits.Range(low=0.0, value=2.0, usedefault=True, desc="to both sides of the boundary; 0: none (mm)")
    points = traits.Range(low=500, value=30_000, usedefault=True, desc="points of the boundary, at most")
    seed = traits.Int(0, usedefault=True, desc="seed of the choice of the points")


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
            **{name: getattr(self.inputs, name) for name in ("resolution_mm", "boundary_mm", "points", "seed")},
        )
        write_arrays(folder / self.files["matrix"], {"matrix": (matrix, ("row", "column"))})


REGISTER_ANATOMICAL = dict.fromkeys(OWN_WARPS, RegisterAnatomical)
REGISTER_BOLD = {"hyper": RegisterBold}
