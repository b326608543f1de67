"""From z-maps to response matrices."""

from pydantic import Field

from hyper.settings.section import Section


class Responses(Section):
    """Which voxels are kept."""

    voxels: int = Field(4096, gt=0, description="Number of voxels with the highest mean z over the training trials.")
