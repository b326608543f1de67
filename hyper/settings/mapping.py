"""Which voxels carry which layer."""

from typing import Literal, Self

from pydantic import Field, model_validator

from hyper.settings.section import Section


class Cube(Section):
    """The voxels that are removed at a time."""

    size: float = Field(7, gt=0, description="Edge of the cube around a voxel, restricted to the mask.")
    unit: Literal["voxels", "mm"] = Field(
        "voxels", description="Unit of the size: an odd number of voxels, or mm (the nearest odd number is taken)."
    )
    replaced_by: Literal["mean", "conditional"] = Field(
        "mean",
        description="What takes the place of removed voxels: their training mean, as published, or what the "
        "remaining voxels lead to expect (covariance of the training trials, shrunk by Ledoit and Wolf).",
    )


class Screening(Section):
    """How the screened mode saves work."""

    left: float = Field(
        0.03, gt=0, lt=1,
        description="Activations are interpolated between those of removals that span all but this share of the steps "
        "in latent space.",
    )  # fmt: skip
    drawn: int = Field(
        64, ge=20, description="Voxels drawn at random that are computed, to learn what interpolation misses."
    )
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Of the bound of an estimate's error.")
    wrong: float = Field(
        0.02, gt=0, lt=1,
        description="Voxels are computed, the least clear first, until the share expected to have another layer than "
        "if all were computed is at most this.",
    )  # fmt: skip


class Atlas(Section):
    """Regions of the brain in MNI space."""

    volume: str | None = Field(
        None,
        description="NIfTI of region numbers in MNI space; null takes ellipsoids about typical centres of face and "
        "object areas (V1, LO, OFA, FFA, pSTS).",
    )
    labels: str | None = Field(None, description="Table (TSV) of the volume's regions, with columns index and name.")
    grouping: Literal["none", "glasser"] = Field(
        "none",
        description="`glasser` joins the areas of a volume of the HCP's multimodal parcellation to primary, early, "
        "dorsal and ventral visual cortex and the MT+ complex; areas of no group are left out.",
    )

    @model_validator(mode="after")
    def _both(self) -> Self:
        if (self.volume is None) != (self.labels is None):
            raise ValueError("a volume needs its table of labels, and the table its volume")
        if self.grouping == "glasser" and self.volume is None:
            raise ValueError("grouping: glasser needs a volume of that parcellation, which does not ship")
        return self


class Mapping(Section):
    """Searchlight-occlusion: the effect of removing a voxel's surroundings on each layer's decoder."""

    decoders: list[str] = Field(
        [],
        description="Decoders to compare, each trained on one layer alone (kind dense, layer, latents: false); "
        "four as published, L1 to L4. No map is made when there are none.",
    )
    cube: Cube = Field(Cube(), description="The voxels that are removed at a time.")
    measure: Literal["similarity", "error"] = Field(
        "similarity",
        description="Effect that decides: loss of 1/(1+MSE), as published, or growth of the MSE; both are written.",
    )
    mode: Literal["exact", "screened"] = Field(
        "exact",
        description="`screened` interpolates activations between a few removals and computes only voxels without a "
        "clear winner; its p-values are those of the interpolation. Every chunk starts anew: ask for few.",
    )
    screening: Screening = Field(Screening(), description="How the screened mode saves work.")
    precision: Literal["single", "mixed"] = Field(
        "single", description="Of the generator's products; `mixed` multiplies in bfloat16."
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="`auto` takes the GPU if there is one.")
    chunks: int = Field(8, ge=1, description="Jobs that a subject's voxels are shared out to.")
    permutations: int = Field(2000, ge=99, description="Random pairings of predictions and stimuli behind each p.")
    alpha: float = Field(0.05, gt=0, lt=1, description="Family-wise level, over voxels and layers, of the maps.")
    bootstrap: int = Field(1000, ge=100, description="Bootstrap samples of the stimuli behind a winner's confidence.")
    certain: float = Field(0.95, gt=0.5, le=1, description="Confidence from which on a voxel's winner is certain.")
    atlas: Atlas = Field(Atlas(), description="Regions whose layers are counted.")

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if len(self.decoders) == 1:
            raise ValueError("one decoder has nothing to be compared with: name two or more, or none")
        if len(set(self.decoders)) < len(self.decoders):
            raise ValueError("a decoder is named twice")
        return self
