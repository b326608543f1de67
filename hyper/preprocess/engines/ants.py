"""ANTs: antsRegistration, antsApplyTransforms."""

from pathlib import Path
from typing import Any

import numpy as np
from nipype.interfaces.base import traits

from hyper.io.volumes import read_volume, write_image
from hyper.preprocess.engines.conventions import from_itk_field, read_itk_affine
from hyper.preprocess.engines.stock import (
    AlignRunEngine,
    RegisterAnatomicalEngine,
    RegisterAnatomicalInputs,
    RegisterBoldEngine,
    link,
    run_stock,
)
from hyper.preprocess.template import Template

_LINEAR_ITERATIONS = [1000, 500, 250]


class AntsAlignRun(AlignRunEngine):
    """Rigid with mutual information, from the scanner's coordinates."""

    engine = "ants"

    def _matrix(self, folder: Path) -> np.ndarray:
        return _rigid(self.inputs.reference, self.inputs.boldref, self.inputs.seed)


class AntsRegisterBold(RegisterBoldEngine):
    """Rigid with mutual information, from the centres of mass."""

    engine = "ants"

    def _matrix(self, folder: Path) -> np.ndarray:
        return _rigid(self.inputs.t1w, self.inputs.boldref, self.inputs.seed, initial_moving_transform_com=1)


class AntsRegisterAnatomicalInputs(RegisterAnatomicalInputs):
    """Inputs of `AntsRegisterAnatomical`."""

    warp_resolution_mm = traits.Range(low=0.5, value=2.0, usedefault=True, desc="grid of the registration (mm)")
    warp_iterations = traits.List(traits.Int, value=[40, 25, 10], usedefault=True, desc="coarse to fine; [] for none")
    radius = traits.Range(low=1, value=3, usedefault=True, desc="radius of the cross-correlation (voxels)")


class AntsRegisterAnatomical(RegisterAnatomicalEngine):
    """Rigid and affine with mutual information, SyN with cross-correlation; composed to one field by ANTs itself."""

    engine = "ants"
    input_spec = AntsRegisterAnatomicalInputs

    def _coordinates(self, folder: Path, template: Template) -> np.ndarray:
        coarse = self._template(self.inputs.warp_resolution_mm)
        write_image("fixed.nii.gz", coarse.t1 * coarse.brain, coarse.affine)
        write_image("grid.nii.gz", template.t1 * template.brain, template.affine)
        moving = link(self.inputs.brain, "moving")
        stages = [_linear_stage("Rigid"), _linear_stage("Affine")]
        transforms = ["pose_0GenericAffine.mat"]
        if self.inputs.warp_iterations:
            stages.append(_warp_stage(list(self.inputs.warp_iterations), self.inputs.radius))
            transforms.insert(0, "pose_1Warp.nii.gz")
        _register("fixed.nii.gz", moving, stages, transforms, self.inputs.threads, initial_moving_transform_com=1)
        _compose(moving, transforms, self.inputs.threads)
        field, affine = read_volume("field.nii.gz")
        return from_itk_field(field, affine)


def _rigid(fixed: str, moving: str, seed: int, **options: Any) -> np.ndarray:
    """World of the fixed to world of the moving volume."""
    made = "pose_0GenericAffine.mat"
    stages = [_linear_stage("Rigid")]
    _register(link(fixed, "fixed"), link(moving, "moving"), stages, [made], 1, seed=seed, **options)
    return read_itk_affine(made)


def _linear_stage(kind: str) -> dict[str, Any]:
    return {
        "transforms": kind,
        "transform_parameters": (0.1,),
        "metric": "MI",
        "radius_or_number_of_bins": 32,
        "sampling_strategy": "Regular",
        "sampling_percentage": 0.25,
        "number_of_iterations": _LINEAR_ITERATIONS,
        **_pyramid(len(_LINEAR_ITERATIONS)),
    }


def _warp_stage(iterations: list[int], radius: int) -> dict[str, Any]:
    return {
        "transforms": "SyN",
        "transform_parameters": (0.1, 3.0, 0.0),
        "metric": "CC",
        "radius_or_number_of_bins": radius,
        "sampling_strategy": None,
        "sampling_percentage": None,
        "number_of_iterations": iterations,
        **_pyramid(len(iterations)),
    }


def _pyramid(levels: int) -> dict[str, Any]:
    steps = list(reversed(range(levels)))
    return {
        "metric_weight": 1.0,
        "convergence_threshold": 1e-6,
        "convergence_window_size": 10,
        "shrink_factors": [2**step for step in steps],
        "smoothing_sigmas": [float(step) for step in steps],
        "sigma_units": "vox",
    }


def _register(
    fixed: str, moving: str, stages: list[dict[str, Any]], made: list[str], threads: int, seed: int = 0, **options: Any
) -> None:
    from nipype.interfaces import ants

    run_stock(
        ants.Registration,
        *made,
        dimension=3,
        fixed_image=fixed,
        moving_image=moving,
        output_transform_prefix="pose_",
        collapse_output_transforms=True,
        write_composite_transform=False,
        num_threads=threads,
        environ={"ANTS_RANDOM_SEED": str(seed + 1)},
        **{name: [stage[name] for stage in stages] for name in stages[0]},
        **options,
    )


def _compose(moving: str, transforms: list[str], threads: int) -> None:
    from nipype.interfaces import ants

    run_stock(
        ants.ApplyTransforms,
        "field.nii.gz",
        dimension=3,
        input_image=moving,
        reference_image="grid.nii.gz",
        transforms=transforms,
        output_image="field.nii.gz",
        print_out_composite_warp_file=True,
        num_threads=threads,
    )
