"""nipype interfaces of normalised runs and their mask."""

from pathlib import Path

import numpy as np
from nipype.interfaces.base import BaseInterfaceInputSpec, File, InputMultiObject, TraitedSpec, isdefined, traits

from hyper.errors import DataError
from hyper.io.arrays import read_arrays
from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.interpolation import INTERPOLATIONS
from hyper.preprocess.node import Interface
from hyper.preprocess.resampling import bold_mask, resample_run, template_grid
from hyper.preprocess.template import TemplateFiles


class ResampleInputs(BaseInterfaceInputSpec):
    """Inputs of `Resample`."""

    bold = File(exists=True, mandatory=True, desc="4-D BOLD run")
    matrices = File(exists=True, mandatory=True, desc="boldref world to world of each volume")
    to_boldref = File(exists=True, mandatory=True, desc="world of the first run's boldref to world of this one's")
    to_reference = File(exists=True, desc="T1w world to world of the first run's boldref, if the map ends in the T1w")
    map = File(exists=True, mandatory=True, desc="T1w (or first boldref's) world coordinates of the template grid")
    template = traits.Dict(usedefault=True, desc="settings of the template; the packaged one when empty")
    repetition_time = traits.Float(mandatory=True, desc="repetition time (s)")
    interpolation = traits.Enum(*INTERPOLATIONS, usedefault=True, desc="interpolation")
    smoothing_mm = traits.Range(low=0.0, value=0.0, usedefault=True, desc="smoothing afterwards (mm, FWHM)")
    dtype = traits.Enum("int16", "float32", usedefault=True, desc="type on disk")
    margin_mm = traits.Range(low=0.0, value=4.0, usedefault=True, desc="margin around the template's brain (mm)")
    threads = traits.Range(low=1, value=1, usedefault=True, nohash=True, desc="threads")


class ResampleOutputs(TraitedSpec):
    """Outputs of `Resample`."""

    bold = File(exists=True, desc="run in template space")
    boldref = File(exists=True, desc="its mean, 0 where a voxel leaves the field of view")


class Resample(Interface):
    """Compose all transforms and interpolate each volume once."""

    input_spec = ResampleInputs
    output_spec = ResampleOutputs
    files = {"bold": "bold.nii.gz", "boldref": "boldref.nii.gz"}

    def _produce(self, folder: Path) -> None:
        inputs = self.inputs
        files = TemplateFiles.of(inputs.template)
        grid = template_grid(*read_volume(inputs.map), margin_mm=inputs.margin_mm, files=files)
        motion = read_arrays(inputs.matrices, ["matrices"])[0]["matrices"]
        to_boldref = read_arrays(inputs.to_boldref, ["matrix"])[0]["matrix"]
        if isdefined(inputs.to_reference):
            to_boldref = to_boldref @ read_arrays(inputs.to_reference, ["matrix"])[0]["matrix"]
        mean = resample_run(
            inputs.bold,
            folder / self.files["bold"],
            grid.moved(to_boldref),
            motion,
            inputs.repetition_time,
            interpolation=inputs.interpolation,
            smoothing_mm=inputs.smoothing_mm,
            dtype=inputs.dtype,
            threads=inputs.threads,
        )
        write_image(folder / self.files["boldref"], mean, grid.affine)


class MaskBoldInputs(BaseInterfaceInputSpec):
    """Inputs of `MaskBold`."""

    boldrefs = InputMultiObject(File(exists=True), mandatory=True, desc="mean of each resampled run of the subject")
    map = File(exists=True, mandatory=True, desc="map from the template grid")
    template = traits.Dict(usedefault=True, desc="settings of the template; the packaged one when empty")
    least_signal = traits.Range(low=0.0, high=1.0, value=0.0, usedefault=True, desc="share of the run's median")


class MaskBoldOutputs(TraitedSpec):
    """Outputs of `MaskBold`."""

    mask = File(exists=True, desc="template brain inside the field of view of every run")


class MaskBold(Interface):
    """Mask of the voxels that every run of the subject covers."""

    input_spec = MaskBoldInputs
    output_spec = MaskBoldOutputs
    files = {"mask": "mask.nii.gz"}

    def _produce(self, folder: Path) -> None:
        grid = template_grid(*read_volume(self.inputs.map), files=TemplateFiles.of(self.inputs.template))
        means = [read_volume(path)[0] for path in self.inputs.boldrefs]
        for path, mean in zip(self.inputs.boldrefs, means, strict=True):
            if mean.shape != grid.shape:
                raise DataError(path, f"its grid {mean.shape} is not {grid.shape}", "Run the rule resample again")
        mask = bold_mask(means, grid.mask, self.inputs.least_signal)
        write_image(folder / self.files["mask"], mask.astype(np.uint8), grid.affine)
