"""From features of the stimuli to responses."""

import re
from typing import Literal, Self

from pydantic import Field, model_validator

from hyper.settings.section import Section


class EncodingWeights(Section):
    """Files of weights that you have."""

    vgg16_faces: str | None = Field(
        None,
        description="VGG16 of VGGFace, for vgg16-faces-1 to -5: Keras .h5 of keras_vggface, vgg_face_dag.pth or the "
        "authors' vgg_face.mat.",
    )
    vgg16_objects: str | None = Field(
        None, description="VGG16 of ImageNet, for vgg16-objects-1 to -5: torchvision's or Keras' file."
    )
    clip: str | None = Field(
        None,
        description="CLIP of OpenAI, a transformer or a residual network, for clip; ViT-L/14@336px as published.",
    )


class Encoding(Section):
    """Encoding models: which features of the stimuli predict the response of each voxel or channel."""

    features: list[str] = Field(
        [],
        description="Features to compare; no encoding model is fitted when there are none. `pixels`, `gabor`, `dlib` "
        "(packages of PyPI), `vgg16-faces-1` to `-5`, `vgg16-objects-1` to `-5`, `clip` (files of weights), `z`, `w`, "
        "`generator-L1` and so on (layers of the study's generator), or a name of encoding.files.",
    )
    files: dict[str, str] = Field(
        {},
        description="Features that a file holds, by name: HDF5 with the datasets features (stimulus, feature) and "
        "stimuli, their names.",
    )
    weights: EncodingWeights = Field(EncodingWeights(), description="Files of weights that you have.")
    images: str | None = Field(
        None,
        description="Folder of the images, each named as its stimulus (`train-0001` may be `0001` in a folder "
        "`train`). `null` takes the dataset's (dataset.stimuli); where there are none, or with `generated`, the "
        "generator makes them of the latents.",
    )
    method: Literal["published", "notebook", "cross-validated"] = Field(
        "published",
        description="Kernel ridge regression with penalties by effective degrees of freedom, one for each region; the "
        "same as the authors' code ran (docs/encoding.md); or with a penalty for each channel, by cross-validation.",
    )
    penalties: int = Field(5, ge=2, description="Penalties by degrees of freedom, from the kernel's rank to 1.")
    centre: bool = Field(
        True,
        description="Take the mean of the training trials off features and responses; cross-validation and the joint "
        "model always do, the notebook's code never.",
    )
    folds: int = Field(5, ge=2, description="Of cross-validation, where there are no runs to leave out.")
    joint: list[str] = Field(
        [],
        description="Features of a joint model (banded ridge regression), whose explained variance is partitioned; "
        "none if empty.",
    )
    candidates: int = Field(20, ge=0, description="Weights of its features that are drawn at random and tried.")
    permutations: int = Field(
        0,
        ge=0,
        description="Permutations of the test stimuli behind each p; with 0, p is by Student's t, as published.",
    )
    correction: Literal["holm", "fdr", "none"] = Field(
        "fdr", description="Correction of p over the channels and features of a subject."
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="Level of the corrected p from which a channel is counted.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where cross-validated models are computed: `auto` takes the GPU if there is one."
    )

    @model_validator(mode="after")
    def _names(self) -> Self:
        for names in (self.features, self.joint):
            if len(set(names)) < len(names):
                raise ValueError("a feature is named twice")
        odd = [name for name in [*self.features, *self.files] if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)]
        if odd:
            raise ValueError(f"{odd[0]!r} cannot name a feature: letters, digits, '-', '_' and '.' only")
        missing = [name for name in self.joint if name not in self.features]
        if missing:
            raise ValueError(f"joint: {missing[0]!r} is none of the features")
        if len(self.joint) == 1:
            raise ValueError("one feature is no joint model: name two or more, or none")
        return self
