"""Realignment, normalisation, one interpolation."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from hyper.settings.section import Section


class Realign(Section):
    """Motion within a run: to its first, then to its mean volume."""

    engine: Literal["hyper", "spm", "fsl", "afni"] | None = Field(
        None, description="Who realigns: `hyper`, Gauss-Newton on B-splines; null: as preprocess.engine."
    )
    smoothing_mm: float = Field(5.0, gt=0, description="Smoothing before volumes are compared (mm, FWHM).")
    spacing_mm: float = Field(3.0, gt=0, description="Distance of the sampling points (mm); at least one voxel.")
    informative_share: float = Field(
        0.25, ge=0.01, le=1, description="Share of the sampling points used: those that change most with the pose."
    )
    tolerance_mm: float = Field(0.02, gt=0, description="Iterations end when the head moves less than this (mm).")
    mean_volumes: int = Field(64, ge=2, description="The mean is that of at most so many volumes, evenly spread.")
    radius_mm: float = Field(50.0, gt=0, description="Radius of the head for framewise displacement (mm).")


class AlignRun(Section):
    """From the mean volume of the subject's first run to that of each run."""

    engine: Literal["hyper", "spm", "fsl", "afni", "ants"] | None = Field(
        None, description="Who aligns: `hyper`, Gauss-Newton on B-splines; null: as preprocess.engine."
    )
    smoothing_mm: float = Field(5.0, gt=0, description="Smoothing of the finest level (mm, FWHM).")
    spacing_mm: float = Field(3.0, gt=0, description="Distance of the sampling points (mm); at least one voxel.")
    informative_share: float = Field(
        0.25, ge=0.01, le=1, description="Share of the sampling points used: those that change most with the pose."
    )
    tolerance_mm: float = Field(0.01, gt=0, description="Iterations end when the head moves less than this (mm).")


class Brain(Section):
    """Brain extraction of the T1w volume."""

    method: Literal["deepbet", "none"] = Field(
        "deepbet", description="`deepbet` finds the brain by a network; `none` takes a volume that is already stripped."
    )
    bias_order: int = Field(2, ge=0, le=5, description="Degree of the receive field that is divided out; 0: none.")


class Anatomical(Section):
    """T1w brain to the template: affine, then a warp. Sets the template grid of the study."""

    engine: Literal["hyper", "spm", "fsl", "ants"] | None = Field(
        None, description="Who registers: `hyper`, dipy's affine and SyN; null: as preprocess.engine."
    )
    resolution_mm: float = Field(2.0, ge=1, le=8, description="Voxels of the template grid of all results (mm).")
    warp_resolution_mm: float = Field(2.0, ge=1, le=8, description="Grid on which the warp is estimated (mm).")
    affine_iterations: list[int] = Field([200, 100], min_length=1, description="Iterations, coarse to fine.")
    warp_iterations: list[int] = Field([40, 25, 10], description="Iterations, coarse to fine; [] for an affine alone.")
    radius: int = Field(3, ge=1, le=10, description="Radius of the window of the cross-correlation (voxels).")


class Coregistration(Section):
    """Mean BOLD volume to T1w brain."""

    engine: Literal["hyper", "spm", "fsl", "ants"] | None = Field(
        None,
        description="Who registers: `hyper`, dipy's mutual information, then least squares; null: as "
        "preprocess.engine.",
    )
    resolution_mm: float = Field(4.0, ge=1, le=8, description="Grid and distance of the sampling points (mm).")
    smoothing_mm: list[float] = Field([10.0, 5.0], min_length=1, description="Smoothing, coarse to fine (mm, FWHM).")


class Resample(Section):
    """All transforms composed, each volume interpolated once."""

    interpolation: Literal["cubic", "linear"] = Field("cubic", description="Interpolation; cubic is by B-splines.")
    dtype: Literal["int16", "float32"] = Field(
        "int16", description="Type on disk; int16 is scaled to the range of the data and takes half the space."
    )
    margin_mm: float = Field(
        4.0, ge=0, description="Voxels up to so far outside the template's brain are computed (mm)."
    )


class Mask(Section):
    """Voxels of the template's brain that every run covers."""

    least_signal: float = Field(
        0.0, ge=0, le=1, description="Voxels below this share of a run's median signal are left out."
    )


class Confounds(Section):
    """Confounds of each run, as fMRIPrep names them."""

    high_pass: float = Field(1 / 128, ge=0, description="Cut-off of the cosine terms (Hz); 0: none.")
    probability: float = Field(
        0.9, gt=0.5, le=1, description="Least probability of white matter and of cerebrospinal fluid in their masks."
    )


class Figures(Section):
    """Figures of motion and registration."""

    displacement_mm: float = Field(0.5, gt=0, description="Line drawn at this framewise displacement (mm).")
    slices: int = Field(7, ge=3, le=12, description="Slices per row of the registration figure.")


# the steps each engine has; the others are done by `hyper`
STEPS = {
    "hyper": ("realign", "align_run", "anatomical", "coregistration"),
    "spm": ("realign", "align_run", "anatomical", "coregistration"),
    "fsl": ("realign", "align_run", "anatomical", "coregistration"),
    "afni": ("realign", "align_run"),
    "ants": ("align_run", "anatomical", "coregistration"),
}


class Preprocess(Section):
    """Realignment, normalisation, one interpolation."""

    engine: Literal["hyper", "spm", "fsl", "afni", "ants"] = Field(
        "hyper",
        description="Who does the steps: `hyper` needs no program; `spm`, `fsl`, `afni` and `ants` must be installed. "
        "A step that an engine lacks is done by `hyper` (afni has realign and align_run, ants all but realign); each "
        "step may name another.",
    )
    realign: Realign = Field(Realign(), description="Motion within a run.")
    align_run: AlignRun = Field(AlignRun(), description="From the first run to each run.")
    brain: Brain = Field(Brain(), description="Brain extraction.")
    anatomical: Anatomical = Field(Anatomical(), description="T1w brain to template; the grid of the study.")
    coregistration: Coregistration = Field(Coregistration(), description="Mean BOLD volume to T1w brain.")
    resample: Resample = Field(Resample(), description="One interpolation.")
    mask: Mask = Field(Mask(), description="Brain mask of the BOLD runs.")
    confounds: Confounds = Field(Confounds(), description="Confounds of each run.")
    figures: Figures = Field(Figures(), description="Figures of motion and registration.")

    @model_validator(mode="before")
    @classmethod
    def _engine_of_each_step(cls, given: Any) -> Any:
        """Write the engine into every step that names none: a rule then depends on that of its own step alone."""
        if not isinstance(given, Mapping) or given.get("engine", "hyper") not in STEPS:
            return given
        engine = given.get("engine", "hyper")
        filled = dict(given)
        for step in STEPS["hyper"]:
            section = filled.get(step) or {}
            section = section.model_dump(exclude_unset=True) if isinstance(section, Section) else section
            if isinstance(section, Mapping) and section.get("engine") is None:
                filled[step] = {**section, "engine": engine if step in STEPS[engine] else "hyper"}
        return filled

    @property
    def engines(self) -> dict[str, str]:
        """Engine of each step."""
        return {step: str(getattr(self, step).engine) for step in STEPS["hyper"]}
