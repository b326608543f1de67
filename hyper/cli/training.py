"""The command `hyper train-generator`."""

import argparse
import logging
from pathlib import Path

from hyper.cli.options import add_training, numbers

_AS_GIVEN = (
    "rate", "generator_rate", "averaging", "alone", "critic_first", "paired", "paired_pixels", "precision", "seed",
)  # fmt: skip


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add it to the command line."""
    train = commands.add_parser(
        "train-generator",
        help="train a PGGAN by progressive growing; the same command goes on where it stopped",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    train.add_argument("images", type=Path, metavar="IMAGES", help="file of `hyper draw`, or a folder of pictures")
    train.add_argument("folder", type=Path, metavar="OUT", help="folder of the result, states, sheets and log")
    train.add_argument("--channels", type=numbers, default=(512, 512, 512, 256, 128), help="of 4 x 4, 8 x 8, ...")
    train.add_argument(
        "--latent", type=int, default=512, help="numbers in a latent; of longer ones with the images, the first"
    )
    train.add_argument("--fades", type=numbers, default=(600_000,), help="images of the fades at 8 x 8, 16 x 16, ...")
    train.add_argument("--stays", type=numbers, default=(600_000,), help="images after each fade; the last repeats")
    train.add_argument("--batches", type=numbers, default=(16,), help="images in a step at each level")
    train.add_argument("--rate", type=float, default=1e-3, help="learning rate of Adam")
    train.add_argument(
        "--generator-rate", type=float, help="that of the generator against the critic; --rate if not given"
    )
    train.add_argument("--averaging", type=float, default=10_000, help="half-life of the moving average (images)")
    train.add_argument("--alone", type=int, default=0, help="images first learned from their latents, without critic")
    train.add_argument(
        "--critic-first", type=int, default=0, help="images after those that only the critic learns from"
    )
    train.add_argument("--paired", type=float, default=0.0, help="weight of the distance to the latent's own image")
    train.add_argument("--paired-pixels", type=int, default=16, help="that distance's finest resolution")
    train.add_argument("--no-mirror", action="store_true", help="never turn images left to right")
    train.add_argument("--held-out", type=int, default=0, help="images at the end that are not trained on")
    train.add_argument("--every", type=int, default=5000, help="images between two sheets, rows of the log and states")
    add_training(train)
    train.set_defaults(run=_train)


def _train(options: argparse.Namespace) -> int:
    import torch

    from hyper.generators.device import choose_device
    from hyper.generators.training.faces import read_faces
    from hyper.generators.training.schedule import Schedule, for_levels
    from hyper.generators.training.session import train
    from hyper.generators.training.trainer import Recipe, Training

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if options.threads:
        torch.set_num_threads(options.threads)
    blocks = len(options.channels)
    lengths = (for_levels(values, blocks - 1) for values in (options.fades, options.stays, options.batches))
    schedule = Schedule(blocks, *lengths)
    recipe = Recipe(
        channels=options.channels,
        schedule=schedule,
        latent_dim=options.latent,
        mirrored=not options.no_mirror,
        **{name: getattr(options, name) for name in _AS_GIVEN},
    )
    faces, _ = read_faces(options.images, 4 * 2 ** (blocks - 1)).split(options.held_out)
    training = Training(faces, recipe, choose_device(options.device))
    done = train(training, options.folder, options.every, options.minutes)
    print(f"{done}: trained on {training.seen} images" if done else f"{options.folder}: not finished, run it again")
    return 0
