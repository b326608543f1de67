"""The published decoders: a dense layer before the generator, trained by Adam."""

import logging
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch

from hyper.decoding.base import Pair
from hyper.decoding.checkpoint import Checkpoint, key_of
from hyper.decoding.gluon import GluonAdam, start_weight
from hyper.decoding.layer_loss import FrozenLayer, LayerRound
from hyper.decoding.linear import LinearDecoder
from hyper.decoding.training import LatentRound, Layer, TrainRound, Trials, train
from hyper.errors import DataError, SettingsError
from hyper.generators.base import Generator
from hyper.generators.device import choose_device
from hyper.io.seeds import generator_of

_log = logging.getLogger(__name__)

CENTRE = 0.5  # share of a map counted beside the latents; the sources say "the centres" and no number


class DenseDecoder(LinearDecoder):
    """Dense layer trained as in the authors' notebook (MXNet/Gluon).

    Per batch of B trials and K latents, with E = X W' + b - Z, on latents alone:

    * loss: gluon's L2Loss, half the mean square over the latents, averaged over the batch: sum(E^2) / (2 B K);
    * gradient: E'X / (B K) for the weight, sum(E) / (B K) for the bias;
    * Gluon's Adam: m and v from the gradient with `weight_decay` times the parameter added, for the bias as for the
      weight; step t moves by lr sqrt(1 - 0.999^t) / (1 - 0.9^t) * m / (sqrt(v) + 1e-8);
    * start: weight uniform in (-0.07, 0.07), bias zero (Gluon's default).

    With a `layer`, the L2Loss between what the frozen generator makes of predicted and of true latents at that layer
    is added to that of the latents, or stands alone. Every epoch sees the trials in a new order; a last, smaller batch
    is kept.

    Parameters
    ----------
    epochs, batch_size : int
    learning_rate, weight_decay : float
    decoupled : bool
        Subtract ``learning_rate * weight_decay`` times the parameter instead (AdamW; Loshchilov & Hutter, 2019).
    layer : str, optional
        Layer of the generator whose activation counts, such as L1. The decoder then needs a `generator`.
    latents : bool
        Whether the latents count; without a layer they must.
    centre : float, optional
        Share of the height and width of the layer's map, about its middle, that counts; when not given, 0.5 beside
        the latents and 1 where the layer counts alone.
    precision : {'single', 'mixed'}
        Of the generator's products in training: ``mixed`` multiplies in bfloat16.
    scaling : {'zscore', 'none'}
        Of the voxels, by mean and standard deviation of the training trials.
    device : {'auto', 'cpu', 'cuda'}
    seed : int
        Of the start and of the order of trials.

    Attributes
    ----------
    generator : Generator or None
        The frozen generator, to be set before fitting where there is a `layer`.
    checkpoint : Path or None
        Where the training is kept now and then, to be set before fitting: an interrupted fit of the same data with the
        same settings goes on from there, to the same bits. The file is deleted at the end.
    code : str
        Version of the code, part of what a checkpoint must agree with.
    interval : float
        Seconds from checkpoint to checkpoint.
    threads : int or None
        Of a training by latents on the CPU; as many as torch may use when None. The result does not depend on it.

    Notes
    -----
    The curve has one row per epoch: ``train_loss`` is the mean over the trials as they were met, ``test_loss_unused``
    the loss of the watched data after the epoch. Nothing is chosen by the latter.
    """

    kind: ClassVar[str] = "dense"
    random: ClassVar[bool] = True

    def __init__(
        self,
        epochs: int = 1500,
        learning_rate: float = 1e-5,
        batch_size: int = 30,
        weight_decay: float = 0.01,
        decoupled: bool = False,
        layer: str | None = None,
        latents: bool = True,
        centre: float | None = None,
        precision: Literal["single", "mixed"] = "single",
        scaling: Literal["zscore", "none"] = "zscore",
        device: Literal["auto", "cpu", "cuda"] = "auto",
        seed: int = 0,
    ) -> None:
        super().__init__(
            epochs=epochs, learning_rate=learning_rate, batch_size=batch_size, weight_decay=weight_decay,
            decoupled=decoupled, layer=layer, latents=latents, centre=centre, precision=precision, scaling=scaling,
            device=device, seed=seed,
        )  # fmt: skip
        if layer is None and not latents:
            raise SettingsError("latents", "nothing is left of the loss", "Name a layer, or let the latents count")
        self.generator: Generator | None = None
        self.checkpoint: Path | None = None
        self.code = ""
        self.interval = 60.0
        self.threads: int | None = None

    def _fit_scaled(
        self, responses: np.ndarray, latents: np.ndarray, series: np.ndarray | None, watched: Pair | None
    ) -> None:
        device = choose_device(self.settings["device"])
        trials = _trials((responses, latents), device)
        seen = None if watched is None else _trials(watched, device)
        layer = self._start(trials)
        everything = [trials.responses, trials.latents] + ([seen.responses, seen.latents] if seen else [])
        checkpoint = None
        if self.checkpoint is not None:
            checkpoint = Checkpoint(self.checkpoint, key_of(self.settings, everything, self.code))
            checkpoint.restore(layer)
        train(
            layer,
            self.settings["epochs"],
            generator_of(self.settings["seed"], "order"),
            len(trials.responses),
            self._round(trials, seen),
            None if checkpoint is None else checkpoint.save,
            self.interval,
        )
        self.curve = layer.table()
        loss = self.curve["train_loss"].iloc[-1]
        if not np.isfinite(loss):
            raise DataError(
                "dense", f"the loss is not finite after {layer.epoch} epochs", "Lower learning_rate or scale the voxels"
            )
        _log.info("loss %.4f after %d epochs on %s", loss, layer.epoch, device)
        self.weight, self.bias = layer.weight.cpu().numpy(), layer.bias.cpu().numpy()
        if checkpoint is not None:
            checkpoint.remove()

    def _start(self, trials: Trials) -> Layer:
        latents, voxels, device = trials.latents.shape[1], trials.responses.shape[1], trials.latents.device
        weight = torch.from_numpy(start_weight(self.settings["seed"], latents, voxels)).to(device)
        bias = torch.zeros(latents, device=device)
        names = "learning_rate", "weight_decay", "decoupled"
        return Layer(weight, bias, GluonAdam([weight, bias], *(self.settings[name] for name in names)))

    def _round(self, trials: Trials, watched: Trials | None) -> TrainRound:
        name, batch_size, latents = (self.settings[key] for key in ("layer", "batch_size", "latents"))
        if name is None:
            return LatentRound(trials, batch_size, watched, self.threads)
        if self.generator is None:
            raise DataError("dense", f"the loss of {name} needs a generator", "Set the decoder's generator before fit")
        centre = self.settings["centre"] or (CENTRE if latents else 1.0)
        generator = self.generator.to(trials.latents.device)
        frozen = FrozenLayer(generator, name, centre, self.settings["precision"] == "mixed")
        return LayerRound(trials, batch_size, frozen, latents, watched)


def _trials(pair: Pair, device: torch.device) -> Trials:
    responses, latents = (torch.tensor(values, dtype=torch.float32, device=device) for values in pair)
    return Trials(responses, latents)
