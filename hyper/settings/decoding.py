"""From responses to latents."""

import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from hyper.settings.section import Section

Scaling = Literal["zscore", "none"]
Device = Literal["auto", "cpu", "cuda"]
Subjects = Literal["own", "shared"]

_SCALING = "Voxels are z-scored by mean and standard deviation of the training trials, or taken as they are."
_FOLDS = "Folds of neighbouring trials when all are of one run; else one run is left out at a time."
_DEVICE = "`auto` takes the GPU if there is one."
_SUBJECTS = (
    "Training trials of the subject alone, or of all subjects in a shared space (decoding.shared); leaving runs out "
    "does not choose among shared ones, whose space all runs made."
)


class Dense(Section):
    """The published decoders: a dense layer trained by Adam on the squared error of latents, of a layer, or both."""

    kind: Literal["dense"] = Field("dense", description="A dense layer, as published.")
    epochs: int = Field(1500, ge=1, description="Passes over the training trials; 1500 in the authors' notebook.")
    learning_rate: float = Field(1e-5, gt=0, description="Adam's learning rate.")
    batch_size: int = Field(30, ge=1, description="Trials per step.")
    weight_decay: float = Field(0.01, ge=0, description="Decay of weight and bias.")
    decoupled: bool = Field(
        False, description="Decay the parameters themselves (AdamW) instead of adding to the gradient, as published."
    )
    layer: str | None = Field(
        None, description="Layer of the generator whose activation counts in the loss, such as L1; null for none."
    )
    latents: bool = Field(True, description="Whether the latents count in the loss.")
    centre: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Share of height and width of the layer's map, about its middle, that counts; null is 0.5 beside "
        "the latents (the sources say `the centres`, and no number), 1 where the layer counts alone.",
    )
    precision: Literal["single", "mixed"] = Field(
        "single", description="Of the generator's products in training; `mixed` multiplies in bfloat16."
    )
    scaling: Scaling = Field("zscore", description=_SCALING)
    device: Device = Field("auto", description=_DEVICE)
    subjects: Subjects = Field("own", description=_SUBJECTS)

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if self.layer is None and not self.latents:
            raise ValueError("nothing is left of the loss: name a layer, or let the latents count")
        return self


class Chainer(Section):
    """A decoder that the authors trained and released (Chainer)."""

    kind: Literal["chainer"] = Field("chainer", description="A trained linear decoder, a Chainer `.model`.")
    files: dict[str, str] = Field(
        min_length=1, description="The `.model` of each subject, by label; the others do without this decoder."
    )


class Ridge(Section):
    """Ridge regression; cross-validation on the training trials chooses the penalty."""

    kind: Literal["ridge"] = Field("ridge", description="Ridge regression by himalaya.")
    penalty: Literal["shared", "per latent"] = Field(
        "shared", description="One penalty for all latents, or each latent its own."
    )
    lowest: float = Field(1e-1, gt=0, description="Lowest penalty tried.")
    highest: float = Field(1e7, gt=0, description="Highest penalty tried.")
    number: int = Field(33, ge=1, description="Penalties tried, evenly spaced on a logarithmic scale.")
    selection: Literal["folds", "gcv"] = Field(
        "folds", description="Of the penalty: by folds, or by generalised cross-validation, which knows no runs."
    )
    folds: int = Field(5, ge=2, description=_FOLDS)
    scaling: Scaling = Field("zscore", description=_SCALING)
    weighting: Literal["none", "reliability"] = Field(
        "none", description="`reliability` gives voxels more weight that the latents explain better (training trials)."
    )
    device: Device = Field("auto", description=_DEVICE)
    subjects: Subjects = Field("own", description=_SUBJECTS)


class LeastSquares(Section):
    """Ordinary least squares."""

    kind: Literal["ols"] = Field("ols", description="Ordinary least squares, as in the published follow-up.")
    scaling: Scaling = Field("zscore", description=_SCALING)
    subjects: Subjects = Field("own", description=_SUBJECTS)


