"""Figures and the page."""

from pydantic import Field

from hyper.settings.section import Section


class Faces(Section):
    """The figure of stimuli and reconstructions."""

    most: int = Field(36, gt=0, description="Test stimuli shown per subject; the first ones when there are more.")
    columns: int = Field(12, ge=2, le=24, description="Stimuli side by side in the figure.")


class Brain(Section):
    """Maps drawn on slices of the template."""

    slices: int = Field(6, ge=2, le=12, description="Slices per orientation (axial, coronal, sagittal).")
    resolution: float = Field(1.0, gt=0, description="Resolution of the template underneath, mm.")
    threshold: float = Field(3.1, ge=0, description="Where a study ends at glm, its map is drawn from this |z| on.")


class Report(Section):
    """Figures and the page."""

    title: str | None = Field(None, description="Title of the page; the study's name if null.")
    share: bool = Field(
        False, description="The page will be handed on: leave out images of anatomy outside the brain and local paths."
    )
    dpi: int = Field(200, ge=150, le=600, description="Resolution of the PNG figures, dots per inch.")
    faces: Faces = Field(Faces(), description="The figure of stimuli and reconstructions.")
    brain: Brain = Field(Brain(), description="Maps drawn on slices of the template.")
