"""All sections together."""

from typing import Any, Self

from pydantic import Field, model_validator

from hyper.settings.baselines import Baselines
from hyper.settings.dataset import Dataset
from hyper.settings.decoding import Decoding, Dense
from hyper.settings.encoding import Encoding
from hyper.settings.evaluation import Evaluation
from hyper.settings.generators import Generators
from hyper.settings.glm import Glm
from hyper.settings.mapping import Mapping
from hyper.settings.preprocess import Preprocess
from hyper.settings.report import Report
from hyper.settings.responses import Responses
from hyper.settings.section import Section
from hyper.settings.simulation import Simulation
from hyper.settings.study import Study


class Settings(Section):
    """Every setting of a study, in the order in which data flow."""

    study: Study = Field(Study(), description="The study as a whole.")
    simulation: Simulation = Field(Simulation(), description="The simulated dataset.")
    dataset: Dataset = Field(Dataset(), description="Where the data are and how their events are read.")
    preprocess: Preprocess = Field(Preprocess(), description="Realignment, normalisation, one interpolation.")
    glm: Glm = Field(Glm(), description="One response per trial.")
    responses: Responses = Field(Responses(), description="Which voxels are kept.")
    generators: Generators = Field(Generators(), description="The network that makes the faces.")
    decoding: Decoding = Field(Decoding(), description="From responses to latents.")
    encoding: Encoding = Field(Encoding(), description="From features of the stimuli to responses.")
    mapping: Mapping = Field(Mapping(), description="Which voxels carry which layer of the generator.")
    baselines: Baselines = Field(Baselines(), description="What the decoders must beat.")
    evaluation: Evaluation = Field(Evaluation(), description="How good the reconstructions are.")
    report: Report = Field(Report(), description="Figures and the page.")

    @model_validator(mode="after")
    def _agree(self) -> Self:
        taken = {"eigenface", "eigenface-model", "vaegan", "vaegan-model"} & set(self.decoding.decoders)
        if taken:
            raise ValueError(f"{min(taken)!r} cannot name a decoder: it is the baseline's name")
        self._check_mapping()
        if self.encoding.features and self.study.last_stage == "glm":
            raise ValueError("encoding.features need responses: set study.last_stage: report, or name none")
        if self.dataset.responses is not None:
            return self._agree_with_responses()
        if self.dataset.implants is not None or self.simulation.implants is not None:
            return self._agree_with_implants()
        if not self.study.simulated and self.dataset.path is None:
            raise ValueError("dataset.path is not set: give the folder of a BIDS dataset, or set study.simulated: true")
        if self.study.last_stage == "report" and self.dataset.latents is None and not self.study.simulated:
            raise ValueError("dataset.latents is null: decoding needs latents; set study.last_stage: glm without them")
        if self.study.simulated and self.preprocess.template.t1w is not None:
            raise ValueError("a simulated study lies in the packaged template: leave preprocess.template.t1w null")
        if self.glm.contrasts and self.glm.regressors != "condition":
            raise ValueError("glm.contrasts need glm.regressors: condition")
        return self

    def _agree_with_responses(self) -> Self:
        if self.study.simulated or self.dataset.path is not None or self.dataset.implants is not None:
            raise ValueError("dataset.responses starts at decoding: unset study.simulated, dataset.path and implants")
        if self.study.last_stage == "glm":
            raise ValueError("dataset.responses starts after the glm: set study.last_stage: report")
        return self

    def _agree_with_implants(self) -> Self:
        layout, simulated = self.dataset.implants, self.simulation.implants
        if layout is None:
            raise ValueError(
                "simulation.implants needs the layout of channels: set dataset.implants ({} for the published)"
            )
        if self.dataset.path is not None or self.study.last_stage == "glm":
            raise ValueError("dataset.implants starts at decoding: leave dataset.path and study.last_stage as they are")
        if self.study.simulated != (simulated is not None):
            raise ValueError("study.simulated and simulation.implants go together where there is dataset.implants")
        if self.study.simulated == bool(layout.subjects):
            due = "leave it empty in a simulated study" if layout.subjects else "give the files of each animal"
            raise ValueError(f"dataset.implants.subjects: {due}")
        if simulated is not None and set(simulated.regions) != set(layout.regions):
            raise ValueError("simulation.implants.regions and dataset.implants.regions must have the same names")
        if self.decoding.shared_names():
            raise ValueError("decoding.decoders: animals with implants share no space: leave out `subjects: shared`")
        return self

    def _check_mapping(self) -> None:
        if not self.mapping.decoders:
            return
        if self.dataset.responses is not None or self.dataset.implants is not None:
            raise ValueError("mapping.decoders needs the places of voxels, which only a BIDS dataset holds")
        layers = []
        for name in self.mapping.decoders:
            decoder = self.decoding.decoders.get(name)
            if not isinstance(decoder, Dense) or decoder.layer is None or decoder.latents:
                raise ValueError(
                    f"mapping.decoders: {name!r} is no decoder of kind dense, with a layer and latents: false"
                )
            layers.append(decoder.layer)
        if len(set(layers)) < len(layers):
            raise ValueError("mapping.decoders: two are of the same layer")


def default_tree() -> dict[str, Any]:
    """Every setting's default, as a tree of plain values."""
    return {name: field.default.model_dump(mode="json") for name, field in Settings.model_fields.items()}
