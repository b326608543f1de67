"""Realignment, normalisation, one interpolation."""

from collections.abc import Mapping
from typing import Any, Literal, Self

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


class Template(Section):
    """The space of all results."""

    space: str = Field(
        "MNI152NLin2009aSym", pattern=r"^[A-Za-z0-9]+$", description="Its label in file names, `_space-<label>_`."
    )
    resolution_mm: float = Field(2.0, ge=1, le=8, description="Voxels of the template grid of all results (mm).")
    t1w: str | None = Field(
        None, description="T1w brain of a template of your own, a NIfTI file; null takes nilearn's MNI152NLin2009aSym."
    )
    mask: str | None = Field(None, description="Its brain mask; null takes its voxels above 0.")
    bold: str | None = Field(
        None, description="The same brain in the contrast of a mean EPI volume; for subjects without a T1w volume."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        packaged = Template.model_fields["space"].default
        if self.t1w is not None and self.space == packaged:
            raise ValueError(f"t1w is not {packaged}: give the label of your template as space")
        if self.t1w is None and self.space != packaged:
            raise ValueError(f"space {self.space} needs its files: give at least t1w")
        if self.t1w is None and (self.mask or self.bold):
            raise ValueError("mask and bold belong to a template of your own: give its t1w too")
        return self


class Brain(Section):
    """Brain extraction and receive field, of the T1w volume or, without one, of the mean BOLD volume."""

    method: Literal["deepbet", "none"] = Field(
        "deepbet",
        description="T1w: `deepbet` finds the brain by a network; `none` takes a volume that is already stripped.",
    )
    bias: Literal["polynomial", "n4", "none"] = Field(
        "polynomial", description="How the receive field is divided out; `n4` needs antspyx."
    )
    bias_order: int = Field(2, ge=0, le=5, description="Degree of the polynomial; 0: none.")


class Anatomical(Section):
    """Brain to the template: affine, then a warp."""

    engine: Literal["hyper", "dipy", "antspyx", "spm", "fsl", "ants"] | None = Field(
        None,
        description="Who finds the warp: `hyper`, greedy local cross-correlation after dipy's affine; `dipy` and "
        "`antspyx`, their SyN (antspyx is to be installed by you); null: as preprocess.engine. spm, fsl and ants need "
        "a T1w volume; runs that go straight to the template are left to hyper.",
    )
    quick: bool = Field(False, description="Half the iterations, on a grid of at least 3 mm: for a first look.")
    warp_resolution_mm: float = Field(2.0, ge=1, le=8, description="Grid on which the warp is estimated (mm).")
    affine_iterations: list[int] = Field([200, 100], min_length=1, description="Iterations, coarse to fine.")
    warp_iterations: list[int] = Field([30, 40, 40], description="Iterations, coarse to fine; [] for an affine alone.")
    radius: int = Field(2, ge=1, le=10, description="Radius of the window of the cross-correlation (voxels).")


class Coregistration(Section):
    """Mean BOLD volume to T1w brain."""

    engine: Literal["hyper", "spm", "fsl", "ants"] | None = Field(
        None,
        description="Who registers: `hyper`, dipy's mutual information, then the boundary of white matter; null: as "
        "preprocess.engine.",
    )
    resolution_mm: float = Field(4.0, ge=1, le=8, description="Grid of the mutual information (mm).")
    boundary_mm: float = Field(
        2.0, ge=0, le=8, description="How far to both sides of the boundary BOLD is compared (mm); 0 leaves it out."
    )
    points: int = Field(30_000, ge=500, description="Points of the boundary, at most.")


class Resample(Section):
    """All transforms composed, each volume interpolated once."""

    interpolation: Literal["cubic", "linear", "lanczos"] = Field(
        "cubic", description="Interpolation; cubic is by B-splines, lanczos a windowed sinc of three lobes."
    )
    smoothing_mm: float = Field(0.0, ge=0, le=20, description="Smoothing afterwards (mm, FWHM); 0: none.")
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
    template: Template = Field(Template(), description="The space of all results.")
    via: Literal["auto", "T1w", "bold"] = Field(
        "auto",
        description="How runs reach the template: through the subject's T1w volume, straight from the mean BOLD "
        "volume, or, `auto`, through the T1w volume where there is one.",
    )
    realign: Realign = Field(Realign(), description="Motion within a run.")
    align_run: AlignRun = Field(AlignRun(), description="From the first run to each run.")
    brain: Brain = Field(Brain(), description="Brain extraction.")
    anatomical: Anatomical = Field(Anatomical(), description="T1w brain to template.")
    coregistration: Coregistration = Field(Coregistration(), description="Mean BOLD volume to T1w brain.")
    resample: Resample = Field(Resample(), description="One interpolation.")
    mask: Mask = Field(Mask(), description="Brain mask of the BOLD runs.")
    confounds: Confounds = Field(Confounds(), description="Confounds of each run.")
    figures: Figures = Field(Figures(), description="Figures of motion and registration.")

    @model_validator(mode="after")
    def _spm_has_its_own_template(self) -> Self:
        if self.anatomical.engine == "spm" and self.template.t1w is not None:
            raise ValueError(
                "spm normalises to its own tissue maps: give another anatomical.engine, or no template.t1w"
            )
        return self

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
