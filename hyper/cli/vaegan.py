"""The command `hyper train-vaegan`."""

import argparse
import logging
from pathlib import Path

from hyper.cli.options import add_training, numbers

_AS_GIVEN = ("layer", "content", "images", "repeats", "pool", "batch", "rate", "precision", "seed", "latents", "hidden")


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add it to the command line."""
    train = commands.add_parser(
        "train-vaegan",
        help="train the baseline's VAE-GAN on images of a generator; the same command goes on where it stopped",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    train.add_argument("generator", metavar="GENERATOR", help="a name, or the path of a converted checkpoint")
    train.add_argument("folder", type=Path, metavar="OUT", help="folder of the result, state, sheet and log")
    train.add_argument(
        "--channels", type=numbers, default=(192, 256, 384, 512, 768), help="of convolutions that halve down to 4 x 4"
    )
    train.add_argument("--latents", type=int, default=1024)
    train.add_argument("--hidden", type=int, default=1024, help="units between convolutions and latents")
    train.add_argument("--layer", type=int, default=2, help="the discriminator's convolution that compares images")
    train.add_argument("--content", type=float, default=0.003, help="weight of that comparison in the decoder's loss")
    train.add_argument("--images", type=int, default=760_000, help="images of random latents to draw")
    train.add_argument("--repeats", type=int, default=4, help="times that each is shown")
    train.add_argument("--pool", type=int, default=4096, help="images held at a time")
    train.add_argument("--batch", type=int, default=64)
    train.add_argument("--rate", type=float, default=3e-4, help="learning rate of Adam")
    add_training(train)
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    import torch

    from hyper.baselines.vaegan.session import train
    from hyper.baselines.vaegan.training import Recipe, Training
    from hyper.generators.device import choose_device
    from hyper.generators.load import load_generator

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    recipe = Recipe(channels=options.channels, **{name: getattr(options, name) for name in _AS_GIVEN})
    training = Training(load_generator(options.generator).to(device), recipe, device)
    name = Path(options.generator).name
    done = train(training, options.folder, name, options.minutes)
    print(f"{done}: trained on {recipe.images} images" if done else f"{options.folder}: not finished, run it again")
    return 0
