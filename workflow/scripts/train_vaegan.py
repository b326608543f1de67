"""Train a VAE-GAN on images of the study's generator (rule train_vaegan)."""

from _rule import run  # isort: skip

from pathlib import Path

from hyper.baselines.vaegan.session import train
from hyper.baselines.vaegan.training import Recipe, Training
from hyper.generators.device import choose_device
from hyper.generators.load import chosen_generator
from hyper.io.seeds import derive_seed


def main(job):
    options = dict(job.params.cfg)
    device, generator = choose_device(options.pop("device")), chosen_generator(job.params.generator)
    seed = derive_seed(job.params.seed, "train_vaegan")
    recipe = Recipe(**options | {"channels": tuple(options["channels"])}, seed=seed)
    folder, name = Path(job.output.model).parent, job.params.generator["generator"]
    train(Training(generator.to(device), recipe, device), folder, name)


if __name__ == "__main__":
    run(main)