class Components(Section):
    """Least squares on components; cross-validation on the training trials chooses their number."""

    kind: Literal["components"] = Field("components", description="Regression on components.")
    method: Literal["pcr", "pls"] = Field("pcr", description="Principal components or partial least squares.")
    numbers: list[int] = Field(
        [1, 2, 5, 10, 20, 50, 100, 200, 400], min_length=1, description="Numbers of components tried."
    )
    folds: int = Field(5, ge=2, description=_FOLDS)
    scaling: Scaling = Field("zscore", description=_SCALING)
    subjects: Subjects = Field("own", description=_SUBJECTS)


class Direction(Section):
    """The direction of the latent alone, by the cosine loss."""

    kind: Literal["direction"] = Field("direction", description="Cosine loss.")
    penalties: list[float] = Field([0.1, 0.3, 1.0, 3.0], min_length=1, description="Penalties tried.")
    steps: int = Field(30, ge=1, description="Steps of L-BFGS at most.")
    folds: int = Field(5, ge=2, description=_FOLDS)
    scaling: Scaling = Field("zscore", description=_SCALING)
    subjects: Subjects = Field("own", description=_SUBJECTS)


class NoiseAware(Section):
    """Posterior mean under an encoding model, for the number of repeats of each test stimulus."""

    kind: Literal["noise-aware"] = Field("noise-aware", description="Bayes' rule on an encoding model.")
    components: int | None = Field(
        None, ge=0, description="Components of noise that voxels share; null counts them in the training trials."
    )
    noise: Literal["low-rank", "ledoit-wolf"] = Field(
        "low-rank",
        description="Its covariance: shared components and private variances, or Ledoit and Wolf's mixture "
        "of the sample's with equal independent variances (`components` then plays no part).",
    )
    iterations: int = Field(6, ge=1, description="Iterations of the marginal likelihood's maximisation.")
    weight_uncertainty: bool = Field(
        True, description="Count what is unknown of a voxel's weights as noise; it calibrates the latents' length."
    )
    prior: Literal["standard", "empirical"] = Field(
        "standard", description="Of the latents: N(0, I), or mean and variances of the training latents."
    )
    scaling: Scaling = Field("zscore", description=_SCALING)
    subjects: Subjects = Field("own", description=_SUBJECTS)


Member = Annotated[Dense | Ridge | LeastSquares | Components | Direction | NoiseAware, Field(discriminator="kind")]


class Ensemble(Section):
    """The mean of several decoders."""

    kind: Literal["ensemble"] = Field("ensemble", description="The mean of several decoders.")
    members: list[Member] = Field(min_length=1, description="The decoders, each with its `kind` and settings.")
    combine: Literal["direction", "mean"] = Field(
        "direction", description="`direction` brings each member's latent to length 1 first."
    )
    subjects: Subjects = Field("own", description=_SUBJECTS)

    @model_validator(mode="after")
    def _learns_as_one(self) -> Self:
        if any(member.subjects != "own" for member in self.members):
            raise ValueError("`subjects` is the ensemble's: all members learn from the same trials")
        return self


AnyDecoder = Annotated[
    Dense | Ridge | LeastSquares | Components | Direction | NoiseAware | Ensemble | Chainer,
    Field(discriminator="kind"),
]


def _default_decoders() -> dict[str, AnyDecoder]:
    return {"published": Dense(), "ridge": Ridge(), "noise-aware": NoiseAware()}


class SharedSpace(Section):
    """The space of decoders with `subjects: shared`, learned on the training trials of all subjects."""

    dimensions: int = Field(
        100, ge=1, description="At most; fewer where a subject has fewer voxels or the subjects fewer common stimuli."
    )
    iterations: int = Field(10, ge=1, description="Turns of fitting the subjects' maps and what they share.")


class Interpolation(Section):
    """Images on the way from the decoded to the true latents."""

    stimuli: int = Field(6, ge=1, description="Test stimuli; the first ones when there are more.")
    steps: int = Field(
        13, ge=2, description="Images of each, both ends included; the figure draws seven of them, the animation all."
    )


class OverTime(Section):
    """Decoding from windows of time-resolved responses; the defaults are those of the published study."""

    width: float = Field(100.0, gt=0, description="Width of a window, ms.")
    stride: float = Field(25.0, gt=0, description="Time from one window to the next, ms.")
    decoder: str | None = Field(None, description="Which of decoding.decoders; null takes the first.")
    train_window: float | None = Field(
        None,
        description="Start of the one window, ms from the onset, that the decoder of all windows learns from; null "
        "gives each window a decoder of its own. The temporal generalisation matrix has both.",
    )
    rise: float = Field(
        0.5, gt=0, lt=1, description="Share of the rise from before the onset to the peak at which latency is taken."
    )
    pictures: int = Field(6, ge=1, le=24, description="Test stimuli whose reconstructions are shown over time.")
    milliseconds: int = Field(600, ge=20, description="How long the animation shows each window, ms.")


class Decoding(Section):
    """From responses to latents."""

    decoders: dict[str, AnyDecoder] = Field(
        default_factory=_default_decoders,
        min_length=1,
        description="Decoders by a name of your choice; `kind` says which. A study that sets this "
        "names all it wants: the defaults are replaced, not added to.",
    )
    candidates: list[str] | None = Field(
        None,
        description="Decoders among which leaving out training runs chooses (choice.tsv); null takes all but those of "
        "kind dense, which take hours to fit once per run, chainer, which come trained, and those of shared "
        "subjects. The test set plays no part.",
    )
    shared: SharedSpace = Field(SharedSpace(), description="The space that subjects share, where a decoder wants one.")
    rescale: Literal["none", "unit", "prior"] = Field(
        "prior",
        description="Length given to decoded latents before images are made of them (the metrics of latents see them "
        "as decoded): `prior` is the root of the number of latents, the length of the latents a generator was trained "
        "with. Regression shrinks latents towards zero, and images of shrunken latents resemble one and the same "
        "image, whatever was seen. `unit` is 1, `none` keeps the length.",
    )
    interpolation: Interpolation = Field(
        Interpolation(), description="Images on the way from the decoded to the true latents."
    )
    over_time: OverTime = Field(OverTime(), description="Decoding over time, where implants have responses over time.")

    @field_validator("decoders")
    @classmethod
    def _names_are_usable(cls, decoders: dict[str, AnyDecoder]) -> dict[str, AnyDecoder]:
        for name in decoders:
            if not re.fullmatch(r"(?!trivial-)[A-Za-z0-9][A-Za-z0-9_-]*", name):
                raise ValueError(
                    f"{name!r} cannot name a decoder: letters, digits, _ and - only, and trivial-... is taken"
                )
        return decoders

    @model_validator(mode="after")
    def _candidates_exist(self) -> Self:
        for name in self.candidates or []:
            if name not in self.decoders:
                raise ValueError(f"the candidate {name!r} is none of the decoders {', '.join(self.decoders)}")
            decoder = self.decoders[name]
            if isinstance(decoder, Chainer) or getattr(decoder, "layer", None):
                raise ValueError(f"the candidate {name!r} cannot be fitted to some of the runs: leave it out")
            if decoder.subjects == "shared":
                raise ValueError(f"the candidate {name!r} learns in a space that all runs made: leave it out")
        return self

    @model_validator(mode="after")
    def _decoder_over_time(self) -> Self:
        name = self.over_time.decoder
        if name is not None and name not in self.decoders:
            raise ValueError(f"over_time.decoder {name!r} is none of the decoders {', '.join(self.decoders)}")
        chosen = self.decoders[self.name_over_time()]
        if name is not None and (isinstance(chosen, Chainer) or getattr(chosen, "layer", None)):
            raise ValueError(f"over_time.decoder {name!r} cannot be fitted to windows: choose another")
        return self

    def name_over_time(self) -> str:
        """The decoder that is fitted to windows of time."""
        return self.over_time.decoder or next(iter(self.decoders))

    def candidate_names(self) -> list[str]:
        """Decoders that compete; empty where none is named and all are dense or trained elsewhere."""
        if self.candidates is not None:
            return self.candidates
        return [
            name
            for name, decoder in self.decoders.items()
            if decoder.kind not in ("dense", "chainer") and name not in self.shared_names()
        ]

    def shared_names(self) -> list[str]:
        """Decoders that learn from all subjects."""
        return [name for name, decoder in self.decoders.items() if getattr(decoder, "subjects", "own") == "shared"]
